"""A file that somebody sent, from Discord's file server to disk."""

from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from adapters.discord.address import Address
from adapters.discord.errors import discord_errors
from adapters.discord.surroundings import Surroundings
from adapters.download import NotServed, download
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.messages import Attachment

EXPIRED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


async def fetch(
    attachment: Attachment, to: Path, limit_bytes: int, address: Address, around: Surroundings
) -> None:
    """As `Thread.fetch`. Addresses of files live for a day; the message that has the file knows a new one.

    Files of commands and forms hang on no message: for them nothing in Discord's API knows a new one.
    """
    try:
        await download(around.http, attachment.url, to, limit_bytes)
    except NotServed as error:
        if error.status not in EXPIRED:
            raise
        if address.asked is None:
            raise AttachmentRefused(
                "its address is not valid any more", sentence="discord_file_expired"
            ) from error
        fresh = await _fresh_url(attachment.url, address, around)
        if fresh is None:
            raise
        await download(around.http, fresh, to, limit_bytes)


async def _fresh_url(url: str, address: Address, around: Surroundings) -> str | None:
    if address.asked_in is None:
        return None
    for message in (address.asked, address.quoted):
        if message is None:
            continue
        try:
            with discord_errors():
                held = await around.client.http.get_message(address.asked_in, message)
        except PlatformUnavailable:
            continue
        for each in held["attachments"]:
            if urlsplit(each["url"]).path == urlsplit(url).path:
                return each["url"]
    return None
