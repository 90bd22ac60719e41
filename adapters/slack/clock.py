"""Time, as far as this adapter waits for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    now: Callable[[], float] = time.monotonic
    """Seconds, from anywhen."""
    wall: Callable[[], float] = time.time
    """Seconds since the epoch, as Slack's timestamps count."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Until something is worth another try."""
    tick: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Until something that is done again and again is due."""
