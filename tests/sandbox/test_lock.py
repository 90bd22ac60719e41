"""One borrower at a time, also from process to process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.lock import is_free, locked

DESCRIPTORS = Path("/proc/self/fd")
HOLDER = """
import asyncio, sys
from pathlib import Path
from bot.lock import locked

async def hold():
    async with locked(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print("released", flush=True)

asyncio.run(hold())
"""


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


async def until_locked(folder: Path) -> None:
    async with locked(folder):
        pass


async def is_waiting(task: asyncio.Task[None]) -> bool:
    done, _ = await asyncio.wait([task], timeout=0.15)
    return not done


async def test_one_process_waits_for_the_other(tmp_path: Path) -> None:
    with another_process(tmp_path) as other:
        assert says(other) == "held"
        assert not is_free(tmp_path)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(until_locked(tmp_path))
            was_waiting = await is_waiting(waiting)
            assert other.stdin
            other.stdin.close()

        assert was_waiting
        assert says(other) == "released"
        assert is_free(tmp_path)


async def test_another_process_waits_for_this_one(tmp_path: Path) -> None:
    async with locked(tmp_path):
        with another_process(tmp_path) as other:
            said = asyncio.create_task(asyncio.to_thread(says, other))
            done, _ = await asyncio.wait([said], timeout=0.5)
            assert not done
            other.kill()
            assert await said == ""


async def test_it_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    with another_process(tmp_path) as other:
        assert says(other) == "held"
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(until_locked(tmp_path))
            assert await is_waiting(waiting)
            os.kill(other.pid, signal.SIGKILL)

        assert is_free(tmp_path)


async def test_two_borrowers_in_one_process_take_turns(tmp_path: Path) -> None:
    order = []

    async def borrow(name: str) -> None:
        async with locked(tmp_path):
            order.append(name)
            await asyncio.sleep(0.01)
            order.append(name)

    await asyncio.gather(borrow("a"), borrow("b"), borrow("c"))

    assert order[0::2] == order[1::2]
    assert sorted(order[0::2]) == ["a", "b", "c"]


async def test_who_gives_up_waiting_leaves_nothing_behind(tmp_path: Path) -> None:
    async with locked(tmp_path):
        before = len(list(DESCRIPTORS.iterdir()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(until_locked(tmp_path), 0.1)

        assert len(list(DESCRIPTORS.iterdir())) == before

    assert is_free(tmp_path)


async def test_who_gives_up_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    before = len(list(DESCRIPTORS.iterdir()))
    for _ in range(20):
        taking = asyncio.create_task(until_locked(tmp_path))
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)

    assert len(list(DESCRIPTORS.iterdir())) == before


async def test_it_is_free_after_an_error_in_the_block(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"):
        async with locked(tmp_path):
            raise ValueError("inside")

    assert is_free(tmp_path)


async def test_a_thread_without_a_folder_gets_one(tmp_path: Path) -> None:
    async with locked(tmp_path / "threads" / "new"):
        assert not is_free(tmp_path / "threads" / "new")


async def test_asking_takes_nothing(tmp_path: Path) -> None:
    assert is_free(tmp_path)
    assert is_free(tmp_path)
