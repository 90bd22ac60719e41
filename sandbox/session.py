"""The Session port: a thread's kernel and workspace, whichever container they are in at the moment."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from bot.errors import AttachmentRefused, SandboxLost
from bot.execution import (
    Artifact,
    CellError,
    Execution,
    Host,
    Outcome,
    Picture,
    Profile,
    Receipt,
    WorkspaceFile,
)
from sandbox.artifacts import Left
from sandbox.box import Box, Cell, FileProblem, Forgotten
from sandbox.collected import Collected
from sandbox.egress.allow import AllowList
from sandbox.egress.network import Network
from sandbox.frames import Done
from sandbox.keeping import VARIABLES, Keeping
from sandbox.media_type import HEAD_BYTES, media_type
from sandbox.packages import Packages
from sandbox.records import KeptFile, Record

log = structlog.get_logger()

PROFILE_SECONDS = 3.0
PROFILE_BYTES = 64 * 1024
PICTURE_SECONDS = 10.0
PICTURE_BYTES = 4 * 1024 * 1024
LARGEST_PICTURE_BYTES = 30 * 1024 * 1024
"""Of an image that is to be made smaller: it travels in one frame."""
VARIABLES_SECONDS = 20.0
"""To save or to load them."""
LISTED = 4000
KINDS = frozenset(
    ["table", "text", "image", "audio", "video", "document", "archive", "encrypted", "broken", "other"]
)
NAMES_NOTED = 10
BRIEF_SECONDS = 0.2
"""A cell that takes longer is written down while it runs."""


class NotOurs(SandboxLost):
    """Somebody else has the session by now."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A cell that was sent into a container."""

    cell: str
    boot: str

    def on(self, record: Record) -> Record:
        return replace(record, cell=self.cell, cell_boot=self.boot)


@dataclass(slots=True)
class BoxSession:
    """Lasts from borrow to borrow within one process; whoever borrows it has the thread's lock."""

    keeping: Keeping
    packages: Packages
    network: Network | None
    """What may be reached from every session of this deployment."""
    worker: str
    """Who borrows it here."""
    own: Callable[[], Awaitable[tuple[Record, int]]]
    """Makes it ours, by that epoch: earlier owners are not heard any more.

    Raises `SandboxLost` where it is not ours to have.
    """
    find: Callable[[Record, int], Awaitable[Box | None]]
    """The box that the record names, if it is still there; ours by that epoch."""
    make: Callable[[], Awaitable[Box]]
    """A box that nobody has used."""
    drop: Callable[[Box], Awaitable[None]]
    """It is of no use to anybody."""
    save: Callable[[Record, int], Awaitable[bool]]
    """Whether it was still ours."""
    record: Record = field(default_factory=Record)
    """As it was read when the session became ours, and what has come since."""
    epoch: int = 0
    granted: frozenset[Host] = frozenset()
    """What may be reached besides, until it is given back: see `allow`."""
    box: Box | None = None
    lost_variables: tuple[str, ...] | None = None
    _is_saved: bool = field(default=True, init=False)
    """Whether the store has it as it is here."""
    _is_behind: bool = field(default=False, init=False)
    """Whether a cell may have left files of which the record does not know: a box names them only once."""
    _running: Box | None = field(default=None, init=False)

    async def open(self) -> Box:
        """A box with this thread's files in it, and its variables unless `lost_variables` names them.

        Raises `SandboxNotReady`, `SandboxLost`.
        """
        if self.box and not self.box.has_ended:
            await self._catch_up(self.box)
            self._compare_kernels(self.box)
            return self.box
        await self.leave()
        self.record, self.epoch = await self.own()
        self._is_saved = True
        found = await self.find(self.record, self.epoch)
        box = found or await self.make()
        try:
            record = await (self.keeping.fetch_unknown(box, self.record) if found else self._restored(box))
        except BaseException:
            await (box.close() if found else self.drop(box))
            raise
        self.box, self._is_behind = box, False
        await self._connect(box)
        self._compare_kernels(box)
        # Written down before anything happens in it: until then nothing would be lost with it.
        self._is_saved = False
        self.record = replace(record, container=box.container, worker=self.worker)
        return box

    async def settle(self) -> None:
        """Whatever is not written down yet. Raises `SandboxLost` where it is not ours any more."""
        await self._save(self.record)

    async def put_away(self) -> None:
        """Save the variables, as far as they can be; the box is not needed any more then."""
        try:
            if self.box and not self.box.has_ended:
                await self._catch_up(self.box)
                await self._keep_variables(self.box)
        except (SandboxLost, Forgotten) as error:
            log.info("variables.not_saved", detail=str(error))
        await self.leave()
        await self._save(replace(self.record, container=None))

    async def leave(self) -> None:
        """The box lives on; the next `open` finds it again."""
        box, self.box = self.box, None
        if box:
            await box.close()

    async def run(
        self, code: str, *, cell_id: str, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> Execution:
        collected = Collected()
        try:
            box = await self.open()
            if self.record.cell == cell_id and self.record.cell_boot != box.boot:
                raise SandboxLost("the cell was begun in a container that is gone")  # noqa: TRY301
            lost, self.lost_variables = self.lost_variables, None
            cell = Cell(cell_id, code, seconds, on_text)
            self._is_behind = True
            done = await self._run(box, cell, collected)
            return await self._execution(self._running or box, cell, done, collected, lost)
        except (SandboxLost, Forgotten) as error:
            log.warning("cell.lost", cell=cell_id, detail=str(error))
            await self.leave()
            return Execution(Outcome.LOST, _text(collected), 0.0)
        finally:
            self._running = None

    async def allow(self, hosts: Collection[Host]) -> None:
        self.granted = frozenset(hosts)
        if self.box:
            await self._connect(self.box)

    async def interrupt(self) -> None:
        if self._running:
            await self._running.interrupt()

    async def put(self, name: str, source: Path) -> None:
        box = await self.open()
        # Into the store and into the box at the same time: neither has to wait for the other.
        adding = asyncio.ensure_future(self.keeping.blobs.add(self.keeping.team, source))
        try:
            modified = await box.put(name, source)
            sha256, path = await adding
        except FileProblem as error:
            sentence = "workspace_full" if error.kind == "full" else "attachment_refused"
            raise AttachmentRefused(str(error), sentence=sentence, name=name) from error
        finally:
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
        await self._keep({name: KeptFile(sha256, path.stat().st_size, modified)})

    async def rename(self, name: str, to: str) -> None:
        box = await self.open()
        error = await box.rename(name, to)
        if error:
            log.info("file.not_renamed", detail=error)
        elif name in self.record.files:
            file = self.record.files[name]
            await self._keep({to: file}, gone=name)

    async def files(self) -> tuple[WorkspaceFile, ...]:
        found = await (await self.open()).files()
        return tuple(WorkspaceFile(*each) for each in found.files[:LISTED])

    async def profile(self, name: str) -> Profile:
        box = await self.open()
        done = await box.job("profile", {"name": name}, PROFILE_SECONDS, PROFILE_BYTES)
        if done.status == "ok" and (profile := _profile(name, done.payload)):
            return profile
        log.info("profile.failed", status=done.status, detail=done.detail)
        sentence = (
            "It could not be looked into in time." if done.status == "timed_out" else "It is not known."
        )
        return Profile(name, "other", sentence, sentence)

    async def picture(self, artifact: Artifact, longest_side: int) -> Picture | None:
        if artifact.size_bytes > LARGEST_PICTURE_BYTES:
            return None
        box = await self.open()
        args = {"longest_side": longest_side}
        done = await box.job("picture", args, PICTURE_SECONDS, PICTURE_BYTES, artifact.path.read_bytes())
        kind = media_type(done.payload[:HEAD_BYTES], "")
        if done.status != "ok" or kind not in {"image/png", "image/jpeg"}:
            log.info("picture.failed", status=done.status, detail=done.detail)
            return None
        return Picture(artifact.name, kind, done.payload)

    async def _restored(self, box: Box) -> Record:
        """Files and, where they were saved, variables in a box that nobody has used."""
        await self.packages.restore(box, self.record)
        record = await self.keeping.restore(box, self.record)
        if VARIABLES not in record.files:
            return record
        load = Cell(f"load:{uuid.uuid4().hex}", "", VARIABLES_SECONDS, kind="load")
        done = await box.run(load, Collected())
        files = {name: file for name, file in record.files.items() if name != VARIABLES}
        record = replace(record, files=files, not_saved=())
        if done.status == "ok":
            # Where saving broke off, nobody has said what is not there.
            missing = [name for name in self.record.variables if name not in done.names]
            lost = tuple(dict.fromkeys((*self.record.not_saved, *done.not_kept, *missing)))
            self.lost_variables = lost or None
            self.record = replace(self.record, boot=box.boot, kernel=done.kernel)
            return replace(record, boot=box.boot, kernel=done.kernel, variables=tuple(done.names))
        return record

    async def _run(self, box: Box, cell: Cell, collected: Collected) -> Done:
        """Where the connection breaks and the box lives, it is asked once more: a cell never runs twice there.

        That it was begun is written down, for whoever asks for it in another container. A cell that reaches nothing
        outside its own, and ends at once, is written down with what it has left, in a container that is known already.
        """
        begun = Begun(cell.id, box.boot)
        if box.relay or not self._is_saved:
            await self._save(begun.on(self.record))
        self._running = box
        try:
            return await self._noted(begun, box.run(cell, collected))
        except NotOurs:
            raise
        except SandboxLost:
            await self.leave()
            _, self.epoch = await self.own()
            await self._save(begun.on(self.record))
            again = await self.find(self.record, self.epoch)
            if again is None:
                raise
            self.box = self._running = again
            collected.start_again()
            return await again.run(cell, collected)

    async def _noted(self, begun: Begun, running: Awaitable[Done]) -> Done:
        """Writes down what was begun, if it goes on for a while. Raises `NotOurs`."""
        saving: list[asyncio.Task[None]] = []

        def save() -> None:
            saving.append(asyncio.ensure_future(self._save(begun.on(self.record))))

        later = asyncio.get_running_loop().call_later(BRIEF_SECONDS, save)
        try:
            return await running
        finally:
            later.cancel()
            if saving:
                await saving[0]

    async def _execution(
        self, box: Box, cell: Cell, done: Done, collected: Collected, lost: tuple[str, ...] | None
    ) -> Execution:
        kept = await self.keeping.fetch(box, self.record, done.files.changed, done.files.gone)
        record = replace(
            kept.record,
            boot=box.boot,
            kernel=done.kernel,
            variables=tuple(done.names),
            has_run=True,
        )
        receipts = await box.relay.settle() if box.relay else ()
        if any(receipt.received_bytes for receipt in receipts):
            record = await self.packages.keep(box, record)
        left = Left(self.keeping.blobs, self.keeping.team)
        text = await left.take(collected, kept.fetched, kept.record.files)
        if record != self.record or not self._is_saved:
            # What a cell has left is never there without its name.
            await self._save(Begun(cell.id, box.boot).on(record))
        self._is_behind = False
        return Execution(
            outcome=_outcome(done),
            text=text + _ended_itself(done),
            seconds=done.seconds,
            error=_error(collected),
            artifacts=tuple(left.artifacts),
            notes=(*_notes(done, kept.not_kept), *_refusals(receipts)),
            changed_files=tuple(name for name, _, _ in done.files.changed),
            removed_files=tuple(done.files.gone),
            no_room_for=tuple(kept.no_room_for),
            receipts=receipts,
            lost_variables=tuple(done.lost) if done.lost is not None else lost,
        )

    async def _catch_up(self, box: Box) -> None:
        if self._is_behind:
            record = await self.keeping.fetch_unknown(box, self.record)
            if record != self.record:
                self.record, self._is_saved = record, False
            self._is_behind = False

    async def _keep_variables(self, box: Box) -> None:
        if not self.record.variables or self.lost_variables:
            return
        save = Cell(f"save:{uuid.uuid4().hex}", "", VARIABLES_SECONDS, kind="save")
        done = await box.run(save, Collected())
        kept = await self.keeping.fetch(box, self.record, done.files.changed, done.files.gone, saved=True)
        self.record, self._is_saved = replace(kept.record, not_saved=tuple(done.not_kept)), False

    async def _connect(self, box: Box) -> None:
        if self.network:
            granted = AllowList(frozenset((host.name, host.port) for host in self.granted))
            await box.connect(self.network.allowed | granted, self.network.contact)

    def _compare_kernels(self, box: Box) -> None:
        """Whether the variables of earlier cells are still there."""
        record = self.record
        if record.has_run and (box.boot, box.kernel) != (record.boot, record.kernel):
            self.lost_variables = record.variables or None

    async def _keep(self, files: dict[str, KeptFile], gone: str | None = None) -> None:
        kept = {name: file for name, file in self.record.files.items() if name != gone}
        await self._save(replace(self.record, files={**kept, **files}))

    async def _save(self, record: Record) -> None:
        if record == self.record and self._is_saved:
            return
        if not await self.save(record, self.epoch):
            await self.leave()
            raise NotOurs("it belongs to somebody else by now")
        self.record, self._is_saved = record, True


def _outcome(done: Done) -> Outcome:
    return Outcome.RAISED if done.status == "died" else Outcome(done.status)


def _ended_itself(done: Done) -> str:
    return f"[Python ended itself: {done.why or 'no reason known'}]\n" if done.status == "died" else ""


def _error(collected: Collected) -> CellError | None:
    error = collected.error
    return CellError(error.name, error.message, error.traceback) if error else None


def _text(collected: Collected) -> str:
    return "".join(item for item in collected.items if isinstance(item, str))


def _notes(done: Done, not_kept: list[str]) -> list[str]:
    notes = []
    if done.cut.text:
        notes.append(f"Of the output {done.cut.text:,} bytes in the middle were left out.")
    if done.cut.displays:
        notes.append(f"{done.cut.displays:,} displays were too many and left out.")
    if done.killed:
        notes.append(f"{done.killed} processes that the code left running were ended.")
    if done.oom_kills and done.status != "out_of_memory":
        notes.append("A process that the code had started was ended because memory ran out.")
    if not_kept:
        shown = ", ".join(not_kept[:NAMES_NOTED]) + (", …" if len(not_kept) > NAMES_NOTED else "")
        notes.append(f"Too large or too many to be kept and sent to people: {shown}")
    if not done.files.complete:
        notes.append("Not every file in the working directory could be looked at.")
    if done.missing:
        notes.append("Part of the output was lost on the way.")
    return notes


def _refusals(receipts: tuple[Receipt, ...]) -> list[str]:
    reasons = dict.fromkeys(receipt.refused for receipt in receipts if receipt.refused)
    return [f"The network refused a connection: {reason}." for reason in list(reasons)[:NAMES_NOTED]]


def _profile(name: str, payload: bytes) -> Profile | None:
    """What the job says, as far as it has the right shape."""
    try:
        said = json.loads(payload)
        kind, text, schema = (str(said[key]) for key in ("kind", "text", "schema"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Profile(name, kind if kind in KINDS else "other", text[:8000], schema[:8000])
