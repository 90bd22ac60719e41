"""Progress on its way to the thread."""

import asyncio

import pytest

from bot.execution import Execution, Outcome
from bot.messages import CellFinished, CellStarted, Noted, Update, Writing
from bot.progress import progress_to
from tests.fakes.ports import RecordingThread


class SlowThread(RecordingThread):
    """Shows nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = asyncio.Event()
        self.has_begun = asyncio.Event()

    async def progress(self, update: Update) -> None:
        self.has_begun.set()
        await self.may_go_on.wait()
        await super().progress(update)


async def test_updates_arrive_in_order_before_the_block_ends() -> None:
    thread = RecordingThread()
    updates: list[Update] = [
        Noted("a"),
        CellStarted(1, "x"),
        CellFinished(1, Execution(Outcome.OK, "", 0.1)),
        Writing("b"),
    ]

    async with progress_to(thread) as show:
        for update in updates:
            show(update)

    assert thread.updates == updates


async def test_a_slow_platform_gets_only_the_newest_text() -> None:
    thread = SlowThread()

    async with progress_to(thread) as show:
        show(Writing("a"))
        await thread.has_begun.wait()
        for text in ("ab", "abc", "abcd"):
            show(Writing(text))
        show(CellStarted(1, "x"))
        thread.may_go_on.set()

    assert thread.updates == [Writing("a"), Writing("abcd"), CellStarted(1, "x")]


async def test_a_platform_that_hangs_does_not_hold_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.progress.LAST_WORD_SECONDS", 0.01)

    async with progress_to(SlowThread()) as show:
        show(Writing("a"))


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with progress_to(RecordingThread()):
            raise KeyError


async def test_a_platform_that_fails_against_its_word_is_heard() -> None:
    class FailingThread(RecordingThread):
        async def progress(self, update: Update) -> None:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        async with progress_to(FailingThread()) as show:
            show(Noted("a"))
