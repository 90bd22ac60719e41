"""From a message and its address to the core, with a thread that can be opened again."""

from collections.abc import Callable
from dataclasses import dataclass

import discord

from adapters import named_hosts, taken_along
from adapters.discord import inbound
from adapters.discord.address import Address
from adapters.discord.seam import HoldingReceiver, Options
from adapters.discord.thread import DiscordThread
from bot.messages import Message
from bot.reception import Journal
from bot.visits import Visit


@dataclass(frozen=True, slots=True)
class Core:
    """What all handlers work with."""

    client: discord.Client
    receiver: HoldingReceiver
    journal: Journal
    options: Options
    open: Callable[[Address], DiscordThread]

    async def ask(self, message: Message, visit: Visit, address: Address) -> None:
        await self._remember(message, address)
        await self.receiver.on_message(message, visit, self.open(address))

    async def run(self, message: Message, codes: tuple[str, ...], visit: Visit, address: Address) -> None:
        await self.receiver.on_run(message, codes, visit, self.open(address))

    async def edit(self, message: Message, codes: tuple[str, ...], visit: Visit, address: Address) -> None:
        await self._remember(message, address)
        await self.receiver.on_edit(message, codes, visit, self.open(address))

    async def _remember(self, message: Message, address: Address) -> None:
        await named_hosts.remember(self.journal, address.thread, inbound.hosts(message.text))
        turn = inbound.source_of(message.id)
        for each in (address.asked, address.quoted):
            if each is not None and inbound.source(each) != turn:
                await taken_along.remember(self.journal, inbound.source(each), (turn, address.thread))
