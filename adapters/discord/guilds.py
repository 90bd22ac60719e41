"""Guilds that the bot is in: those in the policy hear who it is, the others that it leaves."""

from contextlib import suppress

import discord
import structlog

from adapters.discord.desk import introduction
from adapters.discord.errors import discord_errors
from adapters.discord.handing import Core
from bot.errors import PlatformUnavailable
from bot.sentences import say

log = structlog.get_logger()


async def leave_unless_served(guild: discord.Guild, core: Core) -> bool:
    """Whether it may stay."""
    if await core.receiver.serves("discord", str(guild.id)):
        return True
    locale = str(guild.preferred_locale)
    contact = core.options.contact or say(locale, "operator")
    await _say(guild, say(locale, "discord_not_served", contact=contact))
    log.warning("discord.left", guild=guild.id)
    with suppress(PlatformUnavailable), discord_errors():
        await guild.leave()
    return False


async def introduce(guild: discord.Guild, core: Core) -> None:
    """Once: what it can do, which host receives what, how long it is kept, who runs it."""
    key = f"discord:introduced:{guild.id}"
    if await core.journal.recall(key):
        return
    await core.journal.note(key, "yes")
    await _say(guild, await introduction(core, str(guild.preferred_locale)))


async def _say(guild: discord.Guild, text: str) -> None:
    """Where people look first, or wherever it may speak."""
    for channel in (guild.system_channel, *guild.text_channels):
        if channel and channel.permissions_for(guild.me).send_messages:
            with suppress(PlatformUnavailable), discord_errors():
                await channel.send(text, suppress_embeds=True)
                return
