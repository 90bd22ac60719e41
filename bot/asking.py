"""One reply of the model, within the bounds of the turn, and with what the endpoint refuses taken out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import structlog

from bot.compaction import fit, permitted
from bot.done import Done
from bot.errors import ContextTooLong, InputRefused, LimitReached
from bot.execution import Picture
from bot.limits import Limits
from bot.messages import Writing
from bot.ports import Model, Request
from bot.progress import Show
from bot.stopping import unless_stopped
from bot.tokens import text_tokens
from bot.tools import RUN_PYTHON
from bot.transcript import DataMode, Entry, Reply, Transcript, pictures_of, tokens_of

log = structlog.get_logger()

REPLY_TOKENS = 8_000
REPLY_SHARE = 0.25
"""Of the window, so much stays free for the reply: the smaller of the two."""
LEAST_ROOM = 500
"""Tokens for the thread, however small the window: without its question a request is of no use."""
HARDER = 0.5
"""What a request that was too long is cut down to."""
CORRECTION = (0.8, 3.0)
"""Bounds of what we believe of an endpoint's counting: one that cuts silently counts too little."""


@dataclass(slots=True)
class Asking:
    model: Model
    limits: Limits
    data: DataMode
    instructions: str
    user: str
    transcript: Transcript
    refuse: Callable[[Collection[Picture]], Awaitable[None]]
    """Remembers pictures that the endpoint won't take."""
    show: Show
    stop: asyncio.Event
    done: Done

    most_tokens: int | None = field(default=None, init=False)
    """Of a request, once the endpoint found one too long."""
    correction: float = field(default=1.0, init=False)
    """What the endpoint counted last time, divided by our estimate."""
    replies: int = field(default=0, init=False)

    @property
    def replies_left(self) -> int:
        return self.limits.rounds - self.replies

    async def ask(self, *extra: Entry, after: str = "") -> Reply:
        """The model's answer to the transcript and `extra`. People see its text behind `after`.

        Raises `LimitReached`, `Stopped` and whatever `Model.reply` raises once it can't be mended.
        """
        was_too_long = False
        while True:
            request = self._request(extra)
            try:
                return await self._reply(request, after)
            except ContextTooLong:
                if was_too_long:
                    raise
                was_too_long = True
                self.most_tokens = int(tokens_of(request.entries) * HARDER)
                log.info("request.compacted", tokens=self.most_tokens)
            except InputRefused:
                if not await self._take_out(request):
                    raise

    def _request(self, extra: tuple[Entry, ...]) -> Request:
        window = self.model.context_tokens
        usable = window - min(REPLY_TOKENS, int(window * REPLY_SHARE))
        tool = f"{RUN_PYTHON.description} {RUN_PYTHON.argument_description}"
        fixed = text_tokens(self.instructions) + text_tokens(tool) + tokens_of(extra)
        room = max(LEAST_ROOM, int(usable / self.correction) - fixed)
        if self.most_tokens is not None:
            room = min(room, self.most_tokens)
        shows_pictures = self.model.sees_images and self.data == "full"
        entries = fit(
            permitted(self.transcript.rounds, self.data),
            room,
            pictures=self.limits.pictures if shows_pictures else 0,
        )
        return Request(self.instructions, [*entries, *extra], (RUN_PYTHON,), user=self.user)

    async def _reply(self, request: Request, after: str) -> Reply:
        if self.replies_left <= 0:
            raise LimitReached("rounds", sentence="limit_rounds", limit=self.limits.rounds)
        if self.done.tokens >= self.limits.turn_tokens:
            raise LimitReached("tokens", sentence="limit_tokens", limit=self.limits.turn_tokens)

        def writing(text: str) -> None:
            self.done.text = after + text
            self.show(Writing(after + text))

        started = time.monotonic()
        try:
            async with asyncio.timeout(self.limits.model_seconds - self.done.model_seconds) as deadline:
                reply = await unless_stopped(self.stop, self.model.reply(request, writing))
        except TimeoutError as error:
            if not deadline.expired():
                raise
            seconds = int(self.limits.model_seconds)
            raise LimitReached("model seconds", sentence="limit_model_seconds", limit=seconds) from error
        finally:
            self.done.model_seconds += time.monotonic() - started
        self.replies += 1
        self._count(request, reply)
        return reply

    def _count(self, request: Request, reply: Reply) -> None:
        counted = reply.usage.input_tokens + reply.usage.output_tokens
        self.done.usage += reply.usage
        self.done.tokens += counted or request.tokens + tokens_of([reply])
        if reply.usage.input_tokens:
            least, most = CORRECTION
            self.correction = min(most, max(least, reply.usage.input_tokens / request.tokens))
        log.info(
            "model.replied",
            input_tokens=reply.usage.input_tokens,
            output_tokens=reply.usage.output_tokens,
            calls=len(reply.tool_calls),
        )

    async def _take_out(self, request: Request) -> bool:
        """Something of this request was refused: its newest pictures go, or else what older replies left.

        False when nothing is left that could be at fault.
        """
        if not pictures_of(request.entries):
            return self.transcript.drop_raw()
        dropped = self.transcript.drop_newest_pictures()
        await self.refuse(dropped)
        log.info("pictures.refused", count=len(dropped))
        return True
