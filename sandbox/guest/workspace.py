"""The files of a session, reached without ever following a link: code may put one anywhere, at any moment."""

import contextlib
import errno
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

MOST_FILES = 20_000
"""Looked at: as many as the workspace has inodes by default."""
MOST_ENTRIES = 30_000
"""Folders and all the rest included. gVisor has no bound on them of its own."""
MOST_LEVELS = 50
"""Of folders in folders that are looked into."""
NAME_BYTES = 1024
"""Files with longer names cannot be asked for (`sandbox.names`)."""
NAMES_BYTES = 2 * 1024 * 1024
"""Of all names in a list, as JSON."""
INCOMING = ".plotline-incoming-"

Stamp = tuple[int, int, int, int]
"""Changes whenever a file's content may have changed: mtime and ctime in nanoseconds, size, inode."""


class Workspace:
    """Names are relative to it, with `/` between directories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Stamp] = {}

    def changes(self) -> dict[str, object]:
        """What is new, changed or gone since it was asked last, as in `done`."""
        found, complete = self._scan()
        stamps = {name: _stamp(status) for name, status in found.items()}
        new = [name for name in stamps if stamps[name] != self._known.get(name)]
        missing = [name for name in self._known if name not in stamps]
        if not complete:
            missing = [name for name in missing if not self._may_be_there(name)]
        # What does not fit is said next time.
        changed, gone = _fitting(new), _fitting(missing)
        for name in gone:
            del self._known[name]
        self._known |= {name: stamps[name] for name in changed}
        complete = complete and len(changed) == len(new) and len(gone) == len(missing)
        return {"changed": _listed(changed, found), "gone": gone, "complete": complete}

    def listed(self) -> dict[str, object]:
        """What lies there, as in `files`."""
        found, complete = self._scan()
        names = _fitting(found)
        return {"files": _listed(names, found), "complete": complete and len(names) == len(found)}

    @contextmanager
    def incoming(self, name: str) -> Iterator[int]:
        """A descriptor to write to; at the end of the block the file has its name. Its folders are made.

        Raises `OSError`; what was written is then gone.
        """
        with self._folder_of(name, make=True) as (folder, last):
            incoming = INCOMING + secrets.token_hex(8)
            descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
            try:
                yield descriptor
                # Over whatever has the name: a link is replaced, not followed.
                os.rename(incoming, last, src_dir_fd=folder, dst_dir_fd=folder)
                self._known[name] = _stamp(os.fstat(descriptor))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(incoming, dir_fd=folder)
                raise
            finally:
                os.close(descriptor)

    @contextmanager
    def outgoing(self, name: str) -> Iterator[int]:
        """A descriptor to read from. Raises `OSError` for what is no regular file."""
        with self._folder_of(name) as (folder, last):
            # Opening a FIFO would wait for its other end.
            descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            yield descriptor
        finally:
            os.close(descriptor)

    def rename(self, name: str, to: str) -> None:
        """Raises `OSError`, also when it is not a regular file."""
        with self._folder_of(name) as (folder, last), self._folder_of(to, make=True) as (target, new):
            if not stat.S_ISREG(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            os.rename(last, new, src_dir_fd=folder, dst_dir_fd=target)
            self._known.pop(name, None)
            self._known[to] = _stamp(os.stat(new, dir_fd=target, follow_symlinks=False))

    @contextmanager
    def _folder_of(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that the file is in, and the last part of its name."""
        *folders, last = _parts(name)
        with contextlib.suppress(OSError):
            # Code may have closed it to all: it is ours all the same.
            self.root.chmod(0o700)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=descriptor)
                inner = _open_folder(folder, descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor, last
        finally:
            os.close(descriptor)

    def _may_be_there(self, name: str) -> bool:
        """For a file that was not seen: somebody may have closed its folder to us."""
        try:
            with self._folder_of(name) as (folder, last):
                return stat.S_ISREG(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode)
        except PermissionError:
            return True
        except OSError:
            return False

    def _scan(self) -> tuple[dict[str, os.stat_result], bool]:
        """Regular files, in the order of their names, and whether these are all."""
        scan = _Scan()
        try:
            with self._folder_of("x") as (root, _):
                scan.look_into(root, "")
        except OSError:
            scan.complete = False
        return dict(sorted(scan.found.items())), scan.complete


@dataclass(slots=True)
class _Scan:
    found: dict[str, os.stat_result] = field(default_factory=dict[str, os.stat_result])
    complete: bool = True
    """Whether these are all."""
    _left: int = MOST_ENTRIES

    def look_into(self, folder: int, prefix: str) -> None:
        """Adds what lies in an open folder and below."""
        if prefix.count("/") > MOST_LEVELS:
            self.complete = False
            return
        with os.scandir(folder) as scanned:
            entries = list(islice(scanned, self._left + 1))
        for entry in entries:
            self._left -= 1
            if self._left < 0 or len(self.found) >= MOST_FILES:
                self.complete = False
                return
            if entry.name.startswith(INCOMING):
                continue
            try:
                self._look_at(entry, folder, prefix + entry.name)
            except OSError:
                # Gone meanwhile, or not to be read.
                self.complete = False

    def _look_at(self, entry: os.DirEntry[str], folder: int, name: str) -> None:
        if entry.is_dir(follow_symlinks=False):
            inner = _open_folder(entry.name, folder)
            try:
                self.look_into(inner, f"{name}/")
            finally:
                os.close(inner)
        elif entry.is_file(follow_symlinks=False):
            if _can_be_said(name):
                self.found[name] = entry.stat(follow_symlinks=False)
            else:
                self.complete = False


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if "\0" in name or {"", ".", ".."} & set(parts) or not _can_be_said(name):
        raise OSError(errno.EINVAL, "not a name in the workspace")
    return parts


def _open_folder(name: str, parent: int) -> int:
    # Not with O_DIRECTORY: gVisor then follows a link all the same. A FIFO would wait for its other end.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    return descriptor


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _can_be_said(name: str) -> bool:
    try:
        return len(name.encode()) <= NAME_BYTES
    except UnicodeEncodeError:
        return False


def _fitting(names: Iterable[str]) -> list[str]:
    """As many of them as a frame holds."""
    fitting, left = [], NAMES_BYTES
    for name in names:
        left -= len(json.dumps(name))
        if left < 0:
            break
        fitting.append(name)
    return fitting


def _listed(names: list[str], found: dict[str, os.stat_result]) -> list[tuple[str, int, float]]:
    return [(name, found[name].st_size, found[name].st_mtime) for name in names]
