"""What Discord's refusals mean: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
import discord

from bot.errors import PlatformUnavailable

UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_MESSAGE: Final = 10008
UNKNOWN_WEBHOOK: Final = 10015
UNKNOWN_INTERACTION: Final = 10062
SLOW_MODE: Final = 20016
TOO_LARGE: Final = 40005
TOO_OLD_TO_EDIT: Final = 30046
NO_ACCESS: Final = 50001
NO_DIRECT_MESSAGES: Final = 50007
NO_PERMISSION: Final = 50013
TOKEN_EXPIRED: Final = 50027
ARCHIVED: Final = 50083
THREAD_EXISTS: Final = 160004
LOCKED: Final = 160005
TOO_MANY_THREADS: Final = 160006

TOKEN_DEAD = frozenset({UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, TOKEN_EXPIRED})
OF_THE_PLACE = frozenset(
    {UNKNOWN_CHANNEL, SLOW_MODE, NO_ACCESS, NO_DIRECT_MESSAGES, NO_PERMISSION, ARCHIVED, LOCKED, *TOKEN_DEAD}
)
"""Refusals that another form of the same message would meet too."""

_SENTENCES = {
    UNKNOWN_CHANNEL: "discord_thread_gone",
    SLOW_MODE: "discord_slow_mode",
    NO_ACCESS: "discord_no_access",
    NO_PERMISSION: "discord_no_permission",
    LOCKED: "discord_thread_locked",
}


class DiscordRefused(PlatformUnavailable):
    """Discord answered with a refusal. `code` is its own number for the reason, `status` that of HTTP."""

    def __init__(self, detail: str, code: int, status: int, **facts: str) -> None:
        super().__init__(detail, sentence=_SENTENCES.get(code), **facts)
        self.code = code
        self.status = status

    @property
    def is_about_the_content(self) -> bool:
        """Another form of the same message may be taken."""
        wrong = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
        return self.status in wrong and self.code not in OF_THE_PLACE


class TooLate(PlatformUnavailable):
    """Nothing leads to whoever asked any more, and nothing ever will."""


@contextmanager
def discord_errors() -> Generator[None]:
    try:
        yield
    except discord.HTTPException as error:
        raise DiscordRefused(f"{error.status}: {error.text}", error.code, error.status) from error
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise PlatformUnavailable(f"{type(error).__name__}: {error}") from error
