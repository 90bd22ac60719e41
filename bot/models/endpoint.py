"""The Model port over one model at one endpoint: what it can't do is found out while asking, and remembered."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog
from openai import AsyncOpenAI

from bot.errors import ContextTooLong, InputRefused, ModelError, ModelMisconfigured
from bot.models import chat, responses
from bot.models.complaints import Rejected, Unspoken
from bot.models.errors import openai_errors
from bot.models.known import MOST_TOKENS
from bot.models.memory import Format, Learned, Memory
from bot.models.patience import Patience
from bot.models.wire import Call, WireFormat
from bot.ports import Request
from bot.transcript import Reply, pictures_of

log = structlog.get_logger()

FORMATS: dict[Format, WireFormat] = {"responses": responses, "chat": chat}

NEVER_ON_SUSPICION = {
    "raw",
    "store",
    chat.THOUGHTS_LEFT_OUT,
    "max_output_tokens",
    "max_completion_tokens",
    "max_tokens",
}
"""Left out only where the endpoint names them: they are about privacy, cost and the quality of answers."""
NEVER_REMEMBERED = frozenset({"raw"})
"""One thread's old replies may be at fault, not the endpoint."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator decided; None leaves it to what is found out."""

    formats: Sequence[Format]
    """Those that may be tried, the likeliest first."""
    context_tokens: int | None
    images: bool | None
    effort: str | None


@dataclass(slots=True)
class Endpoint:
    client: AsyncOpenAI
    name: str
    choices: Choices
    guessed: Learned
    """What holds until it has been found out."""
    memory: Memory
    patience: Patience

    learned: Learned = field(init=False)
    refuses_images: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.learned = self.memory.load()

    @property
    def context_tokens(self) -> int:
        found = self.learned.window_tokens or self.guessed.window_tokens
        return self.choices.context_tokens or min(MOST_TOKENS, found or MOST_TOKENS)

    @property
    def sees_images(self) -> bool:
        if self.refuses_images:
            return False
        for known in (self.choices.images, self.learned.images, self.guessed.images):
            if known is not None:
                return known
        return False

    @property
    def format(self) -> Format | None:
        """The wire format in which a reply has come; None before the first."""
        return self.learned.format

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        shown = ""

        def show(text: str) -> None:
            nonlocal shown
            if text != shown:
                shown = text
                on_text(text)

        async def ask() -> Reply:
            show("")  # what a stream that broke has left
            return await self._ask_mending(request, show)

        return await self.patience.keep_asking(ask)

    async def learn(self, *, images: bool | None = None, window_tokens: int | None = None) -> None:
        """Remember what has been found out about the model; None changes nothing."""
        known = self.learned
        await self._remember(
            replace(
                known,
                images=known.images if images is None else images,
                window_tokens=window_tokens or known.window_tokens,
            )
        )

    async def forget_refusals(self) -> None:
        """Send whole requests again: an endpoint may have learned as well."""
        await self._remember(replace(self.learned, refused=frozenset()))

    async def close(self) -> None:
        await self.client.close()

    async def _ask_mending(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        """The reply, asked for in the format that the endpoint speaks, without the parts that it refuses."""
        formats = self._formats()
        refused = self._known_refused
        rejection: ModelError | None = None
        while True:
            call = Call(self.client, self.name, request, self.choices.effort, refused, on_text, self.patience)
            try:
                reply = await self._ask(formats[0], call)
            except Unspoken as error:
                if len(formats) == 1:
                    raise rejection or error from error
                formats, refused = formats[1:], self._known_refused
            except Rejected as error:
                at_fault = _at_fault(error, FORMATS[formats[0]], call)
                log.info("request.rejected", left_out=sorted(at_fault), format=formats[0])
                if at_fault:
                    refused |= at_fault
                    continue
                rejection = rejection or _without_parts(error, request)
                if len(formats) == 1 or self.learned.format is not None:
                    raise rejection from error
                formats, refused = formats[1:], self._known_refused
            else:
                await self._remember_what_worked(formats[0], refused, reply)
                return reply

    @property
    def _known_refused(self) -> frozenset[str]:
        return self.learned.refused | self.guessed.refused

    def _formats(self) -> Sequence[Format]:
        """The one that is known to work first."""
        return sorted(self.choices.formats, key=lambda each: each != self.learned.format)

    async def _ask(self, format_: Format, call: Call) -> Reply:
        try:
            with openai_errors(self.client.api_key, with_pictures=call.with_pictures):
                return await FORMATS[format_].ask(call)
        except InputRefused as error:
            if error.facts.get("reason") == "images":
                self.refuses_images = True
                await self.learn(images=False)
            raise
        except ContextTooLong as error:
            await self.learn(window_tokens=int(error.facts["window_tokens"]) or None)
            raise

    async def _remember_what_worked(self, format_: Format, refused: frozenset[str], reply: Reply) -> None:
        refused -= NEVER_REMEMBERED | self.guessed.refused
        if not reply.tool_calls and "streamed_tools" not in self.learned.refused:
            # Without streaming there is no call either: it was not the stream that lost it.
            refused -= {"streamed_tools"}
        await self._remember(replace(self.learned, format=format_, refused=refused))

    async def _remember(self, learned: Learned) -> None:
        if learned != self.learned:
            self.learned = learned
            await asyncio.to_thread(self.memory.save, learned)


def _at_fault(error: Rejected, format_: WireFormat, call: Call) -> frozenset[str]:
    """The optional part that the endpoint names; where it names none, all of them are under suspicion."""
    patterns = {
        call.effort_part if part == "effort" else part: pattern
        for part, pattern in format_.OPTIONAL.items()
        if part != "effort" or call.effort
    }
    said = f"'{error.param}' {error.message}"
    for part, pattern in patterns.items():
        is_named = part == error.param or re.search(pattern, said, re.IGNORECASE | re.DOTALL)
        if call.has(part) and is_named:
            return frozenset({part})
    return frozenset(patterns) - call.left_out - NEVER_ON_SUSPICION


def _without_parts(error: Rejected, request: Request) -> ModelError:
    """What a request that is refused in its plainest form means."""
    has_raw = any(isinstance(entry, Reply) and entry.raw for entry in request.entries)
    if has_raw or pictures_of(request.entries):
        return InputRefused(str(error))
    return ModelMisconfigured(str(error), reason="request")
