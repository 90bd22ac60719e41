"""Asking Discord what is still there."""

from collections.abc import Collection
from contextlib import suppress
from enum import Enum, auto

import discord

from adapters.discord.errors import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, DiscordRefused, discord_errors
from bot.errors import PlatformUnavailable

PAGE = 100
"""Messages; https://discord.com/developers/docs/resources/message#get-channel-messages."""

Channel = (
    discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread | discord.DMChannel
)
"""Where people write to the bot."""


class Gone(Enum):
    GONE = auto()


async def find(client: discord.Client, id: int) -> Channel | Gone | None:  # noqa: A002  # as Discord calls it
    """None where it is of no kind that is looked at. Raises `PlatformUnavailable`."""
    try:
        with discord_errors():
            found = await client.fetch_channel(id)
    except DiscordRefused as error:
        if error.code == UNKNOWN_CHANNEL:
            return Gone.GONE
        raise
    return found if isinstance(found, Channel) else None


def can_read(channel: Channel) -> bool:
    """What was said there before."""
    if isinstance(channel, discord.DMChannel):
        return True
    if isinstance(channel, discord.Thread) and channel.parent is None:
        # Not even that is shown to the bot.
        return False
    may = channel.permissions_for(channel.guild.me)
    return may.view_channel and may.read_message_history


async def look_up(channel: Channel, wanted: Collection[int]) -> dict[int, discord.Message | None]:
    """Those messages, None for each that is gone. What Discord does not say is left out.

    It takes no more requests than twice their number, and mostly one.
    """
    found: dict[int, discord.Message | None] = {}
    left = sorted(wanted)
    with suppress(PlatformUnavailable):
        while left:
            with discord_errors():
                before = discord.Object(left[-1] + 1)
                page = {each.id: each async for each in channel.history(limit=PAGE, before=before)}
            oldest = min(page) if len(page) == PAGE else 0
            while left and left[-1] >= oldest:
                id_ = left.pop()
                found[id_] = page.get(id_) or await _single(channel, id_)
    return found


async def _single(channel: Channel, id_: int) -> discord.Message | None:
    """A list may leave out what was not to be seen: only this tells that it is gone."""
    try:
        with discord_errors():
            return await channel.fetch_message(id_)
    except DiscordRefused as error:
        if error.code == UNKNOWN_MESSAGE:
            return None
        raise
