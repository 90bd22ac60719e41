"""Waiting for a store that does not answer, with what Discord tells once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from adapters.discord.clock import Clock
from bot.errors import StoreUnavailable

log = structlog.get_logger()

LONGEST = timedelta(minutes=5)
"""After something was heard, it is still tried to hand it over."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """With one thing that was heard: time that it waits for its turn behind others counts."""

    clock: Clock
    since: datetime

    async def keep_trying(self, work: Callable[[], Awaitable[object]]) -> None:
        """Until the store answers; `work` may be begun several times. Raises the last `StoreUnavailable`."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            stop=self._is_enough,
            sleep=self.clock.sleep,
            before_sleep=_log_wait,
            reraise=True,
        )

        async def worked() -> None:  # the library takes a lambda for a function that does not wait
            await work()

        await retrying(worked)

    def _is_enough(self, _: RetryCallState) -> bool:
        return self.clock.now() - self.since >= LONGEST


def _log_wait(state: RetryCallState) -> None:
    log.warning("discord.store_waited_for", attempt=state.attempt_number)
