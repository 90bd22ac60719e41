"""Bounds for a job, which hold whatever a library does inside."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY_BYTES = 600_000_000
"""On top of what the process has. Libraries take some of it; what else runs in the box needs the rest."""


class OutOfTime(BaseException):
    """Not an `Exception`: parsers catch those and go on."""


@contextmanager
def limited_seconds(seconds: float) -> Iterator[None]:
    """Raises `OutOfTime` in the middle of the work; late, where a library does not come back to Python."""
    before = signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _end(*_: object) -> None:
    raise OutOfTime


@contextmanager
def limited_memory(more_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """Raises MemoryError for what takes more than this on top of now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = [now + more_bytes, *(each for each in (soft, hard) if each != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
