"""What was said while the bot could not hear: after a restart, or a connection that Discord did not resume."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import discord

from adapters.discord.errors import discord_errors
from bot.errors import PlatformUnavailable

LONGEST = timedelta(hours=24)
"""What is older is not answered any more."""
OVERLAP = timedelta(seconds=60)
"""Before a connection, since clocks differ."""
CHANNELS = 25
"""Of a guild, those with the newest messages."""
MESSAGES = 50
"""Of a channel."""


def since(known: Sequence[int], connected_at: datetime) -> int:
    """The newest message that is known from before the gap: what has been heard since says nothing of it."""
    before = [each for each in known if discord.utils.snowflake_time(each) < connected_at - OVERLAP]
    return max(before) if before else min(known)


async def missed(guild: discord.Guild, last_seen: int, now: datetime) -> AsyncIterator[discord.Message]:
    """Everything since, bounded, oldest first within a channel; what of it is for the bot is for others to say."""
    oldest = max(last_seen, discord.utils.time_snowflake(now - LONGEST))
    places: list[discord.TextChannel | discord.Thread] = [*guild.text_channels, *guild.threads]
    fresh = [each for each in places if (each.last_message_id or 0) > oldest and _can_read(each, guild)]
    fresh.sort(key=lambda each: each.last_message_id or 0, reverse=True)
    for place in fresh[:CHANNELS]:
        try:
            with discord_errors():
                after = discord.Object(oldest)
                found = [each async for each in place.history(limit=MESSAGES, after=after, oldest_first=True)]
        except PlatformUnavailable:
            continue
        for message in found:
            yield message


def _can_read(place: discord.TextChannel | discord.Thread, guild: discord.Guild) -> bool:
    may = place.permissions_for(guild.me)
    return may.view_channel and may.read_message_history
