"""What was said, edited and deleted while the bot could not hear: after a restart, or a connection that Discord did not
resume."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import discord
import structlog

from adapters.discord import inbound, opening
from adapters.discord.address import Address
from adapters.discord.clock import Clock
from adapters.discord.errors import discord_errors
from adapters.discord.handing import Core
from adapters.discord.inbound import PLATFORM
from adapters.discord.listening import Listening
from adapters.discord.looking_up import Channel, Gone, can_read, find, look_up
from bot.errors import PlatformUnavailable
from bot.messages import Message

log = structlog.get_logger()

LONGEST = timedelta(hours=24)
"""What is older is not answered any more."""
OVERLAP = timedelta(seconds=60)
"""Before a connection, since clocks differ."""
CHANNELS = 25
"""Of a guild, those with the newest messages."""
OTHERS = 25
"""Channels with questions, that Discord does not tell of by itself: those with the newest."""
MESSAGES = 50
"""Of a channel."""


@dataclass(frozen=True, slots=True)
class Question:
    """One that is held."""

    message: Message
    address: Address

    @property
    def messages(self) -> set[int]:
        """What it consists of, in Discord: nothing where a command asked."""
        return {each for each in (self.address.asked, self.address.quoted) if each}

    @property
    def revision(self) -> str:
        return self.message.id.partition("@")[2]


@dataclass(frozen=True, slots=True)
class CatchUp:
    core: Core
    listening: Listening
    clock: Clock

    async def in_guild(self, guild: discord.Guild, connected_at: datetime) -> None:
        told_of: list[Channel] = [*guild.text_channels, *guild.threads]
        told_of += [*guild.voice_channels, *guild.stage_channels]
        await self._run(str(guild.id), {each.id: each for each in told_of}, connected_at)

    async def in_direct_messages(self, connected_at: datetime) -> None:
        """Those that the bot had before: Discord lists no others."""
        await self._run("", {}, connected_at)

    async def _run(self, team: str, channels: dict[int, Channel], connected_at: datetime) -> None:
        """`channels` are those that Discord has told of."""
        receiver = self.core.receiver
        known = [inbound.number(message_id) for _, message_id in await receiver.recent(PLATFORM, team)]
        if not known:
            # Nothing came in ever: there is no gap.
            return
        longest_ago = discord.utils.time_snowflake(self.clock.now() - LONGEST)
        oldest = max(since(known, connected_at), longest_ago)
        held = [
            Question(each.message, Address.from_json(each.address))
            for each in await receiver.asked(PLATFORM, team)
        ]
        await self._find_others(channels, held, team)
        for channel in channels.values():
            await self._compare(channel, held, discord.utils.snowflake_time(oldest))
        async for said in missed(channels.values(), oldest, self.listening.me.user):
            # What was edited meanwhile, or since, was compared.
            if said.edited_at is None or not await receiver.has_heard(inbound.source(said.id)):
                await self.listening.hear(said)

    async def _find_others(self, channels: dict[int, Channel], held: Sequence[Question], team: str) -> None:
        """Archived threads and direct messages, which Discord does not tell of. What is gone is forgotten."""
        wanted = [id_ for question in held for id_ in await self._channels_of(question)]
        for id_ in [each for each in dict.fromkeys(wanted) if each not in channels][:OTHERS]:
            with suppress(PlatformUnavailable):
                found = await find(self.core.client, id_)
                if found is Gone.GONE:
                    await self.core.receiver.on_thread_deleted(inbound.in_thread(int(team or 0), id_))
                    await self.core.receiver.on_channel_deleted(PLATFORM, team, str(id_))
                elif found:
                    channels[id_] = found

    async def _channels_of(self, question: Question) -> set[int]:
        """Where it was asked, and where what follows it is said."""
        address = question.address
        asked = {address.asked_in} if address.asked_in else set()
        if address.opens:
            opened = await opening.recall(address.thread, self.core.journal)
            return asked | ({opened.channel} if opened else set())
        return asked | {address.channel}

    async def _compare(self, channel: Channel, held: Sequence[Question], since: datetime) -> None:
        """What is held with what is there, and hand over what was edited or deleted, as if it was told just now."""
        here = [question for question in held if question.address.asked_in == channel.id]
        wanted = {id_ for question in here for id_ in question.messages}
        if not (wanted and can_read(channel)):
            return
        guild = channel.guild.id if channel.guild else None
        for id_, said in (await look_up(channel, wanted)).items():
            if said is None:
                log.info("discord.deleted_meanwhile", message=id_)
                in_thread = isinstance(channel, discord.Thread)
                await self.listening.hear_deletion(guild, channel.id, id_, in_thread=in_thread)
            elif said.edited_at and said.edited_at > since:
                asked = [question for question in here if question.address.asked == id_]
                if asked and not any(self._is_known(said, each) for each in asked):
                    log.info("discord.edited_meanwhile", message=id_)
                    await self.listening.hear_edit(said)

    def _is_known(self, said: discord.Message, question: Question) -> bool:
        revision = inbound.message_id(said).partition("@")[2]
        return question.revision == revision or inbound.says_the_same(
            said, question.message, self.listening.me
        )


def since(known: Sequence[int], connected_at: datetime) -> int:
    """The newest message that is known from before the gap: what has been heard since says nothing of it."""
    before = [each for each in known if discord.utils.snowflake_time(each) < connected_at - OVERLAP]
    return max(before) if before else min(known)


async def missed(channels: Iterable[Channel], oldest: int, me: int) -> AsyncIterator[discord.Message]:
    """Everything since, bounded, oldest first within a channel; what of it is for the bot is for others to say.

    Without what it has replied to: of those whom it refused nothing else is kept.
    """
    fresh = [each for each in channels if _newest(each) > oldest and can_read(each)]
    fresh.sort(key=_newest, reverse=True)
    for channel in fresh[:CHANNELS]:
        try:
            with discord_errors():
                after = discord.Object(oldest)
                found = [
                    each async for each in channel.history(limit=MESSAGES, after=after, oldest_first=True)
                ]
        except PlatformUnavailable:
            continue
        own = [each.reference for each in found if each.author.id == me and each.reference]
        answered = {each.message_id for each in own}
        for message in found:
            if message.id not in answered:
                yield message


def _newest(channel: Channel) -> float:
    """The message; of direct messages discord.py does not tell it."""
    return inf if isinstance(channel, discord.DMChannel) else channel.last_message_id or 0
