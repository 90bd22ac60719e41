"""One container that we are attached to: cells run in it, files go in and out.

Every method raises `SandboxLost` once it is gone, does not keep to the protocol, or does not answer.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from bot.errors import SandboxLost
from sandbox.channel import Channel
from sandbox.collected import Collected
from sandbox.egress.allow import AllowList
from sandbox.egress.relay import Relay
from sandbox.frames import (
    Answer,
    Attached,
    Busy,
    Died,
    Done,
    FileData,
    FileEnd,
    FileError,
    Files,
    FileStart,
    JobDone,
    Net,
    OfCell,
    PutDone,
    Ready,
    Renamed,
    Unknown,
)
from sandbox.wire import CHUNK_BYTES, WireError

A = TypeVar("A", bound=Answer)

READY_SECONDS = 60
"""From being attached to having a kernel."""
ANSWER_SECONDS = 60
"""For each answer about a file."""
LATE_SECONDS = 30
"""After a cell's deadline the box has three seconds to stop it; a box that has not said so by then is of no use."""
JOB_LATE_SECONDS = 10
PIECES_READ = 8
"""At once of a file that is sent: going to a thread costs more than reading one."""


class Forgotten(Exception):
    """The cell was started here before, and how it ended is not remembered any more."""


class FileProblem(Exception):
    """A file could not go where it was asked to go; `kind` as in `sandbox.wire`."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind} {detail}".strip())
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Cell:
    id: str
    code: str
    seconds: float
    """After so many it is stopped."""
    on_text: Callable[[str], None] | None = None
    """Hears what it writes while it runs."""
    kind: Literal["save", "load"] | None = None
    """Not code, but the variables: see `sandbox.guest.variables`."""


class Box:
    def __init__(self, container: str, channel: Channel, attached: Attached) -> None:
        self.container = container
        self.boot = attached.boot
        self.kernel = attached.kernel
        """The number of the kernel that is up; None before the first one is."""
        self.relay: Relay | None = None
        """Where the code's connections go, if it may have any."""
        self.memory_bytes: int | None = None
        """What it used when its last cell ended, as far as it can see."""
        self._channel = channel
        self._last_id = 0

    @property
    def has_ended(self) -> bool:
        return self._channel.has_ended

    async def until_ready(self) -> None:
        """Waits for the first kernel."""
        async with self._in_time(READY_SECONDS, "its kernel does not start"):
            while self.kernel is None:
                self._note(await self._channel.receive())

    async def run(self, cell: Cell, collected: Collected) -> Done:
        """Run a cell, or hear once more of one that was run here before. All it puts out is in `collected`.

        One that is still running there is stopped: whoever waited for it has died. Raises `Forgotten`.
        """
        is_in_the_way, lost = False, None
        await self._ask_for(cell)
        async with self._in_time(cell.seconds + LATE_SECONDS, "it does not say how the cell ended"):
            while True:
                said = await self._channel.receive()
                self._note(said)
                if is_in_the_way and isinstance(said, Done):
                    is_in_the_way, lost = False, said.lost
                    await self._ask_for(cell)
                    continue
                if not isinstance(said, OfCell) or said.cell != cell.id:
                    continue
                if isinstance(said, Unknown):
                    raise Forgotten
                if isinstance(said, Busy):
                    is_in_the_way = True
                    await self.interrupt()
                    continue
                self._collect(said, collected, cell.on_text)
                if isinstance(said, Done):
                    self.kernel, self.memory_bytes = said.kernel, said.memory
                    return said if lost is None else said.model_copy(update={"lost": said.lost or lost})

    async def _ask_for(self, cell: Cell) -> None:
        code = cell.code.encode("utf-8", "replace")
        await self._channel.send("exec", code, cell=cell.id, seconds=cell.seconds, kind=cell.kind)

    async def interrupt(self) -> None:
        await self._channel.send("interrupt")

    async def connect(self, allowed: AllowList, contact: str) -> None:
        """From now on its code may reach these hosts and no others."""
        if self.relay is None:
            self.relay = Relay(self._channel.send, allowed, contact)
        elif self.relay.allowed != allowed:
            # First: what is begun while the others end is not let through either.
            self.relay.allowed = allowed
            await self.relay.close()

    async def ping(self) -> None:
        """Lets it know that somebody is there. Nobody waits for the answer.

        Raises `SandboxLost` where it has ended.
        """
        if self.has_ended:
            raise self._channel.lost("its connection has ended")
        await self._channel.send("ping", id=0)

    async def put(
        self, name: str, source: Path, modified: float | None = None, *, size_bytes: int | None = None
    ) -> float:
        """Copy a host file there; when it was last changed, by the box's clock.

        Raises `FileProblem` when the workspace has no room for it, or has something else of that name; when the host
        file does not have `size_bytes`, or cannot be read.
        """
        content = await asyncio.to_thread(_Content, source)
        try:
            if size_bytes not in {None, content.size}:
                raise FileProblem("io", f"it has {content.size} bytes and not {size_bytes}")
            number = await self._ask("put", name=name, size=content.size, mtime=modified)
            while content.left:
                for piece in await asyncio.to_thread(content.next):
                    await self._channel.send("put_data", piece, id=number)
        finally:
            content.close()
        done = await self._answer(PutDone, number)
        if done.error:
            raise FileProblem(done.error, done.detail)
        return done.mtime or 0.0

    async def get(self, name: str, most_bytes: int) -> AsyncIterator[bytes]:
        """The content, in pieces. Raises `FileProblem`, also when there is more than `most_bytes`."""
        number = await self._ask("get", name=name)
        first = await self._answer(FileStart, number, FileError)
        if isinstance(first, FileError):
            raise FileProblem(first.error)
        left = most_bytes
        while True:
            piece = await self._answer(FileData, number, FileEnd)
            if isinstance(piece, FileEnd):
                break
            left -= len(piece.payload)
            if left >= 0:
                yield piece.payload
        if left < 0:
            raise FileProblem("full", f"more than {most_bytes} bytes")

    async def files(self) -> Files:
        return await self._answer(Files, await self._ask("list"))

    async def rename(self, name: str, to: str) -> str | None:
        """What went wrong, if anything."""
        return (await self._answer(Renamed, await self._ask("rename", name=name, to=to))).error

    async def job(
        self, name: str, args: dict[str, Any], seconds: float, most_bytes: int, payload: bytes = b""
    ) -> JobDone:
        """See `sandbox.guest.jobs`."""
        number = await self._ask("job", payload, name=name, args=args, seconds=seconds, max_bytes=most_bytes)
        return await self._answer(JobDone, number, seconds=seconds + JOB_LATE_SECONDS)

    async def close(self) -> None:
        """The container lives on; it is only not ours any more."""
        if self.relay:
            await self.relay.close()
        await self._channel.close()

    def _collect(self, said: OfCell, collected: Collected, on_text: Callable[[str], None] | None) -> None:
        try:
            text = collected.add(said)
        except WireError as error:
            raise self._channel.lost(str(error)) from error
        if text and on_text:
            on_text(text)

    async def _ask(self, op: str, payload: bytes | None = None, **facts: object) -> int:
        self._last_id += 1
        await self._channel.send(op, payload, id=self._last_id, **facts)
        return self._last_id

    async def _answer(
        self, kind: type[A], number: int, or_kind: type[Any] | None = None, *, seconds: float | None = None
    ) -> A:
        kinds = (kind, or_kind) if or_kind else kind
        async with self._in_time(seconds or ANSWER_SECONDS, f"it does not answer with {kind.__name__}"):
            while True:
                said = await self._channel.receive()
                self._note(said)
                if isinstance(said, kinds) and said.id == number:
                    return said

    def _note(self, said: object) -> None:
        if isinstance(said, Ready | Died):
            self.kernel = said.kernel
        elif isinstance(said, Net) and self.relay:
            self.relay.hear(said)

    def _in_time(self, seconds: float, otherwise: str) -> "_InTime":
        return _InTime(seconds, lambda: self._channel.lost(otherwise))


class _Content:
    """A file of the host's, on its way. Blocks."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = self.left = os.fstat(self._file.fileno()).st_size

    def next(self) -> list[bytes]:
        """Some of it, in pieces of which each fits into a frame. Raises `FileProblem`."""
        pieces: list[bytes] = []
        while self.left and len(pieces) < PIECES_READ:
            piece = self._file.read(min(CHUNK_BYTES, self.left))
            if not piece:
                raise FileProblem("io", "it became shorter while it was read")
            self.left -= len(piece)
            pieces.append(piece)
        return pieces

    def close(self) -> None:
        self._file.close()


class _InTime:
    """`asyncio.timeout` that raises what `error` makes."""

    def __init__(self, seconds: float, error: Callable[[], SandboxLost]) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._error = error

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:
        try:
            await self._timeout.__aexit__(*raised)
        except TimeoutError as error:
            raise self._error() from error
