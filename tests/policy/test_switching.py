"""Pausing and blocking stop what runs, within a second, on both stores."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.engine.bell import LocalBell
from bot.store.store import Store
from bot.store.switches import Switches
from bot.switching import Switching
from tests.engine.conftest import Engine, until
from tests.fakes.ports import SilentModel

HERE, THERE = "test:T1/C1/1", "test:T1/C1/2"


@pytest.fixture
def engine(address: str, tmp_path: Path) -> Engine:
    return Engine(tmp_path, address)


@asynccontextmanager
async def operator(engine: Engine) -> AsyncIterator[Switching]:
    async with Store.opened(engine.data_dir, engine.address) as store:
        bell = LocalBell(engine.data_dir / "bell")
        yield Switching(Switches(store.database), store.turns, bell, store.audit, "operator:anna")


async def test_a_pause_lets_what_runs_go_on(engine: Engine) -> None:
    model = SilentModel("So far")
    async with engine.worker(model), operator(engine) as switching:
        await engine.ask("think")
        await model.was_asked.wait()

        assert await switching.pause() == []
        assert engine.platform.answers() == []


async def test_a_pause_now_stops_what_runs_within_a_second(engine: Engine) -> None:
    model = SilentModel("So far")
    async with engine.worker(model) as worker, operator(engine) as switching:
        await engine.ask("think", thread=HERE)
        await engine.ask("think too", thread=THERE)
        await until(lambda: worker.running == 2 and model.was_asked.is_set())

        started = time.monotonic()
        assert await switching.pause(now=True) == [HERE, THERE]
        await until(lambda: engine.platform.answers(HERE) and engine.platform.answers(THERE))

        # Without a bell they would be looked for after half a minute.
        assert time.monotonic() - started < 5
    assert "Stopped. What was done so far is kept." in engine.platform.answers(HERE)[0]


async def test_blocking_somebody_stops_what_runs_for_them_alone(engine: Engine) -> None:
    model = SilentModel("So far")
    async with engine.worker(model) as worker, operator(engine) as switching:
        await engine.ask("think", thread=HERE, user="U1")
        await engine.ask("think too", thread=THERE, user="U2")
        await until(lambda: worker.running == 2 and model.was_asked.is_set())

        assert await switching.block("test:T1/U1") == [HERE]
        await until(lambda: engine.platform.answers(HERE) and worker.running == 1)

    assert engine.platform.answers(THERE) == []
