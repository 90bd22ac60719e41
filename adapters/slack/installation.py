"""One installation of the bot in one team: who it is there, and everything that works for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.addresses import Address
from adapters.slack.answers import Answers
from adapters.slack.asking import Asking
from adapters.slack.background import Background
from adapters.slack.catchup import CatchUp
from adapters.slack.clicks import Clicks
from adapters.slack.clock import Clock
from adapters.slack.connection import Connection
from adapters.slack.context import How
from adapters.slack.files import SLACKS_ORIGINS, Files, Uploading, origins_for
from adapters.slack.health import Health
from adapters.slack.inbound import Us
from adapters.slack.people import People
from adapters.slack.places import Place
from adapters.slack.posting import Posting
from adapters.slack.receiving import Receiving
from adapters.slack.render import Rendering
from adapters.slack.thread import SlackThread
from adapters.slack.web import Web
from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.messages import Output
from bot.reception import Journal, Receiver

log = structlog.get_logger()

API_URL = "https://slack.com/api/"
CALL_TIMEOUT = aiohttp.ClientTimeout(total=30)
LOOK_AGAIN_SECONDS = (5, 30, 120, 300)
"""After a look at what was missed broke off."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator decides for Slack."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    """With it, events come over Socket Mode."""
    signing_secret: str = field(default="", repr=False)
    """With it, events come over HTTP, to `port`."""
    port: int = 3000
    host: str = "0.0.0.0"  # noqa: S104  # Slack's requests come from outside, and are signed
    api_url: str = API_URL
    """Another one for GovSlack, and for tests."""
    how_context: How = "all"
    clock: Clock = field(default_factory=Clock)


class Slack:
    """One installation, connected."""

    def __init__(self, connection: Connection, receiver: Receiver, health: Health) -> None:
        self.connection = connection
        self.health = health
        self.background = Background()
        self.receiving = Receiving(connection, receiver)
        self.answers = Answers(connection)
        self.asking = Asking(self.receiving, self.answers)
        self.clicks = Clicks(self.receiving, self.answers)
        self.catch_up = CatchUp(self.receiving)
        self._gaps = 0
        """Connections that were opened since the last look."""

    def thread(self, address: str) -> SlackThread:
        """A thread that was opened before, maybe by another process; see `SlackThread.address`."""
        return SlackThread(self.connection, Address.of(address))

    async def announce(self, channel: str, output: Output, key: str, locale: str = "en") -> None:
        """Post into a channel, outside of any thread, once for each key. For operators.

        Raises `PlatformUnavailable`.
        """
        connection = self.connection
        place = Place(connection.us.team, channel, "")
        uploading = Uploading(connection.web, connection.http, connection.journal, place)
        posting = Posting(connection.web, connection.journal, place, connection.us, uploading, locale)
        await posting.post(Rendering(locale=locale).render(output).parts, key, ())

    def on_connected(self) -> None:
        """There was a gap. Of several at once, one look closes all."""
        self._gaps += 1
        if self._gaps == 1:
            self.background.start(self._catch_up(self.connection.web.clock.wall()), "catch up")

    async def _catch_up(self, connected_at: float) -> None:
        try:
            seen = 0
            while seen != self._gaps:
                seen = self._gaps
                await self._look_back(connected_at)
        finally:
            self._gaps = 0

    async def _look_back(self, connected_at: float) -> None:
        """Again where it breaks off: what comes in later would hide what was missed."""
        for seconds in LOOK_AGAIN_SECONDS:
            try:
                await self.catch_up.run(connected_at)
            except (PlatformUnavailable, StoreUnavailable) as error:
                log.warning("slack.not_caught_up", again_in=seconds, detail=str(error))
                await self.connection.web.clock.pause(seconds)
            else:
                return
        await self.catch_up.run(connected_at)


@asynccontextmanager
async def open_slack(options: Options, receiver: Receiver, journal: Journal) -> AsyncIterator[Slack]:
    """Knows who it is, and can post; listens to nothing yet.

    Raises `SlackRefused` when Slack does not take the token.
    """
    async with aiohttp.ClientSession(timeout=CALL_TIMEOUT, trust_env=True) as http:
        caller = Web(client_for(options.bot_token, options.api_url, http), options.clock)
        known = await caller.ask("auth.test")
        us = Us(str(known["team_id"]), str(known["user_id"]), str(known["bot_id"]), str(known["user"]))
        is_slacks_own = options.api_url == API_URL
        connection = Connection(
            web=caller,
            http=http,
            files=Files(caller, http, SLACKS_ORIGINS if is_slacks_own else origins_for(options.api_url)),
            people=People(caller),
            journal=journal,
            us=us,
            refusal=receiver.refusal,
            how_context=options.how_context,
        )
        slack = Slack(connection, receiver, Health(options.clock))
        try:
            yield slack
        finally:
            await slack.background.close()


def client_for(token: str | None, api_url: str, http: aiohttp.ClientSession) -> AsyncWebClient:
    client = AsyncWebClient(token, base_url=api_url, session=http, retry_handlers=[])
    # The SDK takes proxies from the environment and ignores NO_PROXY; the session knows both.
    client.proxy = None
    return client
