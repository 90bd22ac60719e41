"""Waiting for a state that something over the loopback brings about."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 20


async def until(found: Callable[[], T]) -> T:
    """What `found` gives once it is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {PATIENCE_SECONDS} s")
        await asyncio.sleep(0.005)


async def quiet(seconds: float = 0.05) -> None:
    """Long enough for what should not happen."""
    await asyncio.sleep(seconds)
