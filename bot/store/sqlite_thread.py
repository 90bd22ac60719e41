"""SQLite's connection in a thread of its own, which a statement visits once: it is executed, fetched and closed there.

SQLAlchemy would go there for each of these, and each way takes as long as most of our statements themselves.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

Rows = Sequence[Any]
Run = Callable[[str, Any], sqlite3.Cursor]


async def connect(path: Path | str, busy_seconds: float) -> "Connection":
    """For `create_async_engine(async_creator=...)`."""

    def opened() -> sqlite3.Connection:
        # SQLAlchemy sets the isolation level from outside.
        return sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)

    connection = Connection(opened, iter_chunk_size=64)
    # One that nobody closed keeps no process alive.
    connection._thread.daemon = True
    await connection
    return connection


class Connection(aiosqlite.Connection):
    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy needs no more of it
        return Cursor(self)

    async def rollback(self) -> None:
        """SQLAlchemy asks for it behind each commit as well."""
        if self.in_transaction:
            await super().rollback()


class Cursor:
    """What SQLAlchemy uses of one."""

    arraysize = 1
    description: Any = None
    rowcount = -1
    lastrowid: int | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Rows = ()

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        await self._visit(self._connection._conn.execute, statement, parameters)

    async def executemany(self, statement: str, parameters: Any) -> None:
        await self._visit(self._connection._conn.executemany, statement, parameters)

    async def fetchall(self) -> Rows:
        return self._rows

    async def close(self) -> None:
        """It is."""

    async def _visit(self, run: Run, statement: str, parameters: Any) -> None:
        def visit() -> None:
            cursor = run(statement, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
            cursor.close()

        # The only way into its thread.
        await self._connection._execute(visit)  # type: ignore[no-untyped-call]  # as the library has it
