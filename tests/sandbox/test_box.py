"""One box that we are attached to: cells, files and jobs, over the bytes that it would send."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.errors import SandboxLost
from sandbox import box as module
from sandbox.box import Box, Cell, FileProblem, Forgotten
from sandbox.collected import Collected
from sandbox.wire import CHUNK_BYTES
from tests.sandbox.fake_box import FakeBox, opened, with_files

T = TypeVar("T")

CELL = Cell("c1", "print('é')", seconds=10)
DONE: dict[str, Any] = {"cell": "c1", "status": "ok", "seconds": 0.5, "kernel": 1}


async def both(asking: Awaitable[T], answering: Awaitable[object]) -> T:
    answer, _ = await asyncio.gather(asking, answering)
    return answer


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READY_SECONDS", "ANSWER_SECONDS", "LATE_SECONDS", "JOB_LATE_SECONDS"):
        monkeypatch.setattr(module, name, 0.05)


async def test_a_cell_is_sent_with_its_deadline_and_heard_to_its_end() -> None:
    texts: list[str] = []
    collected = Collected()

    async def run(far: FakeBox) -> dict[str, Any]:
        asked = await far.hear()
        far.say("text", b"1\n", cell="c1")
        far.say("display", b"png", cell="c1", kind="display", parts=[["image/png", 3]])
        far.say("done", **DONE | {"kernel": 2, "memory": 1000})
        return asked

    async with opened() as (box, far):
        done, asked = await asyncio.gather(
            box.run(Cell("c1", "print('é')", 10, texts.append), collected), run(far)
        )

    assert (asked["op"], asked["cell"], asked["seconds"]) == ("exec", "c1", 10)
    assert asked["payload"].decode() == "print('é')"
    assert (done.status, done.seconds, collected.done) == ("ok", 0.5, done)
    assert (box.kernel, box.memory_bytes) == (2, 1000)
    assert texts == ["1\n"]
    assert len(collected.items) == 2


async def test_code_with_half_a_character_is_sent_all_the_same() -> None:
    async def run(far: FakeBox) -> bytes:
        asked = await far.hear()
        far.say("done", **DONE)
        return bytes(asked["payload"])

    async with opened() as (box, far):
        _, code = await asyncio.gather(box.run(Cell("c1", "'\ud800'", 10), Collected()), run(far))

    assert code == b"'?'"


async def test_what_is_said_of_other_cells_does_not_count() -> None:
    collected = Collected()

    async def run(far: FakeBox) -> None:
        await far.hear()
        far.say("text", b"old", cell="c0")
        far.say("done", **DONE | {"cell": "c0", "status": "raised"})
        far.say("pong", id=0)
        far.say("put_done", id=7, mtime=1.0)
        far.say("text", b"new", cell="c1")
        far.say("done", **DONE)

    async with opened() as (box, far):
        done = await both(box.run(CELL, collected), run(far))

    assert done.status == "ok"
    assert collected.items == ["new"]


@pytest.mark.parametrize("lost", [None, ["total"]], ids=["in time", "with its kernel"])
async def test_a_cell_that_nobody_waits_for_any_more_is_stopped(lost: list[str] | None) -> None:
    asked: list[str] = []

    async def run(far: FakeBox) -> None:
        asked.append((await far.hear())["op"])
        far.say("busy", cell="c1")
        asked.append((await far.hear())["op"])
        far.say("text", b"old", cell="c0")
        far.say("done", **DONE | {"cell": "c0", "status": "interrupted", "lost": lost})
        asked.append((await far.hear())["op"])
        far.say("text", b"new", cell="c1")
        far.say("done", **DONE)

    collected = Collected()
    async with opened() as (box, far):
        done = await both(box.run(CELL, collected), run(far))

    assert asked == ["exec", "interrupt", "exec"]
    assert (done.cell, done.status, done.lost) == ("c1", "ok", lost)
    assert collected.items == ["new"]


@pytest.mark.parametrize(
    ("ev", "facts", "error"),
    [("unknown", {"was_run": True}, Forgotten), ("garbled", {}, SandboxLost)],
)
async def test_a_cell_that_does_not_run_is_an_error(
    ev: str, facts: dict[str, Any], error: type[Exception]
) -> None:
    async def run(far: FakeBox) -> None:
        await far.hear()
        far.say(ev, cell="c1", **facts)

    async with opened() as (box, far):
        with pytest.raises(error):
            await both(box.run(CELL, Collected()), run(far))


async def test_a_box_that_puts_out_more_than_it_should_is_lost() -> None:
    async def run(far: FakeBox) -> None:
        await far.hear()
        for _ in range(20):
            far.say("text", b"x" * 100_000, cell="c1")

    async with opened() as (box, far):
        with pytest.raises(SandboxLost, match="more than a box lets through"):
            await both(box.run(CELL, Collected()), run(far))

        assert box.has_ended


@pytest.mark.usefixtures("is_impatient")
async def test_a_box_that_does_not_say_how_a_cell_ended_is_lost() -> None:
    collected = Collected()

    async def run(far: FakeBox) -> None:
        await far.hear()
        far.say("text", b"so far", cell="c1")

    async with opened() as (box, far):
        with pytest.raises(SandboxLost, match="does not say how the cell ended"):
            await both(box.run(Cell("c1", "", seconds=0.05), collected), run(far))

        assert box.has_ended
    assert collected.items == ["so far"]


async def test_a_box_that_ends_in_mid_cell_is_lost() -> None:
    async def run(far: FakeBox) -> None:
        await far.hear()
        far.end()

    async with opened() as (box, far):
        with pytest.raises(SandboxLost, match="connection has ended"):
            await both(box.run(CELL, Collected()), run(far))


async def test_a_first_kernel_is_waited_for() -> None:
    async def start(far: FakeBox) -> None:
        far.say("pong", id=0)
        far.say("ready", boot="b", kernel=1)

    async with opened(kernel=None) as (box, far):
        before = box.kernel
        await both(box.until_ready(), start(far))

        assert (before, box.kernel) == (None, 1)


@pytest.mark.usefixtures("is_impatient")
async def test_a_kernel_that_never_starts_is_lost() -> None:
    async with opened(kernel=None) as (box, _):
        with pytest.raises(SandboxLost, match="kernel does not start"):
            await box.until_ready()


async def test_a_kernel_that_died_between_two_cells_is_noticed() -> None:
    async def answer(far: FakeBox) -> None:
        far.say("died", why="signal SIGKILL", kernel=2, lost=["x"])
        far.say("files", id=(await far.hear())["id"], files=[])

    async with opened() as (box, far):
        await both(box.files(), answer(far))

        assert box.kernel == 2


async def test_interruptions_and_pings_wait_for_nothing() -> None:
    async with opened() as (box, far):
        await box.interrupt()
        await box.ping()

        assert [(await far.hear())["op"], (await far.hear())["op"]] == ["interrupt", "ping"]


@pytest.mark.parametrize("status", ["ok", "failed", "timed_out", "too_large"])
async def test_a_job_is_answered_with_its_output(status: str) -> None:
    async def answer(far: FakeBox) -> dict[str, Any]:
        asked = await far.hear()
        far.say("job_done", b"no", id=asked["id"] + 1, status="failed")
        far.say("job_done", b"output", id=asked["id"], status=status, detail="why")
        return asked

    async with opened() as (box, far):
        done, asked = await asyncio.gather(box.job("profile", {"name": "f"}, 3, 100, b"in"), answer(far))

    assert (asked["op"], asked["name"], asked["args"]) == ("job", "profile", {"name": "f"})
    assert (asked["seconds"], asked["max_bytes"], asked["payload"]) == (3, 100, b"in")
    assert (done.status, done.detail, done.payload) == (status, "why", b"output")


@pytest.mark.usefixtures("is_impatient")
async def test_a_job_that_is_never_answered_loses_the_box() -> None:
    async with opened() as (box, _):
        with pytest.raises(SandboxLost, match="JobDone"):
            await box.job("profile", {}, 0.05, 100)


async def content_of(box: Box, name: str, most_bytes: int = 10**9) -> bytes:
    return b"".join([piece async for piece in box.get(name, most_bytes)])


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 5 * CHUNK_BYTES + 1])
async def test_files_go_in_and_come_out_unchanged(tmp_path: Path, size: int) -> None:
    source, root = tmp_path / "source", tmp_path / "workspace"
    source.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    root.mkdir()

    async with with_files(root) as box:
        modified = await box.put("a/b.bin", source)
        content = await content_of(box, "a/b.bin")
        files = (await box.files()).files

    assert content == source.read_bytes()
    assert files == [("a/b.bin", size, modified)]


async def test_a_file_is_put_with_its_time(tmp_path: Path) -> None:
    async with with_files(tmp_path) as box:
        assert await box.put("f", Path(__file__), 1_600_000_000.5) == 1_600_000_000.5


async def test_what_cannot_be_put_or_got_is_a_problem_and_the_box_lives(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    async with with_files(tmp_path) as box:
        with pytest.raises(FileProblem) as put:
            await box.put("folder", Path(__file__))
        with pytest.raises(FileProblem) as missing:
            await content_of(box, "none")
        with pytest.raises(FileProblem) as folder:
            await content_of(box, "folder")
        renamed = await box.rename("none", "other")
        alive = await box.files()

    assert [each.value.kind for each in (put, missing, folder)] == ["name", "gone", "not_a_file"]
    assert renamed == "No such file or directory"
    assert alive.complete


async def test_a_file_that_is_larger_than_wanted_is_a_problem_and_the_next_one_comes(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 * CHUNK_BYTES))
    (tmp_path / "small").write_bytes(b"small")

    async with with_files(tmp_path) as box:
        with pytest.raises(FileProblem) as raised:
            await content_of(box, "large", CHUNK_BYTES)
        content = await content_of(box, "small", 5)

    assert raised.value.kind == "full"
    assert content == b"small"


async def test_a_file_that_nobody_read_to_its_end_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 * CHUNK_BYTES))
    (tmp_path / "small").write_bytes(b"small")

    async with with_files(tmp_path) as box:
        pieces = box.get("large", 10**9)
        first = await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]  # it is a generator
        content = await content_of(box, "small")

    assert len(first) == CHUNK_BYTES
    assert content == b"small"


async def test_a_source_that_becomes_shorter_is_a_problem_and_the_next_one_goes(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    shrinking = tmp_path / "source"
    shrinking.write_bytes(bytes(10))

    async with with_files(tmp_path / "workspace") as box:
        send, shrunk = box._channel.send, False

        async def shrink_before_the_data(op: str, *args: Any, **facts: Any) -> None:
            nonlocal shrunk
            if not shrunk:
                shrunk = True
                shrinking.write_bytes(b"")
            await send(op, *args, **facts)

        box._channel.send = shrink_before_the_data  # type: ignore[method-assign]  # the moment to be met
        with pytest.raises(FileProblem, match="shorter"):
            await box.put("f", shrinking)
        await box.put("g", Path(__file__))
        files = (await box.files()).files

    assert [name for name, _, _ in files] == ["g"]


async def test_a_workspace_without_room_is_a_problem(tmp_path: Path) -> None:
    async def answer(far: FakeBox) -> None:
        asked = await far.hear()
        far.say("put_done", id=asked["id"], mtime=None, error="full", detail="No space left on device")

    async with opened() as (box, far):
        with pytest.raises(FileProblem, match="full No space left") as raised:
            await both(box.put("f", Path(__file__)), answer(far))

    assert raised.value.kind == "full"


@pytest.mark.usefixtures("is_impatient")
async def test_a_file_that_stops_coming_loses_the_box() -> None:
    async def answer(far: FakeBox) -> None:
        asked = await far.hear()
        far.say("file", id=asked["id"], size=100)
        far.say("file_data", b"half", id=asked["id"])

    async with opened() as (box, far):
        with pytest.raises(SandboxLost, match="FileData"):
            await both(content_of(box, "f"), answer(far))


async def test_a_closed_box_has_ended() -> None:
    async with opened() as (box, far):
        await box.close()

        assert box.has_ended
        assert await far.reader.read() == b""
