"""Alive, ready, in numbers: over HTTP, measured where the work is."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot import health, metrics
from bot.errors import SandboxNotReady, StoreUnavailable
from bot.health import Health, serving
from bot.store.store import Store
from bot.transcript import Usage
from tests.store.filled import doing


@pytest.fixture
async def of(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Health]:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0)
    yield Health(store.database)


async def get(one: Health, path: str) -> tuple[int, str]:
    async with (
        serving(one, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def test_what_runs_is_alive_whatever_is_broken(of: Health) -> None:
    async def down() -> bool:
        raise SandboxNotReady("no engine")

    of.checks["engine"] = down

    assert await get(of, "/healthz") == (200, "ok\n")


async def test_it_is_ready_once_every_part_is(of: Health) -> None:
    connected = False

    async def slack() -> bool:
        return connected

    of.checks["slack"] = slack

    assert await get(of, "/readyz") == (503, "store ok\nslack failed\n")
    connected = True
    assert await get(of, "/readyz") == (200, "store ok\nslack ok\n")


async def test_a_check_that_fails_says_so_without_details(of: Health) -> None:
    async def engine() -> bool:
        raise SandboxNotReady("unix:///secret.sock")

    of.checks["engine"] = engine

    assert await get(of, "/readyz") == (503, "store ok\nengine failed\n")


async def test_a_check_that_hangs_is_not_waited_for(of: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)

    async def deaf() -> bool:
        await asyncio.Event().wait()
        return True

    of.checks["discord"] = deaf
    started = time.monotonic()

    assert (await get(of, "/readyz"))[0] == 503
    assert time.monotonic() - started < 3


async def test_a_store_that_is_gone_is_not_ready_and_still_counted(of: Health) -> None:
    async def gone(_: object) -> object:
        raise StoreUnavailable("connection refused")

    of.database.read = gone  # type: ignore[method-assign, assignment]

    assert await get(of, "/readyz") == (503, "store failed\n")
    assert 'plotline_ready{check="store"} 0.0' in (await get(of, "/metrics"))[1]


async def test_what_drains_takes_nothing_new(of: Health) -> None:
    of.is_draining = True

    assert await get(of, "/readyz") == (503, "store ok\ndraining failed\n")


async def test_numbers_are_there_for_queue_sessions_model_and_turns(
    of: Health, store: Store, request: pytest.FixtureRequest
) -> None:
    model = f"gpt-{request.node.name}"
    of.sessions = lambda: 3
    await doing(store, "a")
    metrics.model_called(model, "ok", Usage(100, 10, 20))
    metrics.turn_ended("ok", 5.0, 3.0, 1.0)
    metrics.refusals.labels("guests").inc()

    status, text = await get(of, "/metrics")

    assert status == 200
    assert 'plotline_queue_turns{state="running"} 1.0' in text
    assert "plotline_sessions 3.0" in text
    assert f'plotline_tokens_total{{kind="input",model="{model}"}} 100.0' in text
    assert 'plotline_turn_seconds_count{part="model"}' in text
    assert 'plotline_refusals_total{rule="guests"}' in text
    assert 'plotline_ready{check="store"} 1.0' in text


async def test_checks_are_made_once_for_many_who_ask(of: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 60)
    asked = 0

    async def engine() -> bool:
        nonlocal asked
        asked += 1
        return True

    of.checks["engine"] = engine
    await asyncio.gather(*(of.readiness() for _ in range(20)))

    assert asked == 1
