"""What people sent to the bot in a thread of which it keeps nothing any more."""

from dataclasses import replace

import discord

from adapters.discord import inbound
from adapters.discord.address import Address
from adapters.discord.errors import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, DiscordRefused, discord_errors
from adapters.discord.surroundings import Surroundings
from adapters.discord.visiting import Spot, visit_of_message
from bot.errors import PlatformUnavailable
from bot.messages import Above, Message
from bot.sentences import say
from bot.visits import Wish

MESSAGES = 200
"""Looked through, the newest: two requests."""


async def sent_before(address: Address, around: Surroundings) -> Above:
    """The files in a conversation that is the thread's alone, before what is answered; of those who may ask now."""
    if address.thread != inbound.in_thread(address.guild, address.channel):
        return Above()
    try:
        said = await _said_before(address, around.client)
    except PlatformUnavailable:
        return Above(is_whole=False, said=say(address.locale, "discord_files_unread"))
    found = [(each, files) for each in said if (files := _files_of(each, address, around.client))]
    by_author = {each.author.id: each for each, _ in found}
    may_ask = {author for author, each in by_author.items() if await _may_ask(each, address, around)}
    messages = tuple(files for each, files in found if each.author.id in may_ask)
    number = sum(len(each.attachments) for each in messages)
    is_whole = len(messages) == len(found) and len(said) < MESSAGES
    return Above(messages, is_whole, say(address.locale, "files_above", files=number) if number else "")


def _files_of(said: discord.Message, address: Address, client: discord.Client) -> Message | None:
    if client.user is None or not inbound.is_human(said):
        return None
    author = inbound.author(said.author, address.locale)
    whole = inbound.message(said, inbound.Me(client.user.id), author, quoting=False)
    return replace(whole, text="") if whole.attachments else None


async def _may_ask(said: discord.Message, address: Address, around: Surroundings) -> bool:
    """Discord tells no roles with what was said before: where those decide, only the asker's files are taken."""
    if said.author.id == address.asker:
        return True
    spot = Spot(address.channel, address.guild, address.parent, may_have_threads=False)
    return await around.refusal(visit_of_message(said, spot, Wish.ASK)) is None


async def _said_before(address: Address, client: discord.Client) -> list[discord.Message]:
    """The oldest first. The message that a thread hangs on stands in the channel."""
    place = client.get_partial_messageable(address.channel)
    before = discord.Object(address.asked) if address.asked else None
    with discord_errors():
        found = [each async for each in place.history(limit=MESSAGES, before=before)]
    first = await _first(address, client)
    return [*([first] if first else ()), *reversed(found)]


async def _first(address: Address, client: discord.Client) -> discord.Message | None:
    if address.parent is None:
        return None
    try:
        with discord_errors():
            return await client.get_partial_messageable(address.parent).fetch_message(address.channel)
    except DiscordRefused as error:
        if error.code in {UNKNOWN_MESSAGE, UNKNOWN_CHANNEL}:
            # It hangs on none, as a forum's post, or that one was deleted.
            return None
        raise
