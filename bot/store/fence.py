"""Writing for a turn only as long as it is one's own."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Fenced
from bot.store.database import Database, Insert
from bot.store.tables import turns

NEW = "new_"
"""How parameters begin that are values of a row: without it, their names would be taken."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A turn in the hands of one worker: until another one claims it."""

    turn: str
    epoch: int


async def insert_fenced(
    database: Database, connection: AsyncConnection, table: Table, row: dict[str, Any], hold: Hold
) -> bool:
    """Whether the row is new. Raises `Fenced` unless the turn runs in this epoch."""
    given = {f"{NEW}{name}": value for name, value in row.items()}
    ours = {"held": hold.turn, "in_epoch": hold.epoch}
    added = await connection.execute(_adding(database.insert, table, tuple(row)), {**given, **ours})
    if added.first():
        return True
    # It is there already, where a connection broke or a step is gone through again; or we have nothing to say any more.
    if await connection.scalar(select(literal(1)).where(_IS_OURS).select_from(turns), ours) is None:
        raise Fenced(f"{hold.turn} in epoch {hold.epoch}")
    return False


_IS_OURS = (
    select(literal(1))
    .select_from(turns)
    .where(turns.c.id == bindparam("held"), turns.c.epoch == bindparam("in_epoch"))
    .where(turns.c.state == "running")
    .exists()
)


@cache
def _adding(insert: Insert, table: Table, columns: tuple[str, ...]) -> Any:
    """Made once: that takes several times as long as to run it."""
    values = [bindparam(f"{NEW}{name}", type_=table.c[name].type) for name in columns]
    adding = insert(table).from_select(list(columns), select(*values).where(_IS_OURS))
    # Some drivers do not say how many rows such an insert has added.
    return adding.on_conflict_do_nothing().returning(literal(1))
