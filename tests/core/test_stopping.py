"""Waiting for something that a person may stop."""

import asyncio

import pytest

from bot.stopping import Stopped, unless_stopped, until_stopped


async def test_work_that_nobody_stops_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await unless_stopped(asyncio.Event(), work()) == 7


async def test_an_error_of_the_work_comes_out_as_it_is() -> None:
    async def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await unless_stopped(asyncio.Event(), work())


async def test_stopped_work_has_ended_when_the_caller_hears_of_it() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(Stopped):
        await unless_stopped(stop, work())
    assert ended.is_set()


async def test_after_a_stop_nothing_begins() -> None:
    stop = asyncio.Event()
    stop.set()

    async def work() -> None:
        raise AssertionError("began")

    with pytest.raises(Stopped):
        await unless_stopped(stop, work())


async def test_work_that_is_interrupted_still_gives_its_result() -> None:
    stop, interrupted = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        stop.set()
        await interrupted.wait()
        return "half of it"

    async def interrupt() -> None:
        interrupted.set()

    assert await until_stopped(stop, work(), interrupt) == "half of it"


async def test_work_that_ignores_its_interruption_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.stopping.INTERRUPT_SECONDS", 0.01)
    stop = asyncio.Event()

    async def work() -> None:
        stop.set()
        await asyncio.Event().wait()

    async def interrupt() -> None:
        pass

    with pytest.raises(Stopped):
        await until_stopped(stop, work(), interrupt)


async def test_cancelling_the_caller_ends_the_work() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(unless_stopped(asyncio.Event(), work()))
    await began.wait()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
