"""How long an endpoint may be silent, and when it is asked again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from bot.models.complaints import Silent, WorthRetrying

log = structlog.get_logger()

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 8.0
"""Between attempts, unless the endpoint says how long."""
LAST_WORDS_SECONDS = 2.0
"""For what comes behind a whole reply, such as what it cost."""


@dataclass(frozen=True, slots=True)
class Patience:
    attempts: int = 5
    silent_attempts: int = 2
    """Where the endpoint took the request and then said nothing."""
    first_seconds: float = 600
    """Until a reply begins: a model on a CPU reads a long prompt for minutes."""
    silence_seconds: float = 300
    """Between two pieces of a reply: some servers hold back a tool call until it is whole."""
    list_seconds: float = 5
    """For the list of models, without which we mostly can do."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def keep_asking(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, once it doesn't raise `WorthRetrying`; the last of these errors is raised."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(WorthRetrying),
            wait=_wait_seconds,
            stop=self._is_enough,
            sleep=self.sleep,
            before_sleep=_log_retry,
            reraise=True,
        )

        async def asked() -> T:  # the library takes a lambda for a function that does not wait
            return await ask()

        return await retrying(asked)

    async def begin(self, request: Awaitable[T]) -> T:
        """What it gives. Raises `TimeoutError` when the endpoint is too long in beginning to answer."""
        async with asyncio.timeout(self.first_seconds):
            return await request

    async def each(self, stream: AsyncIterator[T], is_whole: Callable[[], bool]) -> AsyncIterator[T]:
        """The pieces of a reply. Raises `TimeoutError` when one is too long in coming.

        Once the reply is whole, what still comes is read only to leave the connection fit for the next request.
        """
        seconds = self.first_seconds
        while True:
            try:
                async with asyncio.timeout(seconds):
                    piece = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if is_whole():
                    return
                raise
            yield piece
            seconds = LAST_WORDS_SECONDS if is_whole() else self.silence_seconds

    def _is_enough(self, state: RetryCallState) -> bool:
        attempts = self.silent_attempts if isinstance(_error(state), Silent) else self.attempts
        return state.attempt_number >= attempts


def _wait_seconds(state: RetryCallState) -> float:
    error = _error(state)
    if isinstance(error, WorthRetrying) and error.wait_seconds is not None:
        return error.wait_seconds
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (state.attempt_number - 1))


def _log_retry(state: RetryCallState) -> None:
    log.info("model.asked_again", attempt=state.attempt_number, seconds=_wait_seconds(state))


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
