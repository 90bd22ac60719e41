"""An answer that found no place: a sentence for somebody who can act, on whatever way is still open."""

from collections.abc import AsyncIterator
from datetime import datetime

import discord

from adapters.discord.address import Address
from adapters.discord.delivery import nonce
from adapters.discord.draft import Draft
from adapters.discord.errors import discord_errors
from adapters.discord.permissions import NEEDED, missing
from adapters.discord.places import Channel, Place, Response
from adapters.discord.render import Piece
from adapters.discord.surroundings import Surroundings
from bot.errors import PlatformUnavailable
from bot.sentences import explain


async def complain(around: Surroundings, address: Address, error: PlatformUnavailable) -> None:
    """Tries the asker's own command, the channel around the thread, and a direct message; each sentence once for a
    turn, however often its answer is tried. Discord's refusals are passed over."""
    if error.sentence == error.default_sentence:
        return  # Discord itself is in trouble: the core tries again
    client, now = around.client, around.clock.now()
    facts = {"place": f"<#{address.channel}>", "permissions": lacking(client, address), "until": ""}
    if timed_out := _timed_out(client, address, now):
        error.sentence, facts["until"] = "discord_timed_out", timed_out
    key = f"discord:complained:{address.turn}:{error.sentence}"
    if await around.journal.recall(key):
        return
    # An answer is tried for a day, and Discord knows a nonce for minutes only.
    await around.journal.note(key, "yes")
    draft = Draft(Piece(explain(address.locale, error, contact="", **facts)), is_rich=False)
    async for place in _ways(client, address, now):
        try:
            await place.send(draft, nonce(f"{address.turn}:{error.sentence}"))
        except PlatformUnavailable:
            continue
        return


def lacking(client: discord.Client, address: Address) -> str:
    """Names of the permissions that the bot has not got there; of all that it needs where that is not known."""
    may = _permissions(client, address)
    names = missing(may.value) if may else ()
    return ", ".join(f'"{name}"' for name in names or NEEDED.values())


def _permissions(client: discord.Client, address: Address) -> discord.Permissions | None:
    guild = client.get_guild(address.guild) if address.guild else None
    channel = guild.get_channel_or_thread(address.channel) if guild else None
    if guild and channel and guild.me:
        return channel.permissions_for(guild.me)
    return None if address.permissions is None else discord.Permissions(address.permissions)


def _timed_out(client: discord.Client, address: Address, now: datetime) -> str:
    """Until when, as Discord shows it to each reader in their own time; empty where the bot is not."""
    guild = client.get_guild(address.guild) if address.guild else None
    until = guild.me.timed_out_until if guild and guild.me else None
    return f"<t:{int(until.timestamp())}:f>" if until and until > now else ""


async def _ways(client: discord.Client, address: Address, now: datetime) -> AsyncIterator[Place]:
    if address.token_lives(now):
        yield Response(client, address)
    around = address.parent or (address.channel if address.opens else None)
    if around and not address.private:
        yield Channel(client, around)
    try:
        with discord_errors():
            direct = await client.http.start_private_message(address.asker)
    except PlatformUnavailable:
        return
    yield Channel(client, int(direct["id"]))
