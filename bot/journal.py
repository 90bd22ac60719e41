"""What one turn has done: a step that was recorded is not done again, whoever goes on with the turn.

The turn's code runs from its beginning each time; each of its effects is a step, known by its name. So the same names
must come in the same order whenever the same results come back: nothing but steps decides what a turn does next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bot.errors import StoreUnavailable
from bot.messages import ThreadId
from bot.store.fence import Hold
from bot.store.steps import Also, Recording, Steps
from bot.store.transcripts import Transcripts
from bot.store.turns import MERGED_BEFORE, Turns
from bot.transcript import Round

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a result is written down and read again. Both may move files to or from the store."""

    dump: Callable[[T], Awaitable[Any]]
    load: Callable[[Any], Awaitable[T]]


async def _same(value: Any) -> Any:
    return value


PLAIN: Codec[Any] = Codec(_same, _same)
"""For results that are JSON already."""


async def nobody_else() -> None:
    """Where nobody takes over."""


@dataclass(slots=True)
class Journal:
    """Of one turn, in the hands of one worker."""

    hold: Hold
    thread: ThreadId
    steps: Steps
    turns: Turns
    transcripts: Transcripts
    recorded: dict[str, Any]
    check: Callable[[], Awaitable[None]] = nobody_else
    """Raises `Fenced` when the turn is somebody else's by now."""
    wait: Callable[[StoreUnavailable], Awaitable[None]] | None = None
    """Waits for a store that does not answer: what was done is then recorded later. None where nobody waits."""
    has_begun: bool = False
    """Somebody has worked on the turn before."""
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _parts: int = 0
    _unrecorded: list[Recording] = field(default_factory=list[Recording])
    _along: list[Also] = field(default_factory=list[Also])
    """Both go into the store with the next step that has to be there."""

    async def step(
        self,
        name: str,
        effect: Callable[[], Awaitable[T]],
        codec: Codec[T] = PLAIN,
        also: Callable[[T], Also] | None = None,
        *,
        may_be_repeated: bool = False,
    ) -> T:
        """The recorded result of the step, or that of `effect`, which is recorded; `also` writes along with it.

        Where the effect `may_be_repeated`, as one that only looks, it is recorded together with the next step, or by
        `write`.

        Raises `Fenced`, and whatever `effect` raises: then nothing is recorded.
        """
        if name in self.recorded:
            return await codec.load(self.recorded[name])
        await self.check()
        result = await effect()
        written = await codec.dump(result)
        self._unrecorded.append(Recording(name, written, also(result) if also else None))
        if not may_be_repeated:
            await self.write()
        self.recorded[name] = written
        return result

    async def write(self) -> None:
        """All that was done so far is in the store after this. Raises `Fenced`, `StoreUnavailable`."""
        if self._unrecorded or self._along:
            await self.write_with(self._written)

    async def write_with(self, write: Callable[[Also], Awaitable[None]]) -> None:
        """The same, in one transaction with something else: `write` is given what writes the journal's part."""
        recordings, along = tuple(self._unrecorded), tuple(self._along)
        await write(self.steps.writing(self.hold, recordings, along))
        del self._unrecorded[: len(recordings)], self._along[: len(along)]

    async def _written(self, write: Also) -> None:
        is_first = True
        while True:
            try:
                if not is_first:
                    await self.check()
                return await self.steps.write(write)
            except StoreUnavailable as error:
                if self.wait is None:
                    raise
                await self.wait(error)
                is_first = False

    async def next(
        self,
        kind: str,
        effect: Callable[[str], Awaitable[T]],
        codec: Codec[T] = PLAIN,
        also: Callable[[T], Also] | None = None,
        *,
        may_be_repeated: bool = False,
    ) -> T:
        """The next step of a kind: `effect` gets its name, `cell:1`, `cell:2`. One that failed does not count."""
        name = self.name_of_next(kind)
        result = await self.step(name, lambda: effect(name), codec, also, may_be_repeated=may_be_repeated)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return result

    def name_of_next(self, kind: str) -> str:
        return f"{kind}:{self._counts.get(kind, 0) + 1}"

    async def meanwhile(self) -> list[dict[str, Any]]:
        """Messages that people have sent since; this turn answers them too. Raises `Fenced`."""
        reply = self.name_of_next("reply")
        name = f"{MERGED_BEFORE}{reply}"
        if name in self.recorded or reply in self.recorded:
            return list(self.recorded.get(name, ()))
        await self.check()
        found = await self.turns.merge_waiting(self.hold, self.thread, name)
        if found:
            self.recorded[name] = found
        return found

    async def add(self, entries: Round) -> None:
        """The turn's next round of the transcript: it is there with the next step."""
        adding = await self.transcripts.appending(self.thread, self.hold, self._parts + 1, entries)
        self._parts += 1
        self.write_along(adding)

    def write_along(self, also: Also) -> None:
        """With the turn's next step, or with its end."""
        self._along.append(also)

    async def end(self, outcome: str) -> bool:
        """Whether the turn was still ours to end."""
        return await self.turns.end(self.hold, outcome, self._unwritten)

    async def park(self) -> bool:
        """The same, until people have decided something."""
        return await self.turns.park(self.hold, self._unwritten)

    async def put_off(self, seconds: float) -> bool:
        """The same, until later."""
        return await self.turns.give_back(self.hold, self._unwritten, after_seconds=seconds)

    @property
    def _unwritten(self) -> Also | None:
        if not (self._unrecorded or self._along):
            return None
        return self.steps.writing(self.hold, self._unrecorded, self._along)
