"""Accounts: what is spent and reserved, in which day or month. No sum passes its limit, however many reserve at once.

    reserve ─▶ settle      with the step that it was for: what it has really cost
            ─▶ release     the step has failed, and cost nothing
            ─▶ close       the turn has ended without it: what it has cost at least

Whoever changes accounts locks them in their order, so that nobody waits in a circle.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Float, and_, bindparam, case, delete, exists, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database, Insert
from bot.store.fence import Hold, insert_fenced
from bot.store.steps import Also
from bot.store.tables import budgets, reservations, turns

Key = tuple[str, str, str]
"""Scope, period, what: `user:slack:T1/U1`, `2026-11-25`, `tokens`."""
TURN = "turn"
"""The step under which the turn itself is counted."""
JOINED = ("queued", "running")
ROUNDING = 1e-9
UNBOUNDED = 1e300
TAKING_IN_SECONDS = 60.0
"""A turn is counted before it is taken in: so long may lie between."""


@dataclass(frozen=True, slots=True)
class Line:
    """A change of one account."""

    scope: str
    period: str
    what: str
    amount: float
    least: float = 0
    """What stays counted if it is never settled."""
    most: float | None = None
    """What the account may hold with it; None without a limit."""

    @property
    def key(self) -> Key:
        return self.scope, self.period, self.what


@dataclass(frozen=True, slots=True)
class Moment:
    """An account that holds when something was done last, in seconds since 1970."""

    scope: str
    what: str
    at: float
    apart_seconds: float
    """At least so long has to lie between."""

    @property
    def key(self) -> Key:
        return self.scope, NOW, self.what


NOW = "now"
"""The period of accounts that belong to none: what runs, what was done last."""
DAY_SECONDS = 86_400
LEAST_MOMENT = 1e8
"""What holds more than this counts nothing: it is a moment."""


@dataclass(frozen=True, slots=True)
class Full:
    """The first account that has no room left; nothing was reserved in any."""

    line: Line | Moment
    held: float


class _IsFull(Exception):
    def __init__(self, full: Full) -> None:
        self.full = full


class Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, turn: str, thread: ThreadId, lines: Sequence[Line], between: Sequence[Line | Moment]
    ) -> Full | None:
        """Counts a turn, once; one that is already known is not counted again.

        `between` holds only where nothing runs or is about to in the thread: else it joins what is there.
        """

        async def work(connection: AsyncConnection) -> None:
            found = (await connection.execute(_BEFORE, {"new": turn, "within": thread})).one()
            if found.is_known:
                return
            every = [*lines, *(() if found.joins else between)]
            row = _row(turn, TURN, [line for line in every if isinstance(line, Line)])
            if (await connection.execute(_counting(self._database.insert), row)).first():
                await self._change(connection, every, {})

        return await self._unless_full(work)

    async def reserve(
        self, hold: Hold, step: str, lines: Sequence[Line], also: Also | None = None
    ) -> Full | None:
        """In place of what was reserved for that step before, by a worker that died, say; `also` is written with it.

        Raises `Fenced`.
        """
        row = _row(hold.turn, step, lines)

        async def work(connection: AsyncConnection) -> None:
            if also:
                await also(connection)
            before: dict[Key, Line] = {}
            if not await insert_fenced(self._database, connection, reservations.c.step, [row], hold):
                before = await self._taken_back(connection, hold.turn, step)
                await insert_fenced(self._database, connection, reservations.c.step, [row], hold)
            await self._change(connection, lines, {key: -line.amount for key, line in before.items()})

        return await self._unless_full(work)

    def settled(self, turn: str, step: str, spent: Sequence[Line]) -> Also:
        """Writes along with the step: what it has cost takes the place of what was reserved, in the same accounts."""

        async def write(connection: AsyncConnection) -> None:
            before = await self._taken_back(connection, turn, step)
            if not before:
                await self._change(connection, spent, {}, without_limit=True)
                return
            amounts = {line.what: line.amount for line in spent}
            differences = {
                key: amounts.get(line.what, line.least) - line.amount for key, line in before.items()
            }
            await self._change(connection, (), differences)

        return write

    async def release(self, turn: str, step: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            before = await self._taken_back(connection, turn, step)
            await self._change(connection, (), {key: -line.amount for key, line in before.items()})

        await self._database.write(work)

    def closed(self, turn: str) -> Also:
        """Writes along with the turn's end: nothing of it is reserved any more."""

        async def write(connection: AsyncConnection) -> None:
            taken = await connection.scalars(_TAKING_ALL_BACK, {"of": turn})
            await self._close(connection, taken.all())

        return write

    async def close_ended(self) -> None:
        """The same for turns that have ended in any other way, or were never taken in."""
        its = select(literal(1)).where(turns.c.id == reservations.c.turn)
        is_gone = and_(~its.exists(), reservations.c.at < time.time() - TAKING_IN_SECONDS)
        which = or_(its.where(turns.c.state == "ended").exists(), is_gone)

        async def work(connection: AsyncConnection) -> None:
            taken = await connection.scalars(
                delete(reservations).where(which).returning(reservations.c.amounts)
            )
            await self._close(connection, taken.all())

        await self._database.write(work)

    async def drop_before(self, period: str) -> None:
        """Days and months that nobody asks for any more; and of now, what holds nothing, or a moment of days ago."""
        amount = budgets.c.amount
        is_over = or_(amount <= 0, amount.between(LEAST_MOMENT, time.time() - DAY_SECONDS))
        is_old = case((budgets.c.period == NOW, is_over), else_=budgets.c.period < period)
        # What somebody is changing is still in use.
        unused = select(*_COLUMNS).where(is_old).with_for_update(skip_locked=True)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(budgets).where(tuple_(*_COLUMNS).in_(unused)))

        await self._database.write(work)

    async def held(self, keys: Sequence[Key]) -> dict[Key, float]:
        """Spent and reserved."""

        async def work(connection: AsyncConnection) -> dict[Key, float]:
            return await self._held(connection, keys)

        return await self._database.read(work)

    async def _close(self, connection: AsyncConnection, taken: Sequence[Any]) -> None:
        differences: dict[Key, float] = {}
        for line in [line for amounts in taken for line in _lines(amounts)]:
            differences[line.key] = differences.get(line.key, 0) + line.least - line.amount
        await self._change(connection, (), differences)

    async def _unless_full(self, work: Any) -> Full | None:
        """Raised, so that nothing of the transaction stays; what ended turns have left makes room first."""
        for is_first in (True, False):
            try:
                await self._database.write(work)
            except _IsFull as error:
                if not is_first:
                    return error.full
                await self.close_ended()
            else:
                return None
        raise AssertionError("there are two tries")

    async def _taken_back(self, connection: AsyncConnection, turn: str, step: str) -> dict[Key, Line]:
        taken = await connection.scalars(_TAKING_BACK, {"of": turn, "for": step})
        return {line.key: line for amounts in taken.all() for line in _lines(amounts)}

    async def _change(
        self,
        connection: AsyncConnection,
        lines: Sequence[Line | Moment],
        differences: Mapping[Key, float],
        *,
        without_limit: bool = False,
    ) -> None:
        """Adds lines and differences to the accounts. Raises `_IsFull`."""
        keys = sorted({*(key for key, by in differences.items() if by), *(line.key for line in lines)})
        if not keys:
            return
        if not any(isinstance(line, Moment) for line in lines):
            # One statement where all is well.
            done = await self._add_within(connection, keys, lines, differences, without_limit=without_limit)
            keys = [key for key in keys if key not in done]
        if not keys:
            return
        held = await self._locked(connection, keys)
        changes = {key: differences.get(key, 0.0) for key in keys}
        for line in lines:
            if line.key not in changes:
                continue
            before = held[line.key] + changes[line.key]
            if not without_limit and _has_no_room(line, before):
                raise _IsFull(Full(line, held[line.key]))
            changes[line.key] += line.at - before if isinstance(line, Moment) else line.amount
        await connection.execute(_adding(len(keys)), _named(keys, changes, {}))

    async def _add_within(
        self,
        connection: AsyncConnection,
        keys: Sequence[Key],
        lines: Sequence[Line | Moment],
        differences: Mapping[Key, float],
        *,
        without_limit: bool,
    ) -> set[Key]:
        """Adds to those accounts that are there and have room; which these were."""
        changes = {key: differences.get(key, 0.0) for key in keys}
        most: dict[Key, float] = {}
        for line in lines:
            if isinstance(line, Line):
                changes[line.key] += line.amount
                if line.most is not None and line.amount > 0 and not without_limit:
                    most[line.key] = line.most
        added = await connection.execute(_adding(len(keys)), _named(keys, changes, most))
        return {(row.scope, row.period, row.what) for row in added}

    async def _locked(self, connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, float]:
        held = await self._held(connection, keys, locks=True)
        if len(held) == len(keys):
            return held
        new = [key for key in keys if key not in held]
        rows = [
            {"scope": scope, "period": period, "what": what, "amount": 0.0} for scope, period, what in new
        ]
        adding = self._database.insert(budgets).values(rows)
        await connection.execute(adding.on_conflict_do_nothing())
        return await self._held(connection, keys, locks=True)

    async def _held(
        self, connection: AsyncConnection, keys: Sequence[Key], *, locks: bool = False
    ) -> dict[Key, float]:
        accounts = select(budgets).where(_are(keys)).order_by(*_COLUMNS)
        found = await connection.execute(accounts.with_for_update() if locks else accounts)
        return {(row.scope, row.period, row.what): row.amount for row in found}


_BEFORE = select(
    exists().where(turns.c.id == bindparam("new")).label("is_known"),
    exists().where(turns.c.thread == bindparam("within"), turns.c.state.in_(JOINED)).label("joins"),
)
"""Of a turn that is to be counted."""


@cache
def _counting(insert: Insert) -> Any:
    return insert(reservations).on_conflict_do_nothing().returning(literal(1))


_COLUMNS = (budgets.c.scope, budgets.c.period, budgets.c.what)


_TAKING_ALL_BACK = (
    delete(reservations).where(reservations.c.turn == bindparam("of")).returning(reservations.c.amounts)
)
_TAKING_BACK = _TAKING_ALL_BACK.where(reservations.c.step == bindparam("for"))


def _has_no_room(line: Line | Moment, before: float) -> bool:
    if isinstance(line, Moment):
        return line.at < before + line.apart_seconds
    return line.amount > 0 and line.most is not None and before + line.amount > line.most + ROUNDING


def _are(keys: Sequence[Key]) -> Any:
    return tuple_(*_COLUMNS).in_(keys)


@cache
def _adding(count: int) -> Any:
    """Built once for so many accounts: that takes longer than to run it."""
    are = [
        and_(*(column == bindparam(f"{column.name}_{number}") for column in _COLUMNS))
        for number in range(count)
    ]

    def of_each(name: str) -> Any:
        return case(*((is_, bindparam(f"{name}_{number}", type_=Float)) for number, is_ in enumerate(are)))

    after = budgets.c.amount + of_each("change")
    in_order = select(*_COLUMNS).where(or_(*are)).order_by(*_COLUMNS).with_for_update()
    return (
        update(budgets)
        .where(tuple_(*_COLUMNS).in_(in_order), after <= of_each("most"))
        .values(amount=after)
        .returning(*_COLUMNS)
    )


def _named(keys: Sequence[Key], changes: Mapping[Key, float], most: Mapping[Key, float]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, key in enumerate(keys):
        named |= {f"{column.name}_{number}": value for column, value in zip(_COLUMNS, key, strict=True)}
        named[f"change_{number}"] = changes[key]
        named[f"most_{number}"] = most.get(key, UNBOUNDED) + ROUNDING
    return named


def _row(turn: str, step: str, lines: Sequence[Line]) -> dict[str, Any]:
    amounts = [[line.scope, line.period, line.what, line.amount, line.least] for line in lines]
    return {"turn": turn, "step": step, "amounts": amounts, "at": time.time()}


def _lines(amounts: Sequence[Sequence[Any]]) -> list[Line]:
    return [Line(*each) for each in amounts]
