"""The thread that an answer gets: named from the question, opened once, with a way out where that cannot be."""

import json
from dataclasses import dataclass
from typing import Final

import discord

from adapters.discord.address import Address
from adapters.discord.errors import (
    NO_ACCESS,
    NO_PERMISSION,
    THREAD_EXISTS,
    TOO_MANY_THREADS,
    DiscordRefused,
    discord_errors,
)
from bot.messages import ThreadId
from bot.reception import Journal

ARCHIVE_MINUTES: Final = 1440
"""Of silence, after which Discord hides the thread from the list."""
WAYS_OUT = {
    NO_PERMISSION: "discord_no_thread",
    NO_ACCESS: "discord_no_thread",
    TOO_MANY_THREADS: "discord_threads_full",
}


@dataclass(frozen=True, slots=True)
class Opened:
    channel: int
    """The thread, or the channel itself."""
    notice: str = ""
    """Which sentence tells why it is the channel."""


async def opened(client: discord.Client, address: Address, journal: Journal) -> Opened:
    """Where the answer goes. Raises `PlatformUnavailable`."""
    if not (address.opens and address.root):
        return Opened(address.channel)
    if earlier := await recall(address.thread, journal):
        return earlier
    made = await _open(client, address, address.root)
    await journal.note(_key(address.thread), json.dumps({"channel": made.channel, "notice": made.notice}))
    return made


async def recall(thread: ThreadId, journal: Journal) -> Opened | None:
    """Where it was opened; None where it was not yet."""
    noted = await journal.recall(_key(thread))
    return Opened(**json.loads(noted)) if noted else None


def _key(thread: ThreadId) -> str:
    return f"discord:opened:{thread}"


async def _open(client: discord.Client, address: Address, root: int) -> Opened:
    try:
        with discord_errors():
            await client.http.start_thread_with_message(
                address.channel, root, name=address.opens, auto_archive_duration=ARCHIVE_MINUTES
            )
    except DiscordRefused as error:
        if error.code in WAYS_OUT:
            return Opened(address.channel, WAYS_OUT[error.code])
        if error.code != THREAD_EXISTS:
            raise
    return Opened(root)  # a thread that hangs on a message has the message's id
