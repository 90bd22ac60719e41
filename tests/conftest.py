"""Stores of both kinds, for whatever tests want one: each has its own."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from bot.store.store import Store
from tests.store.postgres import Cluster, binaries, cluster
from tests.stores import prepare

# No test is about how fast this machine is at the moment.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    found = binaries()
    if found is None:
        pytest.skip("Postgres is not installed")
    with cluster(found) as running:
        yield running


@pytest.fixture
def own_cluster() -> Iterator[Callable[[], Cluster]]:
    """A server that may be stopped: no other test has anything there."""
    found = binaries()
    if found is None:
        pytest.skip("Postgres is not installed")
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(cluster(found))


@pytest.fixture(params=["sqlite", "postgres"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a store with all tables: empty for SQLite in `tmp_path`."""
    prepare(tmp_path)
    if request.param == "sqlite":
        return ""
    running: Cluster = request.getfixturevalue("postgres")
    return await running.new_store()


@pytest.fixture
async def store(address: str, tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.opened(tmp_path, address) as opened:
        yield opened
