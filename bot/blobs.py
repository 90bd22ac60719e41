"""Files by their content: what lies under its hash never changes, and is there once for a whole team."""

import asyncio
import hashlib
import math
import os
import re
from collections.abc import AsyncIterable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot import atomic
from bot.errors import StoreUnavailable
from bot.folders import folder_name
from bot.lock import locked

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

Blob = tuple[str, str]
"""Team and hash."""

READ_BYTES = 1024 * 1024
WRITE_BYTES = 2 * 1024 * 1024
"""Gathered of what comes in pieces: each time that something is written costs more than the writing."""


class Blobs:
    """Kept under `data_dir`, in blobs/<team>/<sha256>; with `remote`, there for good, and here while they are used.

    Where `remote` does not answer, `StoreUnavailable` is raised.
    """

    def __init__(self, data_dir: Path, remote: "ObjectStore | None" = None) -> None:
        self._folder = data_dir / "blobs"
        self._lock = data_dir / "removing"
        self._remote = remote
        # At the end of the process it is waited for.
        self._settling = ThreadPoolExecutor(1, "settling")

    async def add(self, team: str, content: Path | bytes | AsyncIterable[bytes]) -> tuple[str, Path]:
        """Hash and place of the content, which every process finds by then; also in the remote store if there is one.

        It reaches the disk a moment later: see docs/decisions/0009-files-reach-the-disk-later.md.
        """
        if isinstance(content, bytes):
            sha256, path = await asyncio.to_thread(self._add_unless_there, team, content)
        elif isinstance(content, Path):
            sha256, path = await asyncio.to_thread(self._add, team, _chunks_of(content))
        else:
            sha256, path = await self._add_while_it_comes(team, content)
        if self._remote is not None:
            with _remote_errors():
                await self._remote.put_async(_key(team, sha256), path)
        return sha256, path

    def path(self, team: str, sha256: str) -> Path:
        """Where that content lies on this machine, if it does."""
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError(f"no hash: {sha256[:80]!r}")
        return self._folder_of(team) / sha256

    async def local(self, team: str, sha256: str) -> Path:
        """The same, and it lies there now if it is anywhere: ask before you read."""
        path = self.path(team, sha256)
        if self._remote is not None and not await asyncio.to_thread(path.exists):
            await self._fetch(self._remote, team, sha256)
        return path

    async def read(self, team: str, sha256: str) -> bytes | None:
        """The content; None where it is not kept any more."""
        path = await self.local(team, sha256)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None

    async def size(self, team: str, sha256: str) -> int:
        """In bytes; 0 where it is not kept."""
        path = self.path(team, sha256)
        try:
            return (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            return await self._remote_size(team, sha256)

    def removing(self) -> AbstractAsyncContextManager[None]:
        """Hold this while blobs are removed, or while none may be: one at a time on this machine."""
        return locked(self._lock)

    async def remove(self, team: str, sha256: str, unless_added_since: float = math.inf) -> bool:
        """Everywhere; whether it was, and not added again since then. That nobody needs it is the caller's to know."""
        path = self.path(team, sha256)
        added_at = max(await asyncio.to_thread(_added_at, path), await self._sent_at(team, sha256))
        if added_at >= unless_added_since:
            return False
        if self._remote is not None:
            with _remote_errors():
                await self._remote.delete_async(_key(team, sha256))
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return True

    def older_than(self, at: float) -> dict[str, set[str]]:
        """Hashes of what has been here for longer, by folder. Blocks."""
        return {
            folder.name: {path.name for path in folder.iterdir() if 0 < _added_at(path) < at}
            for folder in (self._folder.iterdir() if self._folder.exists() else ())
            if folder.is_dir()
        }

    def drop_copies(self, folder: str, names: Iterable[str]) -> None:
        """From this machine alone. Blocks."""
        for name in names:
            (self._folder / folder / name).unlink(missing_ok=True)

    @property
    def is_remote(self) -> bool:
        """Whether what is here are but copies."""
        return self._remote is not None

    async def _remote_size(self, team: str, sha256: str) -> int:
        found = await self._remote_meta(team, sha256)
        return int(found["size"]) if found else 0

    async def _sent_at(self, team: str, sha256: str) -> float:
        found = await self._remote_meta(team, sha256)
        return found["last_modified"].timestamp() if found else 0.0

    async def _remote_meta(self, team: str, sha256: str) -> "ObjectMeta | None":
        if self._remote is None:
            return None
        try:
            with _remote_errors():
                return await self._remote.head_async(_key(team, sha256))
        except FileNotFoundError:
            return None

    async def _fetch(self, remote: "ObjectStore", team: str, sha256: str) -> None:
        with _remote_errors():
            try:
                found = await remote.get_async(_key(team, sha256))
            except FileNotFoundError:
                return
            fetched, _ = await self._add_while_it_comes(team, _pieces(found))
        if fetched != sha256:
            self.path(team, fetched).unlink(missing_ok=True)

    def _add_unless_there(self, team: str, content: bytes) -> tuple[str, Path]:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(team, sha256)
        with suppress(FileNotFoundError):
            # As new: whoever removes what nobody needs leaves it for a while.
            os.utime(path)
            if path.stat().st_size == len(content):
                return sha256, path
        return self._add(team, [content])

    def _add(self, team: str, chunks: Iterable[bytes]) -> tuple[str, Path]:
        incoming = _Incoming(self._folder_of(team))
        try:
            incoming.write(chunks)
            return self._placed(incoming)
        finally:
            incoming.close()

    async def _add_while_it_comes(self, team: str, chunks: AsyncIterable[bytes]) -> tuple[str, Path]:
        incoming = await asyncio.to_thread(_Incoming, self._folder_of(team))
        try:
            waiting, size = [], 0
            async for chunk in chunks:
                waiting.append(chunk)
                size += len(chunk)
                if size >= WRITE_BYTES:
                    await asyncio.to_thread(incoming.write, waiting)
                    waiting, size = [], 0
            return await asyncio.to_thread(self._placed, incoming, waiting)
        finally:
            incoming.close()

    def _placed(self, incoming: "_Incoming", last: Iterable[bytes] = ()) -> tuple[str, Path]:
        incoming.write(last)
        sha256, path = incoming.place()
        self._settling.submit(_settle, path)
        return sha256, path

    def _folder_of(self, team: str) -> Path:
        return self._folder / folder_name(team)


class _Incoming:
    """A file that gets its name once it is whole: the hash of what was written. Blocks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = atomic.incoming_in(folder)
        self._stream = self._path.open("wb", buffering=0)
        self._digest = hashlib.sha256()

    def write(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self._digest.update(chunk)
            left = memoryview(chunk)
            while left:
                left = left[self._stream.write(left) :]

    def place(self) -> tuple[str, Path]:
        self._stream.close()
        sha256 = self._digest.hexdigest()
        return sha256, self._path.replace(self._path.with_name(sha256))

    def close(self) -> None:
        """What has no name by now goes."""
        self._stream.close()
        self._path.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """What was written is on the disk when this returns, and the folder knows its name."""
    for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        # It may be gone already.
        with suppress(OSError):
            descriptor = os.open(each, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextmanager
def _remote_errors() -> Generator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415  # only where files are elsewhere

    try:
        yield
    except BaseError as error:
        raise StoreUnavailable(f"the store of files: {type(error).__name__}") from error


def _key(team: str, sha256: str) -> str:
    return f"{folder_name(team)}/{sha256}"


async def _pieces(found: AsyncIterable[object]) -> AsyncIterable[bytes]:
    async for piece in found:
        yield bytes(piece)  # type: ignore[call-overload]  # of the library's own kind, which is a buffer


def _chunks_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(READ_BYTES):
            yield chunk


def _added_at(path: Path) -> float:
    """Last; 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
