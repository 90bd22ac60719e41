"""The fake as tests use it: one port for everything, and people who talk to the bot."""

from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.discord.clock import FakeClock
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.people import People
from tests.fakes.discord.rest import API, Rest
from tests.fakes.discord.rules import Payload
from tests.fakes.discord.world import World

TOKEN = "fake.bot.token"


class FakeDiscord:
    """One guild with a text channel, the bot and a member to begin with."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.token = TOKEN
        self.world = World(self.clock)
        self.bot = self.world.user("Plotline", bot=True)
        self.gateway = Gateway(self.world, self.bot, TOKEN)
        self.rest = Rest(self.world, self.gateway, self.bot, TOKEN)
        self.people = People(self.world, self.gateway, self.rest, self.bot)
        self.guild = self.world.guild("Lab")
        self.world.join(self.guild, self.bot)
        self.general = self.world.channel(self.guild, "general")
        self.anna = self.member("Anna")

    def member(self, name: str) -> Payload:
        user = self.world.user(name)
        self.world.join(self.guild, user)
        return user

    @property
    def api_url(self) -> str:
        return f"{self.world.base_url}{API}"

    async def __aenter__(self) -> Self:
        app = self.rest.app()
        app.router.add_get("/gateway/", self.gateway.serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{port}"
        self.gateway.url = f"ws://127.0.0.1:{port}/gateway/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.gateway.close()
        await self._runner.cleanup()

    def in_channel(self, channel: Payload) -> list[Payload]:
        """What the bot has there now, oldest first."""
        return [
            each
            for each in self.world.messages.values()
            if each["channel_id"] == channel["id"] and each["author"]["id"] == self.bot["id"]
        ]

    def calls(self, method: str, path: str = "") -> list[Any]:
        return [each for each in self.rest.calls if each.method == method and path in each.path]
