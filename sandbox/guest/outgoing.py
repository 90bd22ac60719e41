"""Bytes on their way out of a descriptor, without ever waiting for whoever reads them."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

FULL_BYTES = 1024 * 1024
"""So much may wait before no more should be made."""
PIECES = 64
"""Most of those that wait that are given away at once."""


class Outgoing:
    def __init__(self, descriptor: int) -> None:
        """It becomes non-blocking."""
        self.descriptor = descriptor
        self._waiting: deque[memoryview] = deque()
        self._bytes = 0
        self._is_held = False
        os.set_blocking(descriptor, False)

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        return self._bytes > FULL_BYTES

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is sent within goes out at its end: whoever reads is woken once."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self.flush()

    def send(self, data: bytes) -> None:
        self._waiting.append(memoryview(data))
        self._bytes += len(data)
        if not self._is_held:
            self.flush()

    def flush(self) -> None:
        """As much as is taken now; nothing any more once nobody can read it."""
        while self._waiting:
            some = list(islice(self._waiting, PIECES))
            try:
                written = os.writev(self.descriptor, some)
            except BlockingIOError:
                return
            except OSError:
                written = sum(map(len, some))
            self._bytes -= written
            self._drop(written)

    def _drop(self, written: int) -> None:
        while self._waiting and written >= len(self._waiting[0]):
            written -= len(self._waiting.popleft())
        if written:
            self._waiting[0] = self._waiting[0][written:]
