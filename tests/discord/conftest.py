"""A fake Discord, and the bot's side of it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from adapters.discord import inbound
from adapters.discord.address import Address
from adapters.discord.endpoints import point_to
from adapters.discord.surroundings import Surroundings
from adapters.discord.thread import DiscordThread
from bot.execution import Artifact
from bot.reception import MemoryJournal
from bot.visits import Visit
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.interactions import COMMAND, DEFER, Interaction
from tests.fakes.discord.rules import EPHEMERAL, LOADING, Payload, walk


@dataclass
class Worker:
    """A process with the bot's token and no gateway."""

    fake: FakeDiscord
    around: Surroundings
    journal: MemoryJournal

    def thread(self, address: Address) -> DiscordThread:
        return DiscordThread(address, self.around)

    def again(self, thread: DiscordThread, **facts: Any) -> DiscordThread:
        """The same thread after a restart, or for another turn."""
        return self.thread(replace(Address.from_json(thread.address), **facts))

    def in_thread(self, name: str = "work", **facts: Any) -> tuple[DiscordThread, Payload]:
        """A conversation in a thread that is there already."""
        fake = self.fake
        place = fake.world.thread(fake.general, name, fake.bot["id"])
        return self.thread(self.address(place, parent=int(fake.general["id"]), **facts)), place

    def address(self, channel: Payload, **facts: Any) -> Address:
        guild = int(self.fake.guild["id"])
        given: dict[str, Any] = {
            "thread": inbound.in_thread(guild, int(channel["id"])),
            "turn": "discord:1",
            "channel": int(channel["id"]),
            "asker": int(self.fake.anna["id"]),
            "guild": guild,
            "asker_name": "Anna",
        }
        return Address(**given | facts)

    def deferred(
        self, channel: Payload, *, private: bool = False, **facts: Any
    ) -> tuple[Address, Interaction]:
        """A command that was answered with "thinking"."""
        fake, world = self.fake, self.fake.world
        id_ = world.snowflake()
        made = Interaction(id_, f"token{id_}", COMMAND, fake.anna, channel["id"], fake.clock.now())
        fake.rest.interactions[made.token] = made
        made.respond(DEFER, fake.clock.now())
        flags = LOADING | (EPHEMERAL if private else 0)
        made.original = world.message(channel["id"], fake.bot, flags=flags, type=20)
        address = self.address(
            channel,
            token=made.token,
            application=int(fake.bot["id"]),
            original=int(made.original["id"]),
            created=fake.clock.now().timestamp(),
            private=private,
            **facts,
        )
        return address, made


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake
        assert fake.rest.violations == []


@pytest.fixture
async def worker(fake: FakeDiscord) -> AsyncIterator[Worker]:
    point_to(fake.api_url, fake.gateway.url)
    async with working(fake) as worker:
        yield worker


async def anybody(_visit: Visit) -> None:
    """May ask."""


@asynccontextmanager
async def working(fake: FakeDiscord) -> AsyncIterator[Worker]:
    client = discord.Client(
        intents=discord.Intents.none(), allowed_mentions=discord.AllowedMentions.none(), max_messages=None
    )
    journal = MemoryJournal()
    async with client, aiohttp.ClientSession() as http:
        await client.login(fake.token)
        yield Worker(fake, Surroundings(client, http, fake.clock, journal, anybody), journal)


@pytest.fixture
def made(tmp_path: Path) -> "Maker":
    return Maker(tmp_path)


@dataclass(frozen=True)
class Maker:
    """Makes artifacts that are there."""

    folder: Path

    def __call__(
        self, name: str, content: bytes = b"content", media_type: str = "text/csv", **facts: Any
    ) -> Artifact:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / sha256
        path.write_bytes(content)
        return Artifact(name, media_type, len(content), sha256, path, **facts)

    def picture(self, name: str, content: bytes = b"png", **facts: Any) -> Artifact:
        return self(name, content, "image/png", **facts)


def shown_text(message: Payload) -> str:
    """All that people read in a message."""
    texts = [each["content"] for each in walk(message["components"]) if each["type"] == 10]
    return "\n".join(text for text in [message["content"], *texts] if text)


def names(message: Payload) -> list[str]:
    return [each["filename"] for each in message["attachments"]]
