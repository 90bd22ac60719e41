"""Writing for a turn only as long as it is one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, bindparam, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Fenced
from bot.store.database import Database, Insert
from bot.store.tables import turns


@dataclass(frozen=True, slots=True)
class Hold:
    """A turn in the hands of one worker: until another one claims it."""

    turn: str
    epoch: int


async def insert_fenced(
    database: Database,
    connection: AsyncConnection,
    column: Column[Any],
    rows: Sequence[dict[str, Any]],
    hold: Hold,
) -> list[Any]:
    """Into the table of `column`: its values in the rows that are new. Raises `Fenced` unless the turn runs in this
    epoch.
    """
    given = {_named(name, number): value for number, row in enumerate(rows) for name, value in row.items()}
    ours = {"held": hold.turn, "in_epoch": hold.epoch}
    adding = _adding(database.insert, column, tuple(rows[0]), len(rows))
    added = list(await connection.scalars(adding, {**given, **ours}))
    # Rows are there already where a connection broke or a step is gone through again; or we have nothing to say any
    # more.
    if (
        len(added) < len(rows)
        and await connection.scalar(select(literal(1)).where(_IS_OURS).select_from(turns), ours) is None
    ):
        raise Fenced(f"{hold.turn} in epoch {hold.epoch}")
    return added


_IS_OURS = (
    select(literal(1))
    .select_from(turns)
    .where(turns.c.id == bindparam("held"), turns.c.epoch == bindparam("in_epoch"))
    .where(turns.c.state == "running")
    .exists()
)


@cache
def _adding(insert: Insert, column: Column[Any], names: tuple[str, ...], count: int) -> Any:
    """Made once: that takes several times as long as to run it."""
    table = column.table
    rows = [
        select(*(bindparam(_named(name, number), type_=table.c[name].type) for name in names)).where(_IS_OURS)
        for number in range(count)
    ]
    adding = insert(table).from_select(list(names), union_all(*rows) if count > 1 else rows[0])
    # Some drivers do not say how many rows such an insert has added.
    return adding.on_conflict_do_nothing().returning(column)


def _named(name: str, number: int) -> str:
    """A parameter that is a value of a row: by the column's name alone, it would be taken."""
    return f"new_{name}_{number}"
