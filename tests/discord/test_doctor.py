"""What the doctor says of Discord, and the link that adds the bot."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from adapters.discord import doctor, permissions
from adapters.discord.endpoints import point_to
from adapters.discord.seam import Options
from bot.checks import Check
from tests.fakes.discord import FakeDiscord


@pytest.fixture(autouse=True)
async def pointed(fake: FakeDiscord) -> AsyncIterator[None]:
    point_to(fake.api_url, fake.gateway.url)
    yield


async def found(
    fake: FakeDiscord, options: Options | None = None, *, token: str = "", channel: str = ""
) -> list[Check]:
    asked = doctor.checks(token or fake.token, options or Options(), int(channel) if channel else None)
    return [check async for check in asked]


async def test_all_is_well(fake: FakeDiscord) -> None:
    checks = await found(fake, channel=fake.general["id"])

    assert all(check.ok and not check.mend for check in checks)
    assert "plotline" in checks[0].detail
    assert "#general" in checks[-1].detail


async def test_a_wrong_token_is_said_without_it(fake: FakeDiscord) -> None:
    (check,) = await found(fake, token="wrong.secret.token")

    assert not check.ok
    assert "DISCORD_TOKEN" in check.mend
    assert "secret" not in check.detail + check.mend


async def test_discord_may_not_be_there(fake: FakeDiscord) -> None:
    point_to("http://127.0.0.1:9/api/v10", None)

    (check,) = await found(fake)

    assert not check.ok
    assert "reached" in check.detail


async def test_an_intent_that_is_wanted_has_to_be_switched_on(fake: FakeDiscord) -> None:
    without = (await found(fake, Options(reads_all_messages=True)))[1]
    fake.rest.application["flags"] = 1 << 19
    having = (await found(fake, Options(reads_all_messages=True)))[1]

    assert (without.ok, having.ok) == (False, True)
    assert "Message Content Intent" in without.mend


async def test_a_public_bot_is_warned_of(fake: FakeDiscord) -> None:
    fake.rest.application["bot_public"] = True

    check = (await found(fake))[2]

    assert check.ok
    assert "Public Bot" in check.mend


async def test_missing_permissions_in_a_channel_are_named(fake: FakeDiscord) -> None:
    fake.world.set_permissions(fake.general, fake.bot["id"], attach_files=False)
    thread = fake.world.thread(fake.general, "work", fake.anna["id"])

    check = (await found(fake, channel=thread["id"]))[-1]

    assert not check.ok
    assert check.detail == 'In #general it lacks "Attach Files".'


async def test_a_channel_it_cannot_see_is_said(fake: FakeDiscord) -> None:
    fake.world.set_permissions(fake.general, fake.bot["id"], view_channel=False)

    check = (await found(fake, channel=fake.general["id"]))[-1]

    assert not check.ok
    assert "cannot see" in check.detail


def test_the_link_asks_for_exactly_what_is_needed() -> None:
    query = parse_qs(urlsplit(permissions.invite_link(42)).query)

    assert query["client_id"] == ["42"]
    assert query["scope"] == ["bot applications.commands"]
    asked = {name for name, value in discord.Permissions(int(query["permissions"][0])) if value}
    assert {discord.Permissions(**{name: True}).value for name in asked} == {
        discord.Permissions(**{name: True}).value for name in permissions.NEEDED
    }


def test_the_page_says_what_each_permission_is_for() -> None:
    page = (Path(__file__).parents[2] / "docs" / "discord.md").read_text("utf-8")
    listed = page.split("<!-- permissions: begin -->\n")[1].split("\n<!-- permissions: end -->")[0]

    assert listed == permissions.permissions_table()
    assert set(permissions.REASONS) == set(permissions.NEEDED)


def bits(**given: bool) -> str:
    return str(discord.Permissions(**given).value)


@pytest.mark.parametrize(
    ("role", "overwrites", "may"),
    [
        (bits(send_messages=True), [], True),
        (bits(), [], False),
        (bits(send_messages=True), [("1", bits(), bits(send_messages=True))], False),
        (
            bits(),
            [("1", bits(), bits(send_messages=True)), ("9", bits(send_messages=True), bits())],
            True,
        ),
        (
            bits(send_messages=True),
            [("9", bits(send_messages=True), bits()), ("5", bits(), bits(send_messages=True))],
            False,
        ),
        (bits(administrator=True), [("5", bits(), bits(send_messages=True))], True),
    ],
)
def test_permissions_are_added_up_as_discord_does_it(
    role: str, overwrites: list[tuple[str, str, str]], may: bool
) -> None:
    roles = [{"id": "1", "permissions": "0"}, {"id": "9", "permissions": role}]
    member = {"roles": ["9"], "user": {"id": "5"}}
    listed = [{"id": id_, "allow": allow, "deny": deny} for id_, allow, deny in overwrites]

    allowed = discord.Permissions(permissions.in_channel(roles, member, listed, "1"))

    assert allowed.send_messages is may
