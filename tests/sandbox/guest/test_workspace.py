"""A session's files are reached without following a link, and what changed is said."""

import contextlib
import errno
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.guest import workspace as module
from sandbox.guest.workspace import INCOMING, MOST_LEVELS, NAME_BYTES, Workspace

BAD_NAMES = ["", ".", "..", "/", "/etc/passwd", "../x", "a/../x", "a//x", "./x", "a/", "a/.", "x\0y"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The workspace; beside it lies what nobody may reach."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace(root)


def outside(root: Path) -> Path:
    return root.parent / "outside"


def put(workspace: Workspace, name: str, content: bytes = b"new") -> None:
    with workspace.incoming(name) as descriptor:
        os.write(descriptor, content)


def got(workspace: Workspace, name: str) -> bytes:
    with workspace.outgoing(name) as descriptor:
        return os.read(descriptor, 1000)


def changed(workspace: Workspace) -> tuple[list[str], list[str], bool]:
    """Names of what changed and of what is gone, and whether that is all."""
    changes: dict[str, Any] = workspace.changes()
    return [name for name, _, _ in changes["changed"]], changes["gone"], changes["complete"]


def listed(workspace: Workspace) -> list[str]:
    files: dict[str, Any] = workspace.listed()
    return [name for name, _, _ in files["files"]]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def nothing_was_touched(root: Path) -> bool:
    found = {path.name: path.read_text() for path in outside(root).iterdir()}
    return found == {"secret": "secret"}


def test_what_is_put_can_be_got(workspace: Workspace, root: Path) -> None:
    put(workspace, "a/b/c.txt", b"content")

    assert got(workspace, "a/b/c.txt") == b"content"
    assert (root / "a/b/c.txt").read_bytes() == b"content"


def test_a_file_is_replaced_as_a_whole(workspace: Workspace, root: Path) -> None:
    put(workspace, "f", b"old and long")
    with (root / "f").open("rb") as reader:
        with workspace.incoming("f") as descriptor:
            os.write(descriptor, b"ne")
            while_it_comes = got(workspace, "f")
            os.write(descriptor, b"w")

        assert reader.read() == b"old and long"
    assert (while_it_comes, got(workspace, "f")) == (b"old and long", b"new")


def test_a_file_that_does_not_come_whole_leaves_nothing(workspace: Workspace, root: Path) -> None:
    put(workspace, "f", b"old")
    with pytest.raises(OSError, match="not finished"), workspace.incoming("f") as descriptor:
        os.write(descriptor, b"half")
        raise OSError(errno.EIO, "not finished")

    assert got(workspace, "f") == b"old"
    assert names_in(root) == ["f"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_name_leads_out_of_the_workspace(workspace: Workspace, root: Path, name: str) -> None:
    (root / "a").mkdir()
    (root / "f").write_text("f")

    with pytest.raises(OSError, match="not a name"):
        got(workspace, name)
    with pytest.raises(OSError, match="not a name"):
        put(workspace, name)
    with pytest.raises(OSError, match="not a name"):
        workspace.rename("f", name)
    with pytest.raises(OSError, match="not a name"):
        workspace.rename(name, "g")
    assert names_in(root.parent) == ["outside", "workspace"]


def test_a_link_is_not_read_through(workspace: Workspace, root: Path) -> None:
    (root / "link").symlink_to(outside(root) / "secret")
    (root / "inner").write_text("inner")
    (root / "inward").symlink_to("inner")

    for name in ("link", "inward"):
        with pytest.raises(OSError) as raised:
            got(workspace, name)
        assert raised.value.errno == errno.ELOOP


def test_a_folder_that_is_a_link_is_not_entered(workspace: Workspace, root: Path) -> None:
    (root / "link").symlink_to(outside(root))
    (root / "f").write_text("f")

    with pytest.raises(OSError):
        got(workspace, "link/secret")
    with pytest.raises(OSError):
        put(workspace, "link/secret")
    with pytest.raises(OSError):
        put(workspace, "link/deeper/new")
    with pytest.raises(OSError):
        workspace.rename("link/secret", "stolen")
    with pytest.raises(OSError):
        workspace.rename("f", "link/f")
    assert nothing_was_touched(root)


@pytest.mark.parametrize("target", ["../outside/secret", "../outside", "../outside/new", "link", "/dev/full"])
def test_what_is_put_replaces_a_link_and_not_what_it_points_to(
    workspace: Workspace, root: Path, target: str
) -> None:
    (root / "link").symlink_to(target)

    put(workspace, "link")

    assert not (root / "link").is_symlink()
    assert got(workspace, "link") == b"new"
    assert nothing_was_touched(root)


def test_what_is_renamed_replaces_a_link_and_not_what_it_points_to(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("f")
    (root / "link").symlink_to(outside(root) / "secret")

    workspace.rename("f", "link")

    assert got(workspace, "link") == b"f"
    assert nothing_was_touched(root)


def test_a_hard_link_elsewhere_keeps_its_content(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("old")
    os.link(root / "f", outside(root) / "other")

    put(workspace, "f")

    assert (outside(root) / "other").read_text() == "old"


@pytest.fixture
def fifo(root: Path) -> Path:
    os.mkfifo(root / "fifo")
    return root / "fifo"


def test_a_fifo_is_not_waited_for(workspace: Workspace, fifo: Path) -> None:
    began = time.monotonic()
    with pytest.raises(OSError, match="not a regular file"):
        got(workspace, fifo.name)
    with pytest.raises(OSError, match="not a regular file"):
        workspace.rename(fifo.name, "g")

    assert listed(workspace) == []
    assert time.monotonic() - began < 1


def test_what_is_put_replaces_a_fifo(workspace: Workspace, fifo: Path) -> None:
    put(workspace, fifo.name)

    assert got(workspace, fifo.name) == b"new"


def test_devices_sockets_and_folders_are_no_files(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "folder").mkdir()
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")

        for name in ("folder", "socket"):
            with pytest.raises(OSError):
                got(workspace, name)
            with pytest.raises(OSError, match="not a regular file"):
                workspace.rename(name, "g")
        # Only root can make a device. Never look into /dev itself: a workspace is closed to all others.
        with contextlib.suppress(PermissionError):
            os.mknod("zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
            with pytest.raises(OSError, match="not a regular file"):
                got(workspace, "zero")
        assert listed(workspace) == []


def test_a_folder_is_not_replaced_by_a_file(workspace: Workspace, root: Path) -> None:
    (root / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        put(workspace, "folder")
    with pytest.raises(NotADirectoryError):
        put(workspace, "f")
        put(workspace, "f/g")
    assert names_in(root) == ["f", "folder"]


def test_a_file_that_is_not_there_is_gone(workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError):
        got(workspace, "none")
    with pytest.raises(FileNotFoundError):
        got(workspace, "no/folder")
    with pytest.raises(FileNotFoundError):
        workspace.rename("none", "other")


def test_a_name_that_is_too_long_for_the_disk_is_an_error_like_others(workspace: Workspace) -> None:
    with pytest.raises(OSError) as raised:
        put(workspace, "n" * 300)

    assert raised.value.errno == errno.ENAMETOOLONG


def test_a_rename_moves_also_into_new_folders(workspace: Workspace, root: Path) -> None:
    put(workspace, "a/f", b"f")
    put(workspace, "g", b"g")

    workspace.rename("a/f", "b/c/f")
    workspace.rename("b/c/f", "g")

    assert got(workspace, "g") == b"f"
    assert listed(workspace) == ["g"]


def test_nothing_has_changed_where_nothing_was_done(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("f")
    workspace.changes()

    assert changed(workspace) == ([], [], True)


def test_new_changed_and_gone_files_are_said_once(workspace: Workspace, root: Path) -> None:
    for name in ("same", "longer", "touched", "other", "gone"):
        (root / name).write_text("1")
    assert changed(workspace) == (["gone", "longer", "other", "same", "touched"], [], True)

    (root / "longer").write_text("12")
    os.utime(root / "touched", ns=(1, 1))
    (root / "new").write_text("1")
    (root / "gone").unlink()

    assert changed(workspace) == (["longer", "new", "touched"], ["gone"], True)
    assert changed(workspace) == ([], [], True)


def test_a_file_of_the_same_size_and_time_has_changed_all_the_same(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("1")
    workspace.changes()
    status = (root / "f").stat()

    (root / "f").write_text("2")
    os.utime(root / "f", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert changed(workspace) == (["f"], [], True)


def test_what_the_host_did_is_no_news_to_it(workspace: Workspace, root: Path) -> None:
    put(workspace, "a/f")
    put(workspace, "g")
    with workspace.incoming("timed") as descriptor:
        os.utime(descriptor, (1, 1))
    workspace.rename("g", "h")

    assert changed(workspace) == ([], [], True)


def test_sizes_and_times_are_said(workspace: Workspace, root: Path) -> None:
    (root / "f").write_bytes(bytes(1234))
    os.utime(root / "f", (1, 1_700_000_000.25))

    assert workspace.listed() == {"files": [("f", 1234, 1_700_000_000.25)], "complete": True}
    assert workspace.changes() == {"changed": [("f", 1234, 1_700_000_000.25)], "gone": [], "complete": True}


def test_links_to_files_and_folders_are_not_listed(workspace: Workspace, root: Path) -> None:
    (root / "a").mkdir()
    (root / "a/f").write_text("f")
    (root / "link").symlink_to("a/f")
    (root / "folder").symlink_to("a")
    (root / "a/round").symlink_to("..")
    (root / "out").symlink_to(outside(root))
    (root / "dead").symlink_to("nothing")

    assert listed(workspace) == ["a/f"]


def test_a_file_that_became_a_link_is_gone(workspace: Workspace, root: Path) -> None:
    put(workspace, "f")
    (root / "f").unlink()
    (root / "f").symlink_to(outside(root) / "secret")

    assert changed(workspace) == ([], ["f"], True)


def test_what_is_still_coming_is_not_listed(workspace: Workspace) -> None:
    with workspace.incoming("f") as descriptor:
        os.write(descriptor, b"half")

        assert listed(workspace) == []
        assert changed(workspace) == ([], [], True)


def test_names_that_are_not_utf8_are_left_out_and_that_is_said(workspace: Workspace, root: Path) -> None:
    (root / "good").write_text("f")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff")).write_text("f")

    assert listed(workspace) == ["good"]
    assert changed(workspace) == (["good"], [], False)


def test_a_name_that_the_host_would_not_ask_for_is_left_out_and_that_is_said(
    workspace: Workspace, root: Path
) -> None:
    long = "/".join(["d" * 200] * (NAME_BYTES // 200 + 1))
    (root / long).mkdir(parents=True)
    (root / long / "f").write_text("f")

    assert changed(workspace) == ([], [], False)


@pytest.fixture
def deep(root: Path) -> Iterator[Path]:
    """Folders in folders, deeper than any path reaches."""
    here = os.getcwd()  # noqa: PTH109
    os.chdir(root)
    for _ in range(2500):
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    Path("f").write_text("f")
    os.chdir(here)
    yield root
    # rmtree would go down as deep as this by calling itself.
    os.system(f"rm -rf '{root}'")  # noqa: S605


def test_deep_folders_cost_no_time(workspace: Workspace, deep: Path) -> None:
    (deep / "f").write_text("f")
    began = time.monotonic()

    assert changed(workspace) == (["f"], [], False)
    assert time.monotonic() - began < 1


def test_ordinary_depth_is_looked_into(workspace: Workspace, root: Path) -> None:
    name = "/".join(["d"] * MOST_LEVELS + ["f"])
    put(workspace, name)

    assert listed(workspace) == [name]
    assert got(workspace, name) == b"new"


def test_a_scan_ends_at_its_most_files_and_says_so(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 5)
    for number in range(9):
        (root / f"f{number}").write_text("f")

    names, gone, complete = changed(workspace)

    assert (len(names), gone, complete) == (5, [], False)


def test_a_file_that_a_scan_did_not_reach_is_not_called_gone(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        (root / f"f{number}").write_text("f")
    workspace.changes()
    monkeypatch.setattr(module, "MOST_FILES", 5)
    (root / "f3").unlink()
    (root / "f4").unlink()
    (root / "f4").symlink_to("f5")

    assert changed(workspace) == ([], ["f3", "f4"], False)
    assert changed(workspace) == ([], [], False)


def test_a_file_in_a_closed_folder_is_not_called_gone(workspace: Workspace, root: Path) -> None:
    put(workspace, "a/f")
    (root / "a").chmod(0)
    if os.access(root / "a", os.R_OK):
        pytest.skip("no folder is closed to root")

    assert changed(workspace) == ([], [], False)


def test_a_workspace_that_is_not_there_is_empty(workspace: Workspace, root: Path) -> None:
    put(workspace, "f")
    shutil.rmtree(root)

    assert changed(workspace) == ([], ["f"], False)


def test_more_names_than_a_frame_holds_are_said_by_and_by(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMES_BYTES", 30)
    for number in range(8):
        (root / f"file-{number}").write_text("f")

    said = [changed(workspace) for _ in range(4)]
    for number in range(4):
        (root / f"file-{number}").unlink()
    said += [changed(workspace) for _ in range(2)]

    assert [len(names) for names, _, _ in said] == [3, 3, 2, 0, 0, 0]
    assert [gone for _, gone, _ in said[4:]] == [["file-0", "file-1", "file-2"], ["file-3"]]
    assert [complete for _, _, complete in said] == [False, False, True, True, False, True]


names = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), names),
        st.tuples(st.just("remove"), names),
        st.tuples(st.just("put"), names),
        st.tuples(st.just("look"), names),
    ),
    max_size=15,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_who_follows_all_changes_knows_what_is_there(tmp_path: Path, steps: list[tuple[str, str]]) -> None:
    root = tmp_path / os.urandom(8).hex()
    root.mkdir()
    workspace = Workspace(root)
    known: set[str] = set()

    for number, (step, name) in enumerate([*steps, ("look", "")]):
        path = root / name
        if step == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(number))
        elif step == "remove":
            path.unlink(missing_ok=True)
        elif step == "put":
            put(workspace, name)
            known.add(name)
        else:
            new, gone, _ = changed(workspace)
            assert not set(new) & set(gone)
            known = (known | set(new)) - set(gone)

    assert known == {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert sorted(known) == listed(workspace)


def test_what_is_still_coming_has_a_name_that_is_no_ones() -> None:
    assert INCOMING.startswith(".")
