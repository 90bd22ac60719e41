"""Is Discord set up as the bot needs it? Token, intents, who may add it, what it may do in a channel."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import discord

from adapters.discord.application import SECONDS, application, asking
from adapters.discord.errors import NO_ACCESS, UNKNOWN_CHANNEL, DiscordRefused, discord_errors
from adapters.discord.permissions import in_channel, missing
from adapters.discord.seam import Options
from bot.checks import Check
from bot.errors import PlatformUnavailable

NAME = "discord"
PORTAL = "https://discord.com/developers/applications"
SEES_CONTENT = 1 << 18 | 1 << 19
"""Of an application with the message-content intent, verified or not yet:
https://discord.com/developers/docs/resources/application#application-object-application-flags."""


async def checks(
    token: str, options: Options, channel: int | None = None, proxy: str | None = None
) -> AsyncIterator[Check]:
    """Asks Discord, without connecting to its gateway. `channel` is one in which the bot should work."""
    try:
        async with asking(token, proxy) as client:
            known = await application(client)
            yield of_token(client.user.name if client.user else "")
            yield of_intents(int(known.get("flags") or 0), options)
            yield of_publicity(is_public=bool(known.get("bot_public")))
            if channel is not None:
                yield await of_channel(client, channel)
    except DiscordRefused as error:
        yield bad_token() if error.status == HTTPStatus.UNAUTHORIZED else not_reached(error)
    except PlatformUnavailable as error:
        yield not_reached(error)


def bad_token() -> Check:
    mend = f"set DISCORD_TOKEN to the one under Bot → Reset Token at {PORTAL}"
    return Check(NAME, False, "Discord refuses the token.", mend)


def not_reached(error: BaseException) -> Check:
    detail = f"Discord cannot be reached: {type(error.__cause__ or error).__name__}."
    return Check(NAME, False, detail, "check the network, and DISCORD_API_URL if it is set")


def of_token(name: str) -> Check:
    return Check(NAME, True, f"The token is that of {name}. `plotline discord invite` adds it to a server.")


def of_intents(flags: int, options: Options) -> Check:
    if not options.reads_all_messages:
        detail = "It reads mentions, answers to it and commands; follow-ups in threads need a mention."
        return Check(NAME, True, detail)
    if flags & SEES_CONTENT:
        return Check(NAME, True, "It may read all messages, and answers follow-ups in its threads.")
    mend = f"switch on Bot → Message Content Intent at {PORTAL}, or switch it off here"
    return Check(NAME, False, "It is set to read all messages, but the application may not.", mend)


def of_publicity(*, is_public: bool) -> Check:
    """A warning: it works all the same."""
    if not is_public:
        return Check(NAME, True, "Only its owner can add it to servers.")
    detail = "Anybody can add it to servers; it leaves those that are not listed."
    return Check(NAME, True, detail, f"switch off Bot → Public Bot at {PORTAL}")


async def of_channel(client: discord.Client, channel: int) -> Check:
    """What it may do in one channel, or in the channel of a thread."""
    try:
        async with asyncio.timeout(SECONDS):
            with discord_errors():
                bits, name = await _permissions(client, channel)
    except DiscordRefused as error:
        if error.code not in {UNKNOWN_CHANNEL, NO_ACCESS}:
            return not_reached(error)
        mend = 'give the bot "View Channels" there, or add it to that server'
        return Check(NAME, False, f"It cannot see the channel {channel}.", mend)
    except (PlatformUnavailable, TimeoutError) as error:
        return not_reached(error)
    lacking = missing(bits)
    if lacking:
        named = ", ".join(f'"{each}"' for each in lacking)
        return Check(NAME, False, f"In #{name} it lacks {named}.", f"give the bot {named} in #{name}")
    return Check(NAME, True, f"In #{name} it may do all that it needs.")


async def _permissions(client: discord.Client, channel: int) -> tuple[int, str]:
    found: Any = await client.http.get_channel(channel)
    if "thread_metadata" in found:
        found = await client.http.get_channel(found["parent_id"])
    guild, me = found["guild_id"], client.user
    member: Any = await client.http.get_member(guild, me.id if me else 0)
    roles: Any = await client.http.get_roles(guild)
    return in_channel(roles, member, found["permission_overwrites"], guild), found["name"]
