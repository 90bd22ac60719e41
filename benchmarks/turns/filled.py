"""A store as a bot has it that was much used: threads with turns, their steps, and what was said."""

from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

from bot.messages import ThreadId
from bot.store.store import Store
from bot.store.tables import audit, rounds, steps, threads, turns, usage
from tests.store.filled import asked_and_answered

TURNS = 2
MODEL = ThreadId("slack:T1/C1/model")
OF_A_TURN = (turns, steps, rounds)
AT_ONCE = 500
"""Threads."""


async def fill(data_dir: Path, count: int) -> None:
    """Each thread says the same, under ids of its own."""
    async with Store.opened(data_dir) as store:
        for number in range(TURNS):
            await asked_and_answered(store, f"question {number}", thread=MODEL)
        found = {table: await _rows(store, table) for table in (threads, *OF_A_TURN, usage, audit)}
        for begin in range(0, count, AT_ONCE):
            names = [str(number) for number in range(begin, min(begin + AT_ONCE, count))]
            for table, rows in found.items():
                await _add(store, table, [_renamed(row, name) for name in names for row in rows])


async def _rows(store: Store, table: Table) -> list[dict[str, Any]]:
    found = await store.database.read(lambda connection: connection.execute(select(table)))
    return [dict(row) for row in found.mappings()]


async def _add(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        await store.database.write(lambda connection: connection.execute(insert(table), rows))


def _renamed(row: dict[str, Any], name: str) -> dict[str, Any]:
    kept = {column: value for column, value in row.items() if column != "number"}
    return {
        column: value.replace("/model", f"/{name}") if isinstance(value, str) else value
        for column, value in kept.items()
    }
