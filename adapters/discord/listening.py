"""Messages in channels: for the bot or not, new, edited or deleted."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from weakref import WeakValueDictionary

import discord
import structlog

from adapters import taken_along
from adapters.discord import inbound, ran
from adapters.discord.errors import discord_errors
from adapters.discord.handing import Core
from adapters.discord.inbound import Me
from adapters.discord.patience import Patience
from adapters.discord.places import Channel
from adapters.discord.posted import Outputs
from adapters.discord.visiting import Spot, address_of_message, spot_of_message, visit_of_message
from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.messages import Message
from bot.sentences import explain, say
from bot.visits import Visit, Wish

log = structlog.get_logger()


class Listening:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._in_order: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def hear(self, said: discord.Message) -> None:
        """Raises `StoreUnavailable`."""
        async with self._turn_of(said):
            await self._take_in(said)

    async def hear_patiently(self, said: discord.Message, patience: Patience) -> None:
        """Discord tells of a message once. Whoever is not answered, since the store does not answer, reads so."""
        async with self._turn_of(said):
            try:
                await patience.keep_trying(lambda: self._take_in(said))
            except StoreUnavailable as error:
                log.warning("discord.not_taken_in", message=said.id, detail=str(error))
                await self._apologize(said, error)

    async def hear_edit(self, said: discord.Message) -> None:
        if said.edited_at is None or not inbound.is_human(said):
            return  # links that were unfurled, and our own messages
        if earlier := await ran.recall(self._core.journal, said.id):
            await self._run_again(said, earlier)
            return
        spot = spot_of_message(said)
        if await self._is_for_bot(said, spot):
            visit, message = self._taken_in(said, spot)
            address = replace(address_of_message(said, spot, message), edited=True)
            await self._core.edit(message, (), visit, address)

    async def hear_deletion(
        self, guild: int | None, channel: int, message: int, *, in_thread: bool | None = None
    ) -> None:
        """`in_thread` where it is known whether it was said in one: else the cache is looked at."""
        if earlier := await ran.recall(self._core.journal, message):
            source = inbound.source_of(earlier.address.turn)
            for at, output in await Outputs(self._core.journal, source).recall():
                with suppress(PlatformUnavailable):
                    await Channel(self._core.client, at).delete(output)
            await self._core.receiver.on_delete(source, earlier.address.thread)
        for turn, thread in await taken_along.recall(self._core.journal, inbound.source(message)):
            await self._core.receiver.on_delete(turn, thread)
        if in_thread is None:
            in_thread = isinstance(self._core.client.get_channel(channel), discord.Thread)
        is_one_conversation = in_thread or guild is None
        thread = inbound.in_thread(guild, channel if is_one_conversation else message)
        await self._core.receiver.on_delete(inbound.source(message), thread)

    def _turn_of(self, said: discord.Message) -> asyncio.Lock:
        # discord.py starts a task for each event: what was said first in a channel is handed over first.
        return self._in_order.setdefault(said.channel.id, asyncio.Lock())

    async def _take_in(self, said: discord.Message) -> None:
        await self._find_channel(said)
        spot = spot_of_message(said)
        if await self._is_for_bot(said, spot):
            await self._hand_over(said, spot)

    async def _apologize(self, said: discord.Message, error: StoreUnavailable) -> None:
        """Where it is certain that the bot was spoken to: which threads it holds, the store would know."""
        if inbound.is_for_bot(said, self.me, in_held_thread=self._is_own_thread(said)):
            locale = visit_of_message(said, spot_of_message(said), Wish.ASK).author.locale
            await _reply(said, explain(locale, error, contact=self._core.options.contact))

    async def _find_channel(self, said: discord.Message) -> None:
        """A thread that was archived when the bot connected is not in its cache."""
        is_unknown = isinstance(said.channel, discord.PartialMessageable) and said.guild is not None
        if is_unknown and (self._core.options.reads_all_messages or inbound.mentions(said, self.me)):
            with suppress(PlatformUnavailable), discord_errors():
                found = await self._core.client.fetch_channel(said.channel.id)
                if isinstance(found, discord.abc.Messageable):
                    said.channel = found

    async def _is_for_bot(self, said: discord.Message, spot: Spot) -> bool:
        if not inbound.is_human(said):
            return False
        in_held_thread = False
        if isinstance(said.channel, discord.Thread) and self._core.options.reads_all_messages:
            thread = inbound.in_thread(spot.guild, spot.id)
            in_held_thread = self._is_own_thread(said) or await self._core.receiver.holds(thread)
        return inbound.is_for_bot(said, self.me, in_held_thread=in_held_thread)

    def _is_own_thread(self, said: discord.Message) -> bool:
        return isinstance(said.channel, discord.Thread) and said.channel.owner_id == self.me.user

    async def _hand_over(self, said: discord.Message, spot: Spot) -> None:
        visit, message = self._taken_in(said, spot)
        if spot.guild is None and not self._core.options.direct_messages:
            refusal: str | None = say(visit.author.locale, "discord_no_dms")
        else:
            refusal = await self._core.receiver.refusal(visit)
        if refusal is None:
            await self._core.ask(message, visit, address_of_message(said, spot, message))
        else:
            await _reply(said, refusal)

    async def _run_again(self, said: discord.Message, earlier: ran.Ran) -> None:
        codes = inbound.code_blocks(said.content)
        if not (earlier.is_own and codes and said.edited_at):
            return
        address = earlier.again(int(said.edited_at.timestamp() * 1000))
        message = inbound.message(said, self.me, earlier.visit.author, quoting=False)
        if await self._core.receiver.refusal(earlier.visit) is None:
            await self._core.edit(replace(message, id=address.turn), codes, earlier.visit, address)

    def _taken_in(self, said: discord.Message, spot: Spot) -> tuple[Visit, Message]:
        visit = visit_of_message(said, spot, Wish.ASK)
        return visit, inbound.message(said, self.me, visit.author)

    @property
    def me(self) -> Me:
        user = self._core.client.user
        mine = (guild.self_role for guild in self._core.client.guilds)
        return Me(user.id if user else 0, frozenset(role.id for role in mine if role))


async def _reply(said: discord.Message, text: str) -> None:
    with suppress(PlatformUnavailable), discord_errors():
        await said.reply(text, mention_author=False, suppress_embeds=True)
