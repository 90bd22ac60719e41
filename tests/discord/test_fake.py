"""The fake itself: the real discord.py can live with it, and it refuses what Discord refuses."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from discord import ui

from adapters.discord.endpoints import point_to
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord

PLAIN = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Client(discord.AutoShardedClient):
    def __init__(self, intents: discord.Intents = PLAIN, **options: Any) -> None:
        nobody = discord.AllowedMentions.none()
        super().__init__(
            intents=intents, max_messages=None, guild_ready_timeout=0.05, allowed_mentions=nobody, **options
        )
        self.heard: list[Any] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without the library's wait of five seconds."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.heard.append(interaction)


@asynccontextmanager
async def connected(fake: FakeDiscord, client: Client) -> AsyncIterator[Client]:
    point_to(fake.api_url, fake.gateway.url)
    running = asyncio.ensure_future(client.start(fake.token))
    try:
        ready = asyncio.ensure_future(client.wait_until_ready())
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        yield client
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
async def client(fake: FakeDiscord) -> AsyncIterator[Client]:
    async with connected(fake, Client()) as client:
        yield client


def layout(*items: ui.Item[Any]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    return view


async def refused(work: Any) -> int:
    with pytest.raises(discord.HTTPException) as caught:
        await work
    return caught.value.code


async def test_the_client_becomes_ready_and_hears_messages(fake: FakeDiscord, client: Client) -> None:
    await fake.people.mention(fake.anna, fake.general, "hi", [("a.csv", b"1,2", "text/csv")])

    message = (await until(lambda: client.heard))[0]
    assert [guild.name for guild in client.guilds] == ["Lab"]
    assert client.user in message.mentions
    assert await message.attachments[0].read() == b"1,2"


async def test_content_is_kept_from_those_without_the_intent(fake: FakeDiscord, client: Client) -> None:
    await fake.people.say(fake.anna, fake.general, "not for you", [("a.csv", b"1", "text/csv")])

    message = (await until(lambda: client.heard))[0]
    assert (message.content, message.attachments) == ("", [])


async def test_a_refused_intent_ends_the_client(fake: FakeDiscord) -> None:
    fake.gateway.allowed_intents = PLAIN.value
    client = Client(discord.Intents(guilds=True, guild_messages=True, message_content=True))
    point_to(fake.api_url, fake.gateway.url)

    with pytest.raises(discord.PrivilegedIntentsRequired):
        await asyncio.wait_for(client.start(fake.token), 5)


async def test_what_was_missed_comes_with_the_resume(fake: FakeDiscord, client: Client) -> None:
    await fake.gateway.ask_to_reconnect()
    await fake.people.mention(fake.anna, fake.general, "meanwhile")

    await until(lambda: fake.gateway.resumed)
    assert [each.content for each in await until(lambda: client.heard)] == [f"<@{fake.bot['id']}> meanwhile"]


async def test_a_forgotten_session_is_identified_anew(fake: FakeDiscord, client: Client) -> None:
    fake.gateway.forgets_sessions = True
    await fake.gateway.ask_to_reconnect()

    await until(lambda: len(fake.gateway.identified) == 2)
    assert fake.gateway.resumed == 0


async def test_heartbeats_are_answered(fake: FakeDiscord) -> None:
    fake.gateway.heartbeat_ms = 50
    async with connected(fake, Client()):
        await until(lambda: fake.gateway.heartbeats >= 3)

    assert fake.gateway.resumed == 0


async def test_a_connection_without_heartbeats_is_given_up_and_resumed(fake: FakeDiscord) -> None:
    fake.gateway.heartbeat_ms = 50
    async with connected(fake, Client(heartbeat_timeout=0.3)):
        fake.gateway.acknowledges = False
        await until(lambda: fake.gateway.resumed)


async def test_the_same_nonce_makes_one_message_for_some_minutes(fake: FakeDiscord, client: Client) -> None:
    channel = client.get_partial_messageable(int(fake.general["id"]))

    first = await channel.send("a", nonce="n1")
    again = await channel.send("a", nonce="n1")
    await fake.clock.advance(200)
    later = await channel.send("a", nonce="n1")

    assert first.id == again.id != later.id


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": ""}, 50006),
        ({"view": layout(ui.TextDisplay("x" * 2500), ui.TextDisplay("y" * 1501))}, 50035),
        ({"view": layout(ui.File("attachment://missing.csv"))}, 50035),
        ({"content": "a", "nonce": "n" * 26}, 50035),
    ],
)
async def test_messages_over_a_limit_are_refused(
    fake: FakeDiscord, client: Client, send: dict[str, Any], code: int
) -> None:
    channel = client.get_partial_messageable(int(fake.general["id"]))

    assert await refused(channel.send(**send)) == code


async def test_files_are_bounded_by_themselves_and_together(fake: FakeDiscord, client: Client) -> None:
    channel = client.get_partial_messageable(int(fake.general["id"]))
    mib = 2**20

    def files(*sizes: int) -> list[discord.File]:
        return [discord.File(io.BytesIO(bytes(size)), f"{at}.bin") for at, size in enumerate(sizes)]

    assert await refused(channel.send(files=files(10 * mib + 1))) == 40005
    assert await refused(channel.send(files=files(9 * mib, 9 * mib, 9 * mib))) == 40005
    assert (await channel.send(files=files(9 * mib, 9 * mib))).attachments


async def test_components_stay_components(fake: FakeDiscord, client: Client) -> None:
    channel = client.get_partial_messageable(int(fake.general["id"]))
    message = await channel.send(view=layout(ui.TextDisplay("a")))

    assert await refused(message.edit(content="plain", view=None)) == 50035


async def test_permissions_archives_and_locks_are_kept(fake: FakeDiscord, client: Client) -> None:
    thread = fake.world.thread(fake.general, "old", fake.bot["id"])
    place = client.get_partial_messageable(int(thread["id"]))
    message = await place.send("a")
    thread["thread_metadata"]["archived"] = True
    assert await refused(message.edit(content="b")) == 50083
    await place.send("sending opens it again")
    assert not thread["thread_metadata"]["archived"]
    thread["thread_metadata"]["locked"] = True
    assert await refused(place.send("c")) == 160005
    fake.world.set_permissions(fake.general, fake.bot["id"], send_messages=False)
    assert await refused(client.get_partial_messageable(int(fake.general["id"])).send("d")) == 50013


async def test_tokens_need_an_answer_in_3_seconds_and_die_after_15_minutes(
    fake: FakeDiscord, client: Client
) -> None:
    fake.rest.commands[None] = [{"id": "1", "name": "ask", "type": 1, "options": []}]
    made = await fake.people.command(fake.anna, fake.general, "ask")
    interaction: discord.Interaction = (await until(lambda: client.heard))[0]
    await interaction.response.defer(thinking=True, ephemeral=True)
    assert await refused(_respond_again(interaction)) == 40060
    await interaction.edit_original_response(content="first")
    assert made.is_ephemeral
    await fake.clock.advance(15 * 60 + 1)
    assert await refused(interaction.edit_original_response(content="late")) == 50027

    await fake.people.command(fake.anna, fake.general, "ask")
    slow: discord.Interaction = (await until(lambda: client.heard[1:]))[0]
    await fake.clock.advance(4)
    assert await refused(slow.response.defer()) == 10062


async def _respond_again(interaction: discord.Interaction) -> None:
    interaction.response._response_type = None
    await interaction.response.send_message("again")


async def test_user_installs_get_five_followups(fake: FakeDiscord, client: Client) -> None:
    fake.rest.commands[None] = [{"id": "1", "name": "ask", "type": 1, "options": []}]
    await fake.people.command(fake.anna, fake.general, "ask", user_install=True)
    interaction: discord.Interaction = (await until(lambda: client.heard))[0]
    await interaction.response.send_message("0")
    for number in range(5):
        await interaction.followup.send(str(number))

    assert await refused(interaction.followup.send("6")) == 40094


async def test_old_urls_expire_and_a_fetched_message_has_new_ones(fake: FakeDiscord, client: Client) -> None:
    await fake.people.mention(fake.anna, fake.general, "hi", [("a.csv", b"1,2", "text/csv")])
    message = (await until(lambda: client.heard))[0]
    await fake.clock.advance(25 * 3600)
    with pytest.raises(discord.NotFound):
        await message.attachments[0].read()

    again = await message.channel.fetch_message(message.id)
    assert await again.attachments[0].read() == b"1,2"


async def test_rate_limits_are_told_and_enforced(fake: FakeDiscord, client: Client) -> None:
    fake.rest.rate_limits["POST /channels/{c}/messages"] = (2, 0.2)
    channel = client.get_partial_messageable(int(fake.general["id"]))

    await asyncio.gather(*(channel.send(str(number)) for number in range(5)))

    assert len(fake.in_channel(fake.general)) == 5


async def test_requests_are_held_against_the_description(fake: FakeDiscord, client: Client) -> None:
    channel = client.get_partial_messageable(int(fake.general["id"]))
    await channel.send("fine")
    assert fake.rest.violations == []

    await channel.send("all", allowed_mentions=discord.AllowedMentions.all())
    assert fake.rest.violations
