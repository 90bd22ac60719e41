"""Waits for what people will see."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 60

T = TypeVar("T")


async def until(found: Callable[[], T], seconds: float = SECONDS) -> T:
    """What `found` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {seconds} s")
        await asyncio.sleep(0.02)
    return value
