"""A running turn, shown in the thread as it goes on: each step as a card, text as it is written."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from adapters.slack import blocks, written
from adapters.slack.drafts import Draft, Drafts
from adapters.slack.errors import SlackRefused
from adapters.slack.mrkdwn import escape
from adapters.slack.steps import STOP, Steps
from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.messages import CellFinished, CellStarted, Noted, Update, Writing

log = structlog.get_logger()

Json = dict[str, Any]

STREAM_GAPS = 0.3, 0.7
"""Seconds between two appends: for steps, and for text."""
UPDATE_GAPS = 1.0, 3.0
"""The same for a message that is updated: a workspace has some fifty updates a minute for all its threads."""
KEEP_SECONDS = 30
"""How often the age of a stream is looked at."""
DELTA_CHARACTERS = 2_500
LINES = 12
TAIL_CHARACTERS = 1_500


@dataclass(slots=True)
class Progress:
    drafts: Drafts
    stop_label: str
    steps: Steps = field(default_factory=Steps)
    _text: str = ""
    _is_whole: bool = False
    """Whether the text is at its end."""
    _streamed: str = ""
    """Of the text."""
    _owed: str = ""
    """Of the text before, which was not shown to its end."""
    _shown: float = -math.inf
    """When something was shown last."""
    _later: "asyncio.Future[None] | None" = None
    """Shows what came too soon after something else."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_plain: bool = False
    """Streaming was refused once in this turn."""
    _is_over: bool = False

    async def show(self, update: Update) -> None:
        """Cosmetic: never fails, may be left out."""
        match update:
            case Writing(text):
                if not text.startswith(self._text):
                    self._begin_text()
                self._text = text
            case CellStarted() | CellFinished() | Noted():
                self.steps.add(update)
        self._is_whole = not isinstance(update, Writing)
        seconds = self._shown + self._gap() - self._now()
        if seconds <= 0:
            await self._show()
        elif self._later is None:
            self._later = asyncio.ensure_future(self._show_later(seconds))

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """While the block runs, a stream is ended in time, also when there is nothing to show for long."""
        keeping = asyncio.ensure_future(self._keep())
        try:
            yield
        finally:
            async with self._lock:  # else a message that is just being made would be nobody's
                keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            # A draft that nothing replaced must not look as if it went on.
            with suppress(PlatformUnavailable):
                await self.end()

    async def end(self) -> list[Draft]:
        """Nothing more is shown; the messages in which it was, oldest first."""
        self._is_over = True
        async with self._lock:
            if self._later:
                self._later.cancel()
                await asyncio.gather(self._later, return_exceptions=True)
            return await self.drafts.end()

    def _gap(self) -> float:
        """Seconds that have to lie between what was shown last and what is to be shown now."""
        if self._is_streaming and not (self._is_whole or self._streamed):
            # The first words of a text: people wait for them.
            return 0.0
        gaps = STREAM_GAPS if self._is_streaming else UPDATE_GAPS
        return gaps[0] if self._is_whole else gaps[1]

    @property
    def _is_streaming(self) -> bool:
        return not (self._is_plain or self.drafts.web.lacks_stream(self.drafts.to.channel))

    def _begin_text(self) -> None:
        """Another one begins; of the one before, the end may still have to be shown."""
        self._owed += self._delta(written.showable(self._text, is_whole=True))
        self._text = self._streamed = ""

    async def _keep(self) -> None:
        while True:
            await self.drafts.web.clock.tick(KEEP_SECONDS)
            async with self._lock:
                await self.drafts.end_old(KEEP_SECONDS)

    async def _show_later(self, seconds: float) -> None:
        await self.drafts.web.clock.tick(seconds)
        self._later = None
        await self._show()

    async def _show(self) -> None:
        async with self._lock:
            if self._is_over:
                return
            with suppress(PlatformUnavailable, StoreUnavailable):
                await self._show_text(written.showable(self._text, is_whole=self._is_whole))

    async def _show_text(self, text: str) -> None:
        if self._is_streaming:
            try:
                await self._stream(text)
            except SlackRefused as error:
                if error.code == "stopped_by_user" or error.closes_place:
                    self._is_over = True
                    return
                log.info("slack.stream_refused", code=error.code)
                self._is_plain = True
            else:
                return
        await self._update(text)

    async def _stream(self, current: str) -> None:
        news, delta = self.steps.take_news(), self._delta(current)
        # What was written before stands above it.
        begins_anew = delta and not self._streamed and (self._owed or self.drafts.has_text)
        text = self._owed + (f"\n\n{delta}" if begins_anew else delta)
        chunks = [*([written.chunk(text)] if text else []), *(step.card for step in news)]
        if not chunks:
            return
        try:
            await self.drafts.stream(chunks, [step.card for step in self.steps.running])
        except PlatformUnavailable:
            self.steps.put_back(news)
            raise
        self._owed = ""
        self._streamed += delta
        self._shown = self._now()

    def _delta(self, text: str) -> str:
        """What was not shown yet; nothing where what was shown has turned out otherwise."""
        if not text.startswith(self._streamed):
            return ""
        return text[len(self._streamed) :][:DELTA_CHARACTERS]

    async def _update(self, text: str) -> None:
        self.steps.take_news()
        lines = [step.line for step in self.steps.all[-LINES:]]
        left_out = len(self.steps.all) - len(lines)
        parts = [f"… +{left_out}" if left_out > 0 else "", *lines, escape(text[-TAIL_CHARACTERS:])]
        told = "\n".join(part for part in parts if part)[-blocks.SECTION_CHARACTERS + 100 :]
        if not told:
            return
        self._shown, self._streamed = self._now(), text
        # Slack shows a Stop of its own only where it knows agents.
        stop = blocks.button(self.stop_label, STOP, self.drafts.to.turn, style="danger")
        await self.drafts.update({"text": told, "blocks": [blocks.section(told), blocks.actions([stop])]})

    def _now(self) -> float:
        return self.drafts.web.clock.now()
