"""Files on their way in and out of a box, as the host sees it."""

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.guest.link import Link
from sandbox.guest.transfers import Transfers
from sandbox.guest.workspace import Workspace
from sandbox.wire import CHUNK_BYTES


@dataclass
class Far:
    """A host that asks and reads what it is told."""

    root: Path
    transfers: Transfers
    link: Link
    reading: int
    _unread: bytes = field(default=b"", init=False)

    def ask(self, op: str, payload: bytes = b"", **facts: object) -> None:
        self.transfers.do({"op": op, **facts}, payload)

    def told(self) -> list[dict[str, Any]]:
        """Everything, to the end."""
        found = []
        while True:
            self.transfers.go_on()
            self.link.out.flush()
            try:
                self._unread += os.read(self.reading, 1_000_000)
            except BlockingIOError:
                break
        while self._unread:
            head, _, rest = self._unread.partition(b"\n")
            frame = json.loads(head)
            size = frame.pop("n", 0)
            if size:
                frame["data"] = rest[:size]
            found.append(frame)
            self._unread = rest[size:]
        return found

    def put(self, name: str, content: bytes, number: int = 1, mtime: float | None = None) -> dict[str, Any]:
        self.ask("put", id=number, name=name, size=len(content), mtime=mtime)
        for start in range(0, len(content), CHUNK_BYTES):
            self.ask("put_data", content[start : start + CHUNK_BYTES], id=number)
        (done,) = self.told()
        return done


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    nothing, never = os.pipe()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    link = Link(nothing, writing)
    transfers = Transfers(Workspace(tmp_path), link)
    yield Far(tmp_path, transfers, link, reading)
    transfers.drop()
    for descriptor in (nothing, never, reading, writing):
        os.close(descriptor)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_file_that_was_put_comes_back_in_chunks(far: Far, size: int) -> None:
    content = os.urandom(size)

    done = far.put("a/f", content)
    far.ask("get", id=2, name="a/f")
    first, *data, last = far.told()

    assert (done["ev"], done["id"], done["error"]) == ("put_done", 1, None)
    assert done["mtime"] == (far.root / "a/f").stat().st_mtime
    assert first == {"ev": "file", "id": 2, "size": size}
    assert last == {"ev": "file_end", "id": 2}
    assert b"".join(frame["data"] for frame in data) == content
    assert all(len(frame["data"]) <= CHUNK_BYTES for frame in data)


def test_a_restored_file_keeps_its_time(far: Far) -> None:
    done = far.put("f", b"x", mtime=1_600_000_000.5)

    assert done["mtime"] == 1_600_000_000.5
    assert (far.root / "f").stat().st_mtime == 1_600_000_000.5


@pytest.mark.parametrize("mtime", [2.0**63, -(2.0**64), 1e300])
def test_a_time_that_no_disk_holds_costs_only_the_time(far: Far, mtime: float) -> None:
    done = far.put("f", b"x", mtime=mtime)

    assert done["error"] is None
    assert (far.root / "f").read_bytes() == b"x"


def test_a_file_that_grows_is_read_as_long_as_it_was(far: Far) -> None:
    far.put("f", bytes(10))
    far.ask("get", id=1, name="f")
    with (far.root / "f").open("ab") as stream:
        stream.write(bytes(10))

    assert [len(frame.get("data", b"")) for frame in far.told()] == [0, 10, 0]


def test_a_file_that_became_shorter_ends_where_it_ends(far: Far) -> None:
    far.put("f", bytes(10))
    far.ask("get", id=1, name="f")
    os.truncate(far.root / "f", 4)

    assert [frame["ev"] for frame in far.told()] == ["file", "file_data", "file_end"]


def test_several_files_come_one_after_the_other(far: Far) -> None:
    far.put("f", b"one")
    far.put("g", b"two")
    far.ask("get", id=1, name="f")
    far.ask("get", id=2, name="g")

    told = far.told()

    assert [(frame["ev"], frame["id"]) for frame in told if frame["ev"] != "file"] == [
        ("file_data", 1),
        ("file_end", 1),
        ("file_data", 2),
        ("file_end", 2),
    ]


def test_no_more_is_read_than_the_host_takes(far: Far) -> None:
    far.put("f", bytes(20 * CHUNK_BYTES))
    far.ask("get", id=1, name="f")
    far.transfers.go_on()

    assert far.link.out.is_full
    assert not far.transfers.can_go_on
    assert sum(len(frame.get("data", b"")) for frame in far.told()) == 20 * CHUNK_BYTES


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("none", "gone"),
        ("link", "not_a_file"),
        ("folder", "not_a_file"),
        ("fifo", "not_a_file"),
        ("../x", "not_a_file"),
    ],
)
def test_what_cannot_be_had_is_said(far: Far, name: str, error: str) -> None:
    (far.root / "link").symlink_to("/etc/passwd")
    (far.root / "folder").mkdir()
    os.mkfifo(far.root / "fifo")

    far.ask("get", id=3, name=name)

    assert far.told() == [{"ev": "file_error", "id": 3, "error": error}]


@pytest.mark.parametrize("name", ["folder", "f/g", "../x", "/x", "n" * 300])
def test_a_name_that_cannot_be_put_is_said_once(far: Far, name: str) -> None:
    (far.root / "folder").mkdir()
    (far.root / "f").write_text("f")

    done = far.put(name, b"x")

    assert (done["ev"], done["id"], done["error"]) == ("put_done", 1, "name")
    assert sorted(path.name for path in far.root.iterdir()) == ["f", "folder"]


def test_a_full_workspace_is_said_once_and_what_was_written_is_gone(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    far.ask("put", id=1, name="f", size=10)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", no_room)
        patched.setattr(far.link.out, "flush", lambda: None)
        far.ask("put_data", b"12345", id=1)
        far.ask("put_data", b"67890", id=1)

    assert far.told() == [
        {"ev": "put_done", "id": 1, "mtime": None, "error": "full", "detail": "No space left on device"}
    ]
    assert list(far.root.iterdir()) == []


def test_another_put_takes_the_place_of_one_that_was_not_finished(far: Far) -> None:
    far.ask("put", id=1, name="f", size=10)
    far.ask("put_data", b"12345", id=1)
    done = far.put("g", b"whole", number=2)
    far.ask("put_data", b"67890", id=1)

    assert (done["id"], done["error"]) == (2, None)
    assert far.told() == []
    assert [path.name for path in far.root.iterdir()] == ["g"]


def test_a_new_owner_finds_nothing_on_its_way(far: Far) -> None:
    far.put("f", b"content")
    far.ask("put", id=1, name="g", size=10)
    far.ask("put_data", b"12345", id=1)
    before = open_descriptors()
    far.ask("get", id=2, name="f")
    far.told()
    far.ask("get", id=3, name="f")
    far.transfers.drop()

    assert [frame["ev"] for frame in far.told()] == ["file"]
    assert [path.name for path in far.root.iterdir()] == ["f"]
    assert open_descriptors() < before


def test_data_for_no_file_is_left_alone(far: Far) -> None:
    far.ask("put_data", b"12345", id=7)

    assert far.told() == []


def test_a_list_and_a_rename_are_answered(far: Far) -> None:
    far.put("f", b"12", mtime=1.5)
    far.ask("list", id=1)
    far.ask("rename", id=2, name="f", to="a/g")
    far.ask("rename", id=3, name="f", to="h")
    listed, renamed, failed = far.told()

    assert listed == {"ev": "files", "id": 1, "files": [["f", 2, 1.5]], "complete": True}
    assert renamed == {"ev": "renamed", "id": 2, "error": None}
    assert failed == {"ev": "renamed", "id": 3, "error": "No such file or directory"}
    assert (far.root / "a/g").read_bytes() == b"12"
