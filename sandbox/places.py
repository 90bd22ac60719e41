"""How many boxes there may be, and who is next when there are no more."""

import asyncio
from collections.abc import Awaitable, Callable

NEW_BYTES = 120 * 1024 * 1024
"""Counted for a box that has not said what it uses: 83 to 115 MB were measured of new ones."""


class Places:
    """A place is taken for a box before it is made, then filled with it, and left when it goes."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._taken = 0
        """For boxes that are being made."""
        self._filled: dict[str, int] = {}
        """Bytes by container."""
        self._queue: list[asyncio.Event] = []

    @property
    def is_free(self) -> bool:
        count = self._taken + len(self._filled)
        used = self._taken * NEW_BYTES + sum(self._filled.values())
        # One box always fits: a machine that small would otherwise do nothing at all.
        return count == 0 or (count < self._most and used + NEW_BYTES <= self._most_bytes)

    def take_if_free(self) -> bool:
        if self._queue or not self.is_free:
            return False
        self._taken += 1
        return True

    async def take(
        self, make_room: Callable[[], Awaitable[bool]], waiting: Callable[[int], None] | None
    ) -> None:
        """Waits for a place, first come, first served. `make_room` tries to free one; `waiting` hears who is before."""
        turn = asyncio.Event()
        self._queue.append(turn)
        try:
            while not (self._queue[0] is turn and (self.is_free or (await make_room() and self.is_free))):
                if waiting:
                    waiting(self._queue.index(turn))
                await turn.wait()
                turn.clear()
            self._taken += 1
        finally:
            self._queue.remove(turn)
            self.news()

    def give_up(self) -> None:
        """The box that it was taken for was not made."""
        self._taken -= 1
        self.news()

    def fill(self, container: str) -> None:
        self._taken -= 1
        self._filled[container] = NEW_BYTES

    def note(self, container: str, used_bytes: int | None) -> None:
        """What a box uses, as it says; a box that was here before us gets its place so."""
        self._filled[container] = used_bytes or self._filled.get(container, NEW_BYTES)

    def leave(self, container: str) -> None:
        if self._filled.pop(container, None) is not None:
            self.news()

    def news(self) -> None:
        """Somebody who waits may find a place now."""
        for turn in self._queue:
            turn.set()
