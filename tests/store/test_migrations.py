"""A store that an earlier version has filled is brought up to date, with all that was in it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import database
from bot.store.database import HEAD, Database, sqlite_url
from bot.store.tables import metadata
from tests.store.postgres import Cluster

Address = Callable[[], Awaitable[str]]
THREAD, TURN = "slack:T1/C1/1", "slack:T1:C1:1@"
SHA = {name: letter * 64 for name, letter in (("table", "a"), ("chart", "b"), ("small", "c"), ("wheel", "d"))}
FIRST = {
    "threads": {
        "id": THREAD,
        "team": "slack:T1",
        "created_at": 1.0,
        "used_at": 2.0,
        "session": {
            "files": {"sales.csv": {"sha256": SHA["table"], "size_bytes": 7, "modified": 1.0}},
            "packages": {"wheel": SHA["wheel"]},
        },
    },
    "turns": {
        "id": TURN,
        "key": "slack:T1:C1:1",
        "thread": THREAD,
        "user": "U1",
        "kind": "question",
        "state": "ended",
        "outcome": "ok",
        "message": {"message": {"text": "Wie viele?"}, "address": "C1"},
        "asked_at": 1.5,
    },
    "steps": {
        "turn": TURN,
        "name": "cell:1",
        "result": {
            "outcome": "ok",
            "artifacts": [
                {"name": "chart.png", "sha256": SHA["chart"], "size_bytes": 9, "path": "/data/blobs/x"}
            ],
            "picture": {"name": "chart.png", "media_type": "image/png", "sha256": SHA["small"]},
        },
        "epoch": 1,
        "at": 2.0,
    },
    "rounds": {"thread": THREAD, "turn": TURN, "part": 1, "entries": [{"kind": "prompt", "text": "ü"}]},
    "usage": {"turn": TURN, "step": "reply:1", "team": "slack:T1", "thread": THREAD, "user": "U1", "at": 2.0},
    "audit": {"at": 2.0, "kind": "asked", "facts": {"files": 1}},
}
"""What a store of the first revision holds, by table."""


def revisions() -> list[str]:
    folder = Path(database.__file__).with_name("migrations") / "versions"
    return sorted(file.name[:4] for file in folder.glob("[0-9]*.py"))


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database()


def bring_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill(connection: Connection) -> None:
    there = MetaData()
    there.reflect(connection)
    for name, row in FIRST.items():
        # A column that came later has to be one that old rows can do without.
        connection.execute(insert(there.tables[name]).values(row))


def test_the_newest_revision_is_what_stores_are_brought_to() -> None:
    assert revisions()[-1] == HEAD


@pytest.mark.parametrize("revision", revisions()[:-1] or revisions())
async def test_a_filled_store_of_an_earlier_revision_keeps_all_its_rows(empty: str, revision: str) -> None:
    engine = create_async_engine(empty)
    async with engine.begin() as connection:
        await connection.run_sync(bring_to, revision)
        await connection.run_sync(fill)
    await engine.dispose()

    async with Database.opened(empty) as store:
        for name, row in FIRST.items():
            table = metadata.tables[name]
            found = (await store.read(lambda c, t=table: c.execute(select(t)))).mappings().all()  # type: ignore[misc]
            assert len(found) == 1
            assert {column: found[0][column] for column in row} == row


async def test_files_that_a_first_store_names_are_known_afterwards(empty: str) -> None:
    engine = create_async_engine(empty)
    async with engine.begin() as connection:
        await connection.run_sync(bring_to, "0001")
        await connection.run_sync(fill)
    await engine.dispose()

    async with Database.opened(empty) as store:
        files = metadata.tables["files"]
        rows = (await store.read(lambda c: c.execute(select(files)))).all()

    assert {(row.sha256, row.kind, row.turn, row.user, row.size_bytes) for row in rows} == {
        (SHA["table"], "session", "", "", 7),
        (SHA["wheel"], "package", "", "", 0),
        (SHA["chart"], "artifact", TURN, "U1", 9),
        (SHA["small"], "picture", TURN, "U1", 0),
    }


async def test_the_migrations_make_just_the_tables_that_the_code_knows(empty: str) -> None:
    async with Database.opened(empty):
        pass
    engine = create_async_engine(empty)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
        version = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    await engine.dispose()

    assert (found, version) == ([], HEAD)
