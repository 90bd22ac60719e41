"""A connection to the store: SQLite in the data directory, or Postgres by its address."""

import asyncio
import contextlib
import fcntl
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
import tenacity
from sqlalchemy import Connection, Executable, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreUnavailable
from bot.store import sqlite_thread

log = structlog.get_logger()
T = TypeVar("T")

Insert = Callable[[Table], Any]
"""Makes an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""

HEAD = "0005"
"""The newest migration: a store that is there already needs nothing loaded that could make it so."""
SQLITE_BUSY_SECONDS = 10
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    # Nothing of what is deleted stays in the file: not every build of SQLite does this by itself.
    "secure_delete=ON",
)
PATIENCE_SECONDS = 60
"""How long work waits for a store that does not answer."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.05, 2.0
"""At most, between two tries; longer each time."""
CLOSE_SECONDS = 5.0
"""For those who still work with it when it is closed."""
STANDSTILL_SECONDS = 4.0
"""After so long, a worker that stands still in the middle of a transaction is not waited for by the others."""
UNSEEN = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A Postgres that vanishes without a word is noticed in ten seconds; left alone, Linux takes a quarter of an hour."""
NOW = text("SELECT extract(epoch FROM clock_timestamp())")
ALONE_NOW = text(
    "SELECT extract(epoch FROM clock_timestamp()), set_config('enable_bitmapscan', 'off', true)"
    " FROM pg_advisory_xact_lock(:lock)"
)
"""In that transaction, Postgres follows an index in its order, and stops at the first row that fits: where nobody has
counted the rows yet, it would read and sort them all."""
ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
EACH_ALONE = "plotline_each_alone"
"""Where no transaction is to be begun on SQLite: a statement is one by itself."""
MIGRATION_LOCK = 7_304_221
"""A number of our own among Postgres' advisory locks."""


def sqlite_url(data_dir: Path) -> str:
    return f"sqlite+aiosqlite:///{data_dir / 'plotline.db'}"


class Database:
    """Every method raises `StoreUnavailable` once waiting did not help."""

    def __init__(self, engine: AsyncEngine, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._engine = engine
        self._patience_seconds = patience_seconds
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.insert: Insert = sqlite.insert if self.is_sqlite else postgresql.insert
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._is_closed = False
        # SQLite lets one write at a time; waiting here costs less than waiting there.
        self._writing = asyncio.Lock()
        self._each_alone: dict[str, Any] = (
            {EACH_ALONE: True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Self]:
        """With all tables, in their newest form."""
        engine = _engine(url)
        try:
            database = cls(engine, patience_seconds=patience_seconds)
            await database._bring_up_to_date()
            try:
                yield database
            finally:
                await database._close()
        finally:
            await engine.dispose()

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """All of `work` or nothing. It may be called more than once: where the store went away, it is done anew."""

        async def once() -> T:
            turn = self._writing if self.is_sqlite else contextlib.nullcontext()
            async with turn, self._engine.begin() as connection:
                return await work(connection)

        return await self._patiently(once)

    async def write_one(self, statement: Executable, given: Mapping[str, Any]) -> int:
        """The same for one statement, which needs no transaction around it. How many rows it has changed."""

        async def once() -> int:
            turn = self._writing if self.is_sqlite else contextlib.nullcontext()
            async with turn, self._engine.connect() as connection:
                alone = await connection.execution_options(**self._each_alone)
                return (await alone.execute(statement, given)).rowcount

        return await self._patiently(once)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """`work` only looks."""

        async def once() -> T:
            async with self._engine.connect() as connection:
                return await work(await connection.execution_options(**self._each_alone))

        return await self._patiently(once)

    async def wipe(self) -> None:
        """What was deleted is not left over in SQLite's log of changes, unless somebody reads there for long."""
        if not self.is_sqlite:
            return

        async def once() -> None:
            async with self._writing, self._engine.connect() as connection:
                alone = await connection.execution_options(**self._each_alone)
                await alone.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

        with contextlib.suppress(StoreUnavailable):
            await self._patiently(once)

    async def now(self, connection: AsyncConnection, *, alone_by: int | None = None) -> float:
        """By one clock for all workers: the store's, where they are on several machines.

        `alone_by` is an advisory lock, held from before that moment to the end of the transaction.
        """
        if self.is_sqlite:
            # Whoever writes there writes alone.
            return time.time()
        asking = (NOW,) if alone_by is None else (ALONE_NOW, {"lock": alone_by})
        return float(await connection.scalar(*asking) or 0)

    async def alone(self, connection: AsyncConnection, name: str) -> None:
        """Whoever else wants to be alone with what has that name waits for the end of this transaction."""
        if not self.is_sqlite:
            digest = hashlib.sha256(name.encode()).digest()
            await connection.execute(ALONE, {"lock": int.from_bytes(digest[:8], signed=True)})

    async def _close(self) -> None:
        """Who still works with it finishes first: a connection that comes back later would not be closed."""
        self._is_closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._unused.wait()

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        self._users += 1
        self._unused.clear()
        try:
            return await self._with_patience(work)
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()
                if self._is_closed:
                    # Somebody came late, and had a connection of their own.
                    await self._engine.dispose()

    async def _with_patience(self, work: Callable[[], Awaitable[T]]) -> T:
        async def unless_cancelled() -> T:
            try:
                return await work()
            except DBAPIError as error:
                # Rolling back may fail as well, and hide why that was to be done.
                task = asyncio.current_task()
                if task and task.cancelling():
                    raise asyncio.CancelledError from error
                raise

        try:
            try:
                return await unless_cancelled()
            except (DBAPIError, OSError) as error:
                if not _may_pass(error):
                    raise
            # Made only where it is needed: nearly all work succeeds at once.
            return await self._retrying()(unless_cancelled)
        except (OperationalError, InterfaceError, OSError) as error:
            raise StoreUnavailable(str(error.__cause__ or error)) from error

    def _retrying(self) -> tenacity.AsyncRetrying:
        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_may_pass),
            stop=tenacity.stop_after_delay(self._patience_seconds),
            wait=tenacity.wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            before_sleep=lambda state: log.warning("store.waited_for", attempt=state.attempt_number),
            reraise=True,
        )

    async def _bring_up_to_date(self) -> None:
        if await self._patiently(self._revision) == HEAD:
            return
        with _one_at_a_time(self._engine) if self.is_sqlite else contextlib.nullcontext():
            async with self._engine.begin() as connection:
                if not self.is_sqlite:
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                await connection.run_sync(_migrate)

    async def _revision(self) -> str | None:
        async with self._engine.connect() as connection:
            await connection.execution_options(**self._each_alone)
            try:
                found = await connection.execute(text("SELECT version_num FROM alembic_version"))
            except DBAPIError as error:
                if _may_pass(error) and "no such table" not in str(error):
                    raise
                return None
            return found.scalar_one_or_none()


def _engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        # The newest first: what was used last has its statements prepared. Whoever began a transaction has ended it
        # before the connection comes back: to make sure would take one more switch each time.
        return create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            connect_args=_postgres_options(url),
        )
    path = Path(url.partition("///")[2])
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url, pool_size=5, async_creator=lambda: sqlite_thread.connect(path, SQLITE_BUSY_SECONDS)
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The library would begin transactions by itself, and too late: see `begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # Whoever reads first and writes later may find that somebody else has written in between. Reading alone waits
        # for nobody.
        if not connection.get_execution_options().get(EACH_ALONE):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def noticing(url: str) -> dict[str, Any]:
    """How soon it is noticed that the server is gone, as far as the address does not say so itself."""
    given = make_url(url).query
    return {name: value for name, value in UNSEEN.items() if name not in given}


def _postgres_options(url: str) -> dict[str, Any]:
    """Besides those that the address has itself."""
    given = make_url(url).query.get("options", "")
    # Nothing of ours runs for so long that it pays to be compiled; but with many turns waiting, the search for the next
    # one looks as if it did, and that takes a tenth of a second each time.
    planning = "-c jit=off"
    patience = f"-c idle_in_transaction_session_timeout={int(STANDSTILL_SECONDS * 1000)}"
    # A database without an encoding of its own, as a server in the locale C makes them, would give bytes and no text.
    ours = f"{planning} {patience} -c client_encoding=UTF8"
    return {**noticing(url), "options": f"{given} {ours}".strip()}


def _may_pass(error: BaseException) -> bool:
    """Whether waiting may help: the store is busy, gone, or starting."""
    if isinstance(error, OSError | InterfaceError):
        return True
    if isinstance(error, OperationalError):
        return not any(
            sign in str(error) for sign in ("disk is full", "readonly", "no such table", "does not exist")
        )
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def _one_at_a_time(engine: AsyncEngine) -> Iterator[None]:
    """Of the processes that may start at once, one makes the tables and the others wait."""
    with Path(f"{engine.url.database}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _migrate(connection: Connection) -> None:
    # Loaded only where something is to be done: it takes half a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
