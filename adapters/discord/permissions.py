"""What the bot needs to be allowed, and what it is. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import discord

NEEDED: Mapping[str, str] = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
"""Discord's flag → what its settings call it."""
REASONS: Mapping[str, tuple[str, str]] = {
    "view_channel": ("sees the channel in which it is asked", "nothing works there"),
    "send_messages": (
        "answers in the channel where there can be no thread, and introduces itself",
        "it answers in threads only",
    ),
    "create_public_threads": (
        "opens a thread for each question in a channel",
        "it answers in the channel, and says what it lacks",
    ),
    "send_messages_in_threads": ("answers in threads", "it answers in the channel, and in no thread"),
    "attach_files": ("shares charts and files", "answers come as text, and say what it lacks"),
    "read_message_history": (
        "refers to the question where it answers in a channel, reads files that were sent more than a day ago, catches "
        "up on what was said while it was away",
        "answers in channels may not arrive, and what was said while it was away stays unanswered",
    ),
}
"""Discord's flag → what the bot does with it, and what is lost without it."""

NEEDED_BITS = discord.Permissions(**dict.fromkeys(NEEDED, True)).value


def invite_link(application: int) -> str:
    """Adds the bot to a guild with exactly what it needs."""
    return discord.utils.oauth_url(
        application,
        permissions=discord.Permissions(NEEDED_BITS),
        scopes=("bot", "applications.commands"),
    )


def permissions_table() -> str:
    """Markdown, for docs/discord.md."""
    rows = [f"| {name} | {REASONS[flag][0]} | {REASONS[flag][1]} |" for flag, name in NEEDED.items()]
    return "\n".join(["| Permission | With it, it | Without it |", "|---|---|---|", *rows])


def missing(bits: int) -> tuple[str, ...]:
    """As Discord's settings call them."""
    allowed = discord.Permissions(bits)
    return tuple(name for flag, name in NEEDED.items() if not getattr(allowed, flag))


def in_channel(
    roles: Iterable[Mapping[str, Any]],
    member: Mapping[str, Any],
    overwrites: Collection[Mapping[str, Any]],
    guild: str,
) -> int:
    """A member's permissions there, from what Discord says of guild, member and channel:
    https://discord.com/developers/docs/topics/permissions#permission-overwrites."""
    held = {guild, *member["roles"]}
    bits = 0
    for role in roles:
        if role["id"] in held:
            bits |= int(role["permissions"])
    if discord.Permissions(bits).administrator:
        return discord.Permissions.all().value
    for group in ({guild}, held - {guild}, {member["user"]["id"]}):
        deny = allow = 0
        for overwrite in overwrites:
            if overwrite["id"] in group:
                deny |= int(overwrite["deny"])
                allow |= int(overwrite["allow"])
        bits = bits & ~deny | allow
    return bits
