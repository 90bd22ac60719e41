"""How long a turn is still a worker's, by a clock that nobody can set."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.errors import Fenced

LEASE_SECONDS = 4.0
RENEW_SECONDS = 1.0
MARGIN_SECONDS = 0.5
"""Before a lease ends elsewhere, it has ended here."""

# The monotonic clock of Linux stands still while a machine is suspended; the leases that others see do not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    return time.clock_gettime(_CLOCK)


@dataclass(slots=True)
class Lease:
    turn: str
    renew: Callable[[], Awaitable[bool]]
    """Asks the store whether the turn is still ours, and if so makes the lease begin anew."""
    seconds: float = LEASE_SECONDS
    _since: float = field(default_factory=now)

    def renewed(self, asked_at: float) -> None:
        """`asked_at`: when it was asked for, by `now`; it counts from then."""
        self._since = max(self._since, asked_at)

    async def check(self) -> None:
        """Asks the store only where the lease has run out: where it did not answer for a while, say.

        Raises `Fenced`, `StoreUnavailable`.
        """
        while self._has_run_out:
            asked_at = now()
            if not await self.renew():
                raise Fenced(f"the lease on {self.turn} has run out, and somebody else has it")
            self.renewed(asked_at)

    @property
    def _has_run_out(self) -> bool:
        return now() - self._since > self.seconds - MARGIN_SECONDS
