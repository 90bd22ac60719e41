"""Bells that wake whoever listens, and only those."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.engine.bell import Bell, LocalBell
from bot.engine.postgres_bell import PostgresBell
from tests.store.postgres import Cluster

Heard = Callable[[], AbstractAsyncContextManager[Bell]]


@pytest.fixture(params=["local", "postgres"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Heard:
    """A listener of one deployment."""
    if request.param == "local":
        return lambda: LocalBell.heard(tmp_path)
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.new_database()

    @asynccontextmanager
    async def listening() -> AsyncIterator[Bell]:
        async with PostgresBell.heard(url) as bell:
            # It rings once it listens.
            await bell.wait(5)
            yield bell

    return listening


async def waited(bell: Bell, most_seconds: float = 5) -> float:
    began = time.monotonic()
    await bell.wait(most_seconds)
    return time.monotonic() - began


async def test_everybody_who_listens_hears_it(heard: Heard) -> None:
    async with heard() as one, heard() as two, heard() as three:
        waiting = asyncio.gather(waited(one), waited(two), waited(three))
        await asyncio.sleep(0.05)
        await one.ring()

        assert max(await waiting) < 1


async def test_what_rang_before_somebody_waited_is_heard_then(heard: Heard) -> None:
    async with heard() as one, heard() as two:
        await one.ring()
        await asyncio.sleep(0.1)

        assert await waited(two) < 1


async def test_nothing_is_heard_where_nothing_rings(heard: Heard) -> None:
    async with heard() as bell:
        await bell.wait(0.01)

        assert await waited(bell, 0.2) >= 0.2


async def test_who_has_ended_is_not_in_the_way(heard: Heard) -> None:
    async with heard() as one:
        async with heard():
            pass
        await one.ring()

        assert await waited(one) < 1


async def test_pipes_of_the_dead_are_taken_away(tmp_path: Path) -> None:
    async with LocalBell.heard(tmp_path) as bell:
        os.mkfifo(tmp_path / "bell" / "dead")
        await bell.ring()

        assert len(list((tmp_path / "bell").iterdir())) == 1


async def test_a_long_path_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    async with LocalBell.heard(folder) as bell:
        await LocalBell(folder / "bell").ring()

        assert await waited(bell) < 1


async def test_a_ringer_that_was_cut_off_rings_again(postgres: Cluster) -> None:
    url = postgres.new_database()
    async with PostgresBell.heard(url) as one, PostgresBell.heard(url) as two:
        for bell in (one, two):
            await bell.wait(5)
        await one.ring()
        await two.wait(5)
        async with await psycopg.AsyncConnection.connect(
            url.replace("+psycopg", ""), autocommit=True
        ) as other:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'NOTIFY%'"
            await other.execute(cut)
        await one.ring()

        assert await waited(two) < 1
