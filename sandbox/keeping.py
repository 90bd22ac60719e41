"""The workspace and the blob store agree: what changed in a box is fetched, what a new box lacks is put there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from bot.blobs import Blobs
from sandbox.box import Box, FileProblem
from sandbox.names import is_workspace_name
from sandbox.records import KeptFile, Record

log = structlog.get_logger()

Changed = tuple[str, int, float]
"""Name, size in bytes, modification time, as the box says it: what it says decides only what is asked for."""
MOST_FILES = 2000
"""Fetched after one cell: each takes a millisecond or two, and a place on our disk."""
VARIABLES = ".plotline-variables"
"""The file in the workspace that `sandbox.guest.variables` writes."""


@dataclass(slots=True)
class Kept:
    record: Record
    """With the files as they are now."""
    fetched: dict[str, KeptFile] = field(default_factory=dict[str, KeptFile])
    not_kept: list[str] = field(default_factory=list[str])
    """Names of files that changed and could not be fetched: too large, or gone meanwhile."""
    no_room_for: list[str] = field(default_factory=list[str])
    """Those among them for which no room is left in the store."""


@dataclass(frozen=True, slots=True)
class Keeping:
    blobs: Blobs
    team: str
    most_bytes: int
    """Fetched after one cell."""
    room: Callable[[], Awaitable[int]] | None = None
    """Bytes that the store may still take for this thread."""

    async def fetch(
        self, box: Box, record: Record, changed: list[Changed], gone: list[str], *, saved: bool = False
    ) -> Kept:
        """`saved` says that the box has just been asked to save the variables: else their file is the code's own.

        Raises `SandboxLost`.
        """
        if not (changed or gone):
            return Kept(record)
        away = set(gone)
        files = {name: file for name, file in record.files.items() if name not in away}
        kept = Kept(replace(record, files=files))
        # Variables are put away in any case: there is a reserve for them.
        room = await self.room() if self.room and changed and not saved else self.most_bytes
        left = min(self.most_bytes, room)
        for name, size, modified in changed:
            if name == VARIABLES and not saved:
                continue
            file = None
            if is_workspace_name(name) and size <= left and len(kept.fetched) < MOST_FILES:
                file = await self._fetched(box, name, left, modified)
            if file is None:
                # Of what lies in the store under this name, nothing is true any more.
                files.pop(name, None)
                kept.not_kept.append(name)
                if room < self.most_bytes and left < size:
                    kept.no_room_for.append(name)
                continue
            left -= file.size_bytes
            files[name] = kept.fetched[name] = file
        return kept

    async def fetch_unknown(self, box: Box, record: Record) -> Record:
        """Whatever changed while nobody was listening. Raises `SandboxLost`."""
        listed = await box.files()
        there = listed.files
        known = {(name, file.size_bytes, file.modified) for name, file in record.files.items()}
        changed = [each for each in there if each not in known and each[0] != VARIABLES]
        # What was not seen in a list that breaks off may well be there.
        gone = list(record.files.keys() - {name for name, _, _ in there}) if listed.complete else []
        if not (changed or gone):
            return record
        return (await self.fetch(box, record, changed, gone)).record

    async def restore(self, box: Box, record: Record) -> Record:
        """All kept files into a new box; those that cannot be there any more are gone from the record.

        Raises `SandboxLost`, and `OSError` where this machine is the reason: another time they may be there.
        """
        files = dict(record.files)
        for name, file in record.files.items():
            try:
                path = await self.blobs.local(self.team, file.sha256)
                modified = await box.put(name, path, file.modified, size_bytes=file.size_bytes)
                files[name] = replace(file, modified=modified)
            except (FileProblem, FileNotFoundError) as error:
                log.warning("file.not_restored", size_bytes=file.size_bytes, detail=str(error))
                del files[name]
        return replace(record, files=files)

    async def _fetched(self, box: Box, name: str, most_bytes: int, modified: float) -> KeptFile | None:
        try:
            sha256, path = await self.blobs.add(self.team, box.get(name, most_bytes))
        except FileProblem as error:
            log.info("file.not_kept", detail=str(error))
            return None
        return KeptFile(sha256, path.stat().st_size, modified)
