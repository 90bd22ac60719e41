"""Where an answer can go now: into a thread that is opened for it, the response to a command, or a channel."""

from contextlib import suppress

from adapters.discord import render
from adapters.discord.address import Address
from adapters.discord.draft import Draft
from adapters.discord.errors import TooLate
from adapters.discord.opening import Opened, opened
from adapters.discord.places import Channel, Place, Response
from adapters.discord.render import Piece
from adapters.discord.surroundings import Surroundings
from bot.errors import PlatformUnavailable
from bot.sentences import say

QUESTION = render.CONTENT // 2
"""Characters of a command's question that are shown."""


class Whereabouts:
    def __init__(self, address: Address, around: Surroundings) -> None:
        self.address = address
        self.token_is_dead = False
        """Discord has said so."""
        self._around = around
        self._opened: Opened | None = None

    async def open(self) -> Opened:
        """The thread, opened if it was not. Raises `PlatformUnavailable`."""
        if self._opened is None:
            if self.address.opens and self.address.token:
                await self._show_question()
            self._opened = await opened(self._around.client, self.address, self._around.journal)
        return self._opened

    @property
    def notice(self) -> str:
        """Which sentence tells why there is no thread; empty where there is one, or none was wanted."""
        return self._opened.notice if self._opened else ""

    @property
    def original(self) -> int | None:
        """The response that becomes the answer, where the answer does not come as messages of the channel."""
        in_thread = self.address.opens and not self.notice
        return None if in_thread or not self.address.token else self.address.original

    @property
    def has_only_token(self) -> bool:
        """Nothing else leads to the asker."""
        return bool(self.original) and (self.address.private or not self.address.reachable)

    async def place(self) -> Place:
        """Raises `TooLate` where nothing leads to the asker any more, `PlatformUnavailable`."""
        address, client = self.address, self._around.client
        if self.original:
            if address.token_lives(self._around.clock.now()) and not self.token_is_dead:
                return Response(client, address)
            if self.has_only_token:
                raise TooLate("the token is dead", sentence="discord_private_expired")
        channel = (await self.open()).channel
        return Channel(client, channel, address.asked if channel == address.asked_in else None)

    def channel(self, id: int) -> Channel:  # noqa: A002  # as Discord calls it
        return Channel(self._around.client, id)

    async def _show_question(self) -> None:
        """What a command asked is not seen in the channel: the thread hangs on a message that says it."""
        address = self.address
        question = address.asks if len(address.asks) <= QUESTION else f"{address.asks[:QUESTION]}…"
        quoted = question.replace("\n", "\n> ")
        said = say(address.locale, "discord_asks", name=address.asker_name, question=quoted)
        with suppress(PlatformUnavailable):
            await Response(self._around.client, address).edit(
                address.original or 0, Draft(Piece(said), is_rich=False)
            )
