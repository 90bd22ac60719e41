"""`plotline slack` and `plotline discord`, as somebody types them who has no bot yet, against fake platforms."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.discord.permissions import NEEDED_BITS
from adapters.slack.manifest import FEATURES, manifest
from tests.cli.conftest import Finished, Program
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack

EVERY_SCOPE = {scope for feature in FEATURES for scope in feature.scopes}


@pytest.fixture
async def slack(plotline: Program) -> AsyncIterator[FakeSlack]:
    async with FakeSlack().serving() as served:
        served.scopes = EVERY_SCOPE | {"connections:write"}
        plotline.env["SLACK_API_URL"] = served.api_url
        yield served


@pytest.fixture
async def discord(plotline: Program) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        plotline.env["DISCORD_API_URL"] = fake.api_url
        yield fake


async def ran(plotline: Program, *arguments: str, stdin: str = "") -> Finished:
    """While the platform answers in this process."""
    return await asyncio.to_thread(plotline.run, *arguments, stdin=stdin)


def test_the_manifest_is_printed_as_it_is_pasted(plotline: Program) -> None:
    done = plotline.run("slack", "manifest")

    assert (done.code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == manifest()


def test_a_manifest_asks_for_what_is_wanted_and_is_sent_where_it_is_wanted(plotline: Program) -> None:
    url = "https://bot.example.org/slack/events"
    done = plotline.run("slack", "manifest", "--without", "command", "--without", "people", "--url", url)

    assert json.loads(done.stdout) == manifest(["command", "people"], url)
    assert "users:read" not in done.stdout


def test_why_each_permission_and_event_is_needed_is_told_without_doing_anything(plotline: Program) -> None:
    done = plotline.run("slack", "setup", "--explain")

    assert done.code == 0
    asked = manifest()
    for name in [
        *asked["oauth_config"]["scopes"]["bot"],
        *asked["settings"]["event_subscriptions"]["bot_events"],
    ]:
        assert f" {name}" in done.stdout
    assert list(plotline.directory.iterdir()) == []


async def test_setting_up_ends_with_tokens_that_work_and_a_reply(plotline: Program, slack: FakeSlack) -> None:
    plotline.write(".env", "MODEL_NAME=small\nSLACK_BOT_TOKEN=xoxb-older\n")
    typed = f"xoxb-mistyped\n{BOT_TOKEN}\n{APP_TOKEN}\n"
    setting_up = asyncio.ensure_future(ran(plotline, "slack", "setup", stdin=typed))
    await until(lambda: slack.sockets.pings or setting_up.done())
    await slack.says("hello?", channel="D1")

    done = await setting_up

    assert done.code == 0, done.stderr
    assert "Slack refuses SLACK_BOT_TOKEN" in done.stdout
    assert "plotline serve" in done.stdout
    assert not {BOT_TOKEN, APP_TOKEN, "mistyped"} & set(done.stdout.split())
    (reply,) = slack.posts("D1")
    assert "everything is set up" in repr(reply)
    kept = plotline.directory / ".env"
    assert kept.read_text() == f"MODEL_NAME=small\nSLACK_BOT_TOKEN={BOT_TOKEN}\nSLACK_APP_TOKEN={APP_TOKEN}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_tokens_that_are_typed_are_not_shown(plotline: Program, slack: FakeSlack) -> None:
    def typing() -> str:
        with plotline.terminal("slack", "setup") as terminal:
            terminal.wait_for("xoxb-…")
            terminal.say(BOT_TOKEN)
            terminal.wait_for("xapp-…")
            terminal.press("\x03")
            assert terminal.exit_code() == 1
            return terminal.shown

    shown = await asyncio.to_thread(typing)

    assert BOT_TOKEN not in shown
    assert "Stopped." in shown
    assert not (plotline.directory / ".env").exists()


async def test_whoever_gives_up_leaves_nothing_behind(plotline: Program, slack: FakeSlack) -> None:
    done = await ran(plotline, "slack", "setup", stdin=f"{BOT_TOKEN}\n")

    assert (done.code, done.stdout.count("✓")) == (3, 2)
    assert "plotline slack setup" in done.stderr
    assert not (plotline.directory / ".env").exists()


async def test_tokens_that_cannot_be_kept_are_told_of(
    plotline: Program, slack: FakeSlack, tmp_path: Path
) -> None:
    (plotline.directory / ".env").symlink_to(tmp_path / "nowhere" / ".env")

    done = await ran(plotline, "slack", "setup", stdin=f"{BOT_TOKEN}\n{APP_TOKEN}\n")

    assert (done.code, "kept nowhere" in done.stderr) == (1, True)


async def test_the_link_is_that_of_the_token(plotline: Program, discord: FakeDiscord) -> None:
    plotline.env["DISCORD_TOKEN"] = discord.token

    done = await ran(plotline, "discord", "invite")

    query = parse_qs(urlsplit(done.stdout.strip()).query)
    assert query["client_id"] == [discord.bot["id"]]
    assert query["permissions"] == [str(NEEDED_BITS)]
    assert "Attach Files" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_link_needs_only_the_application(plotline: Program) -> None:
    done = plotline.run("discord", "invite", "--application", "123", "--json")

    assert (done.code, done.json["application"]) == (0, "123")
    assert "client_id=123&" in done.json["link"]
    assert "Send Messages" in done.json["permissions"]


def test_without_a_token_or_an_application_it_says_where_to_find_them(plotline: Program) -> None:
    done = plotline.run("discord", "invite")

    assert (done.code, done.stdout) == (3, "")
    assert "DISCORD_TOKEN" in done.stderr
    assert "--application" in done.stderr


async def test_a_token_that_discord_does_not_take_is_not_repeated(
    plotline: Program, discord: FakeDiscord
) -> None:
    plotline.env["DISCORD_TOKEN"] = "wrong.secret.token"

    done = await ran(plotline, "discord", "invite")

    assert (done.code, "secret" in done.stdout + done.stderr) == (3, False)
    assert "plotline doctor" in done.stderr


async def test_the_doctor_asks_both_platforms(
    plotline: Program, slack: FakeSlack, discord: FakeDiscord
) -> None:
    plotline.env |= {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "DISCORD_TOKEN": discord.token,
        "ALLOW__DISCORD_GUILDS": discord.guild["id"],
    }

    found = (await ran(plotline, "doctor", "--json", "--channel", discord.general["id"])).json

    told = {name: [each for each in found if each["check"] == name] for name in ("slack", "discord")}
    assert all(each["ok"] for each in [*told["slack"], *told["discord"]])
    assert told["slack"][0]["detail"] == "The token is that of plotline in Team."
    assert told["discord"][-1]["detail"] == "In #general it may do all that it needs."
    assert slack.posts() == []


async def test_the_doctor_says_what_is_missing_on_a_platform_and_what_mends_it(
    plotline: Program, slack: FakeSlack, discord: FakeDiscord
) -> None:
    plotline.env |= {"SLACK_BOT_TOKEN": BOT_TOKEN, "DISCORD_TOKEN": discord.token}

    done = await ran(plotline, "doctor", "--json", "--channel", "slack:T1/C2")

    assert done.code == 3
    mended = {each["detail"]: each["mend"] for each in done.json if not each["ok"]}
    assert "SLACK_APP_TOKEN" in mended["It can speak, but hears nothing."]
    assert mended["It is not in #elsewhere."] == 'type "/invite @plotline" in #elsewhere'
    assert (
        "ALLOW__DISCORD_GUILDS" in mended["No server is listed, so it leaves every one that it is added to."]
    )


@pytest.mark.parametrize(("channel", "variable"), [("C012", "SLACK_BOT_TOKEN"), ("812", "DISCORD_TOKEN")])
def test_the_doctor_wants_a_token_for_the_channel(plotline: Program, channel: str, variable: str) -> None:
    found = plotline.run("doctor", "--json", "--channel", channel).json

    assert found[-1]["mend"] == f"set {variable}"
