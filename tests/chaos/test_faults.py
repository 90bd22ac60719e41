"""What a turn needs goes away for a while: the work waits, or the thread hears of it. Nothing is lost or done twice."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.chaos.engine_proxy import EngineProxy
from tests.chaos.story import ANSWER, CHARTS
from tests.chaos.test_kills import told
from tests.chaos.trial import Scene, Trial
from tests.fakes.openai_answers import Fails, Json
from tests.operator.test_bucket import KEYS, Bucket
from tests.sandbox.conftest import docker
from tests.store.postgres import Cluster

pytestmark = pytest.mark.docker

QUICK = {"try_again_seconds": 0.3, "deliver_again_seconds": 0.3}
LEASES = {"lease_seconds": 2.0, "renew_seconds": 0.4}


# The store


async def test_a_database_that_another_process_has_locked_for_a_while(scene: Scene) -> None:
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        other = threading.Thread(target=locked, args=(trial.plan.data_dir / "plotline.db", 2.0))
        trial.when_asked(1, other.start)
        turn = await trial.ask("work")
        trial.begin()

        assert await trial.ended(turn) == "ok"
        other.join()
        await trial.check()


def locked(file: Path, seconds: float) -> None:
    """For all others."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("COMMIT")


@pytest.mark.chaos
@pytest.mark.parametrize("patience", [60, 0.5])
async def test_a_database_server_that_is_gone_for_a_while(
    scene: Scene, own_cluster: Callable[[], Cluster], patience: float
) -> None:
    """Whether that is shorter than one waits for an answer of it, or longer; and longer than a lease in any case."""
    cluster = own_cluster()
    address = await cluster.new_store()
    async with (
        Trial.staged(scene, "lookup", address, patience_seconds=patience, **QUICK, **LEASES) as trial,
        told(trial, 0),
    ):
        gone = threading.Thread(target=stopped, args=(cluster, 6.0))
        trial.when_asked(2, gone.start)
        turn = await trial.ask("work")
        trial.begin()
        await asyncio.to_thread(wait_for, gone)

        assert await trial.ended(turn) == "ok"
        await trial.check()


def stopped(cluster: Cluster, seconds: float) -> None:
    cluster.stop()
    time.sleep(seconds)
    cluster.start()


def wait_for(thread: threading.Thread) -> None:
    """Until it has begun, and ended."""
    while not thread.ident:
        time.sleep(0.05)
    thread.join()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.chaos
@pytest.mark.parametrize("results", [0, 2])
async def test_a_disk_that_is_full_for_a_while(scene: Scene, small_disk: Path, results: int) -> None:
    scene.folder = small_disk
    filler = small_disk / "filler"
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        trial.when_asked(results, lambda: fill(filler))
        turn = await trial.ask("work")
        trial.begin()
        await asyncio.to_thread(until_full, filler)
        await asyncio.sleep(2)
        assert await trial.outcome(turn) is None
        filler.unlink()

        assert await trial.ended(turn) == "ok"
        await trial.check()


def fill(filler: Path) -> None:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def until_full(filler: Path) -> None:
    while not filler.exists():
        time.sleep(0.05)


class WeakBucket(Bucket):
    """Not there while `is_down`."""

    is_down = False

    async def handle(self, request: web.Request) -> web.Response:
        if self.is_down:
            return web.Response(status=503)
        return await super().handle(request)

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        keys = {**KEYS, "AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}
        return tuple(keys.items())

    url: str = ""


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WeakBucket]:
    there = WeakBucket()
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{tail:.*}", there.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for name, value in there.environment:
        monkeypatch.setenv(name, value)
    yield there
    await runner.cleanup()


@pytest.mark.chaos
@pytest.mark.parametrize("patience", [60, 0.5])
async def test_a_store_of_files_that_is_gone_for_a_while(
    scene: Scene, bucket: WeakBucket, postgres: Cluster, patience: float
) -> None:
    """The cell has run by then, and what it left cannot be stored."""
    async with (
        Trial.staged(
            scene,
            "key",
            await postgres.new_store(),
            files_url="s3://plotline",
            environment=bucket.environment,
            patience_seconds=patience,
            **QUICK,
            **LEASES,
        ) as trial,
        told(trial, 0),
    ):
        trial.when_asked(1, lambda: setattr(bucket, "is_down", True))
        turn = await trial.ask("work")
        trial.begin()
        async with asyncio.timeout(20):
            while not bucket.is_down:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(4)
        assert await trial.outcome(turn) is None
        bucket.is_down = False

        assert await trial.ended(turn) == "ok"
        await trial.check()


# The clock


@pytest.mark.chaos
@pytest.mark.parametrize("where", ["sqlite", "postgres"])
async def test_a_clock_that_jumps(scene: Scene, where: str, request: pytest.FixtureRequest) -> None:
    """By a day, there and back, again and again; and a worker dies meanwhile."""
    address = "" if where == "sqlite" else await request.getfixturevalue("postgres").new_store()
    day = 24 * 3600.0
    async with (
        Trial.staged(scene, "lookup", address, clock_jumps=(0, day, -day, 7), **QUICK, **LEASES) as trial,
        told(trial, 0),
    ):
        turn = await trial.ask("work")
        assert await trial.has_died(turn, trial.begin(trial.plan.dying(40)))
        trial.begin()

        assert await trial.ended(turn) == "ok"
        await trial.check()


# The model


@pytest.mark.parametrize(
    "failures", [2, pytest.param(100, marks=pytest.mark.chaos)], ids=["for-moments", "for-long"]
)
async def test_a_model_endpoint_that_is_gone_for_a_while(scene: Scene, failures: int) -> None:
    left = failures

    def gone(_path: str, body: Json) -> Fails | None:
        nonlocal left
        # Once there are results.
        if left and any(each["role"] == "tool" for each in body["messages"]):
            left -= 1
            return Fails(503)
        return None

    scene.model.rules.append(gone)
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        turn = await trial.ask("work")
        trial.begin()
        outcome = await trial.ended(turn)
        if failures == 2:
            assert outcome == "ok"
            await trial.check()
            return
        left = 0
        heard = await trial.answer_of(turn)

        assert outcome == "error"
        assert "model" in heard["text"]
        assert "1 [1] 1" in await trial.look()


# The sandbox


async def test_a_container_that_is_gone_in_a_cell(scene: Scene) -> None:
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        turn = await trial.ask("sleep")
        trial.begin()
        await until_cell_runs(trial, turn)
        docker("kill", *trial.containers())

        assert await trial.ended(turn) == "ok"
        assert await trial.outcomes_of_cells(turn) == ["ok", "lost"]
        assert "\nNone None 1\n" in await trial.look()


async def test_a_container_and_a_worker_that_are_gone_in_a_cell(scene: Scene) -> None:
    """As when a machine is switched off."""
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        turn = await trial.ask("sleep")
        process = trial.begin()
        await until_cell_runs(trial, turn)
        process.kill()
        docker("kill", *trial.containers())
        trial.begin()

        assert await trial.ended(turn) == "ok"
        assert await trial.outcomes_of_cells(turn) == ["ok", "lost"]
        assert "\nNone None 1\n" in await trial.look()


@pytest.mark.chaos
async def test_a_container_that_is_gone_between_cells(scene: Scene) -> None:
    """What was there in files is there again; that variables are not is said."""
    async with Trial.staged(scene, "key", "", **QUICK) as trial, told(trial, 0):
        trial.when_asked(2, lambda: docker("kill", *trial.containers()))
        turn = await trial.ask("work")
        trial.begin()

        assert await trial.ended(turn) == "ok"
        assert await trial.outcomes_of_cells(turn) == ["ok", "ok", "raised"]
        assert "None None 123" in await trial.look()


@pytest.mark.chaos
async def test_an_engine_that_cannot_be_reached_for_a_while(scene: Scene, tmp_path: Path) -> None:
    """Its containers live on. The thread hears of it; then everything is there as it was."""
    async with (
        EngineProxy.standing(tmp_path / "engine") as engine,
        Trial.staged(scene, "key", "", environment=engine.environment, **QUICK) as trial,
        told(trial, 0),
    ):
        turn = await trial.ask("sleep")
        trial.begin()
        await until_cell_runs(trial, turn)
        await engine.cut()
        outcome = await trial.ended(turn)
        heard = await trial.answer_of(turn)
        await engine.mend()

        assert outcome == "error"
        assert "cannot run" in heard["text"]
        await asyncio.sleep(3)
        assert "1 None 1S" in await trial.look()


async def until_cell_runs(trial: Trial, turn: str) -> None:
    """The second one, which sleeps; and it is written down that it was begun."""
    async with asyncio.timeout(30):
        while (await trial.store.sessions.load(trial.thread) or {}).get("cell") != f"{turn}:cell:2":  # noqa: ASYNC110  # another process records it
            await asyncio.sleep(0.05)


# The platform


async def test_a_platform_that_takes_nothing_for_a_while(scene: Scene) -> None:
    async with Trial.staged(scene, "lookup", "", **QUICK) as trial, told(trial, 0):
        trial.when_asked(3, lambda: setattr(trial.platform, "is_down", True))
        turn = await trial.ask("work")
        trial.begin()
        async with asyncio.timeout(30):
            while "output" not in await trial.store.steps.of(turn):  # noqa: ASYNC110  # the same
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        assert await trial.outcome(turn) is None
        # It has its turn behind that one.
        behind = await trial.ask("look")
        await asyncio.sleep(0.5)
        assert await trial.outcome(behind) is None
        trial.platform.is_down = False

        assert await trial.ended(turn) == "ok"
        assert await trial.ended(behind) == "ok"
        texts = [each.get("text") or each["file"] for each in trial.platform.seen(trial.thread)]
        assert texts[:3] == [ANSWER, *CHARTS]
        assert len(texts) == 4


# The worker


@pytest.mark.chaos
async def test_a_turn_of_which_workers_die_ends_with_a_sentence(scene: Scene) -> None:
    async with Trial.staged(scene, "lookup", "", **QUICK) as trial, told(trial, 0):
        turn = await trial.ask("work")
        for _ in range(4):
            # Before its first effect each time.
            assert await trial.has_died(turn, trial.begin(trial.plan.dying(2)))
        trial.begin()

        assert await trial.ended(turn) == "error"
        assert "several times" in (await trial.answer_of(turn))["text"]
        assert "I see" in await trial.look()
