"""Files on their way between host and workspace, a chunk at a time."""

import errno
import os
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from sandbox.guest.link import Link
from sandbox.guest.workspace import Workspace
from sandbox.wire import CHUNK_BYTES, Frame

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = {errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}


@dataclass(slots=True)
class _Coming:
    id: int
    left: int
    mtime: float | None
    """When it was last changed, for a file that is restored."""
    descriptor: int
    opened: ExitStack


@dataclass(slots=True)
class _Going:
    id: int
    left: int
    descriptor: int
    opened: ExitStack


class Transfers:
    def __init__(self, workspace: Workspace, link: Link) -> None:
        self._workspace = workspace
        self._link = link
        self._coming: _Coming | None = None
        self._going: deque[_Going] = deque()

    def do(self, frame: Frame, payload: bytes) -> None:
        match frame["op"]:
            case "put":
                self._begin_put(frame["id"], frame["name"], frame["size"], frame.get("mtime"))
            case "put_data":
                self._take(frame["id"], payload)
            case "get":
                self._begin_get(frame["id"], frame["name"])
            case "list":
                self._link.send({"ev": "files", "id": frame["id"], **self._workspace.listed()})
            case "rename":
                self._rename(frame["id"], frame["name"], frame["to"])

    @property
    def can_go_on(self) -> bool:
        return bool(self._going) and not self._link.out.is_full

    def go_on(self) -> None:
        """As much of what the host wants as it takes now."""
        while self.can_go_on:
            first = self._going[0]
            try:
                data = os.read(first.descriptor, min(CHUNK_BYTES, first.left))
            except OSError:
                data = b""
            if data:
                first.left -= len(data)
                self._link.send({"ev": "file_data", "id": first.id}, data)
            if not (data and first.left):
                self._link.send({"ev": "file_end", "id": first.id})
                self._going.popleft().opened.close()

    def drop(self) -> None:
        """Forget all that is on its way."""
        if self._coming:
            self._abort(self._coming)
        while self._going:
            self._going.popleft().opened.close()

    def _begin_put(self, number: int, name: str, size: int, mtime: float | None) -> None:
        if self._coming:
            self._abort(self._coming)
        opened = ExitStack()
        try:
            descriptor = opened.enter_context(self._workspace.incoming(name))
        except OSError as error:
            self._put_done(number, error)
            return
        self._coming = _Coming(number, size, mtime, descriptor, opened)
        if not size:
            self._finish_put(self._coming)

    def _take(self, number: int, data: bytes) -> None:
        coming = self._coming
        # The rest of a file that failed still comes: nobody waits for it.
        if coming is None or coming.id != number:
            return
        try:
            written = memoryview(data)
            while written:
                written = written[os.write(coming.descriptor, written) :]
        except OSError as error:
            self._abort(coming)
            self._put_done(number, error)
            return
        coming.left -= len(data)
        if coming.left <= 0:
            self._finish_put(coming)

    def _finish_put(self, coming: _Coming) -> None:
        self._coming = None
        try:
            with coming.opened:
                if coming.mtime is not None:
                    # The end of time, rounded as JSON has it, lies beyond it.
                    with suppress(OverflowError):
                        os.utime(coming.descriptor, (coming.mtime, coming.mtime))
                mtime = os.fstat(coming.descriptor).st_mtime
        except OSError as error:
            self._put_done(coming.id, error)
        else:
            self._link.send({"ev": "put_done", "id": coming.id, "mtime": mtime, "error": None, "detail": ""})

    def _abort(self, coming: _Coming) -> None:
        self._coming = None
        # As any error inside the block would: what was written goes away.
        coming.opened.__exit__(OSError, OSError("not finished"), None)

    def _put_done(self, number: int, error: OSError) -> None:
        frame = {"ev": "put_done", "id": number, "mtime": None, "error": _kind(error)}
        self._link.send({**frame, "detail": error.strerror or ""})

    def _begin_get(self, number: int, name: str) -> None:
        opened = ExitStack()
        try:
            descriptor = opened.enter_context(self._workspace.outgoing(name))
        except OSError as error:
            kind = {errno.ENOENT: "gone"}.get(error.errno or 0) or (
                "not_a_file" if _kind(error) == "name" else "io"
            )
            self._link.send({"ev": "file_error", "id": number, "error": kind})
            return
        size = os.fstat(descriptor).st_size
        self._link.send({"ev": "file", "id": number, "size": size})
        self._going.append(_Going(number, size, descriptor, opened))

    def _rename(self, number: int, name: str, to: str) -> None:
        try:
            self._workspace.rename(name, to)
        except OSError as error:
            self._link.send({"ev": "renamed", "id": number, "error": error.strerror or "failed"})
        else:
            self._link.send({"ev": "renamed", "id": number, "error": None})


def _kind(error: OSError) -> str:
    if error.errno in _FULL:
        return "full"
    return "name" if error.errno in _NAME else "io"
