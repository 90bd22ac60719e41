"""Slack on loopback, and the real SDK's client for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.addresses import Address
from adapters.slack.app import Options, Slack, open_slack, serve
from adapters.slack.clock import Clock
from adapters.slack.connection import Connection
from adapters.slack.files import Files, origins_for
from adapters.slack.inbound import Us
from adapters.slack.people import People
from adapters.slack.thread import SlackThread
from adapters.slack.web import Web
from bot.reception import MemoryJournal
from tests.fakes.slack.receiver import RecordingReceiver
from tests.fakes.slack.rules import Json
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack
from tests.fakes.slack.state import BOT_ID, BOT_NAME, BOT_USER, TEAM


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack().serving() as served:
        yield served
    # What must never be shown, sent or asked for, whatever the test is about.
    assert served.complaints == []


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    made = AsyncWebClient(BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
    made.proxy = None
    return made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@dataclass
class Desk:
    """Gives threads of the fake. What is noted outlives each of them."""

    slack: FakeSlack
    client: AsyncWebClient
    http: aiohttp.ClientSession
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def connection(self, **facts: object) -> Connection:
        """A new process, which remembers nothing but the journal."""
        clock = self.slack.clock
        web = Web(self.client, Clock(clock, clock, clock.pause, clock.tick))
        files = Files(web, self.http, origins_for(self.slack.api_url))
        us = Us(TEAM, BOT_USER, BOT_ID, BOT_NAME)
        given = {"web": web, "http": self.http, "files": files, "people": People(web), "us": us}
        given |= {"refusal": RecordingReceiver().refusal, **facts}
        return Connection(journal=self.journal, **given)  # type: ignore[arg-type]  # fields of it

    def thread(
        self, question: Json | None = None, channel: str = "C1", connection: Connection | None = None
    ) -> SlackThread:
        """For a turn about that message, by default a new one."""
        question = question or self.slack.writes("<@UBOT> a question", channel=channel)
        address = Address(
            team=TEAM,
            channel=channel,
            thread_ts=str(question.get("thread_ts") or question["ts"]),
            turn=f"slack:{TEAM}:{channel}:{question['ts']}",
            question_ts=str(question["ts"]),
            asker=str(question["user"]),
            asker_team=TEAM,
        )
        return SlackThread(connection or self.connection(), address)


@pytest.fixture
def desk(slack: FakeSlack, client: AsyncWebClient, http: aiohttp.ClientSession) -> Desk:
    return Desk(slack, client, http)


@dataclass
class Office:
    """The whole adapter, connected to the fake, with a core that records."""

    slack: FakeSlack
    receiver: RecordingReceiver = field(default_factory=RecordingReceiver)
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    @property
    def options(self) -> Options:
        clock = self.slack.clock
        return Options(
            BOT_TOKEN,
            app_token=APP_TOKEN,
            api_url=self.slack.api_url,
            clock=Clock(clock, clock, clock.pause, clock.tick),
        )

    @asynccontextmanager
    async def opened(self, options: Options | None = None) -> AsyncIterator[Slack]:
        """A process with the bot in it. What it has to do is done when this ends."""
        options = options or self.options
        async with open_slack(options, self.receiver, self.journal) as opened:
            serving = asyncio.ensure_future(serve(opened, options))
            try:
                await until(lambda: opened.health.is_connected or serving.done())
                await opened.background.settle()
                yield opened
                await opened.background.settle()
                await self.receiver.settle()
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
def office(slack: FakeSlack) -> Office:
    return Office(slack)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # what is waited for happens on the far side
            await asyncio.sleep(0)


def said(slack: FakeSlack, channel: str = "C1") -> list[str]:
    """Everything that the bot has said there."""
    texts = []
    for message in slack.posts(channel):
        markdown = [block["text"] for block in message.get("blocks") or [] if block["type"] == "markdown"]
        texts.append("\n".join(markdown) or message["text"])
    return texts
