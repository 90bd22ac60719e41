"""Work in a process of its own, for libraries that may die of a damaged file."""

import os
import select
import signal
from collections.abc import Callable

ANSWER_BYTES = 60_000
"""Less than a pipe holds, so that the other side never waits."""


def aside(work: Callable[[], bytes], seconds: float) -> bytes:
    """What `work` returns in a process of its own; nothing if it dies or takes longer."""
    if seconds <= 0:
        return b""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # Libraries print what they think of the file.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            os.write(writing, work()[:ANSWER_BYTES])
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], seconds)
    answer = os.read(reading, ANSWER_BYTES) if ready else b""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    return answer
