"""A bot that runs for long says how it is, and cleans up, for as long as it runs."""

import asyncio
import socket
import time
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import update

from bot.cli.ending import Ended
from bot.cli.watching import watched
from bot.config import Settings
from bot.store.store import Store
from bot.store.tables import threads
from tests.store.filled import THREAD, asked_and_answered, is_expired
from tests.stores import prepare


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def age(store: Store) -> None:
    await store.database.write(lambda c: c.execute(update(threads).values(used_at=time.time() - 91 * 86_400)))


async def until_expired(store: Store) -> None:
    async with asyncio.timeout(20):
        while not await is_expired(store, THREAD):  # noqa: ASYNC110  # it may be another process
            await asyncio.sleep(0.01)


def settings(tmp_path: Path, port: int | None) -> Settings:
    return Settings(_env_file=None, data_dir=prepare(tmp_path), health_port=port)  # type: ignore[call-arg]  # the library's


async def test_without_a_port_nothing_listens_and_old_threads_go_all_the_same(tmp_path: Path) -> None:
    async with Store.opened(prepare(tmp_path)) as store:
        await asked_and_answered(store, "a")
        await age(store)
        async with watched(settings(tmp_path, None), store, None):
            await until_expired(store)


async def test_a_surprise_while_it_cleans_up_is_not_the_end_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cleaning.EVERY_SECONDS", 0.05)
    async with Store.opened(prepare(tmp_path)) as store:
        await asked_and_answered(store, "a")
        kept, aside = store.data_dir / "blobs", store.data_dir / "aside"
        kept.rename(aside)
        kept.write_text("no folder")
        async with watched(settings(tmp_path, None), store, None):
            await asyncio.sleep(0.3)
            kept.unlink()
            aside.rename(kept)
            await age(store)
            await until_expired(store)


async def test_with_a_port_it_says_how_it_is_until_it_ends(tmp_path: Path) -> None:
    port = free_port()
    async with Store.opened(prepare(tmp_path)) as store, aiohttp.ClientSession() as http:
        async with watched(settings(tmp_path, port), store, None) as health:
            assert (await http.get(f"http://127.0.0.1:{port}/readyz")).status == 200
            health.is_draining = True
            assert (await http.get(f"http://127.0.0.1:{port}/readyz")).status == 503
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(f"http://127.0.0.1:{port}/healthz")


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        async with Store.opened(prepare(tmp_path)) as store:
            with pytest.raises(Ended, match="HEALTH_PORT cannot be used"):
                async with watched(settings(tmp_path, port), store, None):
                    pass
