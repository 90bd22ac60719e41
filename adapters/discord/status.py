"""The one message that shows what goes on: edited as seldom as Discord likes it, and never in the way of an answer."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.discord import links, render
from adapters.discord.clock import Clock
from adapters.split import split
from bot.errors import PlatformUnavailable
from bot.messages import CellFinished, CellStarted, Noted, Update, Writing
from bot.sentences import say

BETWEEN_EDITS = 1.5
"""Seconds. Discord allows about five edits in as many seconds, and discord.py waits silently for more."""
SHOWN = 1500
"""Characters of a text that is still being written: its end."""
PREVIEW = 80
FAILURES = 3
"""In a row, after which the status is left as it is."""


class Status:
    """`write` brings a text to the thread; it may raise `PlatformUnavailable`."""

    def __init__(self, clock: Clock, locale: str, write: Callable[[str], Awaitable[None]]) -> None:
        self._clock = clock
        self._locale = locale
        self._write = write
        self._since = clock.now()
        self._doing = ""
        self._text = ""
        self._shown = ""
        self._failures = 0
        self._news = asyncio.Event()

    def show(self, update: Update) -> None:
        match update:
            case Writing(text):
                self._text = text
            case Noted(text):
                self._doing = text
            case CellStarted(_, code):
                self._doing = say(self._locale, "discord_running", code=preview(code))
                self._text = ""
            case CellFinished():
                self._doing = ""
        self._news.set()

    async def keep_current(self) -> None:
        """Until cancelled: what is newest is shown, at once after a pause."""
        while self._failures < FAILURES:
            await self._news.wait()
            await self.flush()
            await self._clock.sleep(BETWEEN_EDITS)

    async def flush(self) -> None:
        self._news.clear()
        text = self.content()
        if text == self._shown:
            return
        try:
            await self._write(text)
        except PlatformUnavailable:
            self._failures += 1
        else:
            self._shown = text
            self._failures = 0

    def content(self) -> str:
        since = f"<t:{int(self._since.timestamp())}:R>"
        lines = [f"-# {say(self._locale, 'discord_working', since=since)}", self._doing, self._end_of_text()]
        return "\n".join(line for line in lines if line)

    def _end_of_text(self) -> str:
        # No link is alive before the answer is whole.
        pieces = split(links.checked(self._text, ()), SHOWN, render.units)
        return pieces[-1] if pieces else ""


def preview(code: str) -> str:
    """The first line that does something."""
    lines = [line.strip() for line in code.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("#", "import ", "from ", "%"))]
    first = (telling or [line for line in lines if line] or [""])[0].replace("`", "'")
    return first if len(first) <= PREVIEW else f"{first[: PREVIEW - 1]}…"
