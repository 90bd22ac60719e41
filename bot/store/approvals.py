"""Questions to people about hosts: asked for a turn, decided once, by a person or by the clock.

Whoever decides and whoever parks a turn take hold of the turn's row first: a decision is never missed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.execution import Host
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.fence import Hold, insert_fenced
from bot.store.tables import OPEN, approvals, turns


class Decision(StrEnum):
    ONCE = auto()
    """For the rest of the turn."""
    THREAD = auto()
    """For everything in the thread from now on."""
    DENIED = auto()
    EXPIRED = auto()
    """Nobody has decided in time."""
    REVOKED = auto()
    """It was allowed, and is not any more."""


ALLOWED = frozenset({Decision.ONCE, Decision.THREAD})


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    thread: ThreadId
    turn: str
    host: Host
    decision: Decision | None = None
    is_over: bool = False
    """The turn has ended."""


class Approvals:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, question: Question, hold: Hold, seconds: float) -> None:
        """After `seconds` it is too late to decide. Raises `Fenced`."""

        async def work(connection: AsyncConnection) -> None:
            row = {
                "id": question.id,
                "thread": question.thread,
                "turn": question.turn,
                "host": question.host.name,
                "port": question.host.port,
                "until": await self._database.now(connection) + seconds,
            }
            await insert_fenced(self._database, connection, approvals.c.id, [row], hold)

        await self._database.write(work)

    async def withdraw(self, question: str) -> None:
        """It could not be asked."""
        await self._database.write(lambda c: c.execute(delete(approvals).where(approvals.c.id == question)))

    async def find(self, question: str) -> Question | None:
        return await self._database.read(lambda connection: _found(connection, question))

    async def undecided(self, turn: str) -> list[Question]:
        async def work(connection: AsyncConnection) -> list[Question]:
            return [_question(row) for row in await connection.execute(_asked(approvals.c.turn == turn))]

        found = await self._database.read(work)
        return [each for each in found if each.decision is None]

    async def decide(self, question: str, decision: Decision) -> Question | None:
        """As it was before: where it was decided already, or is over, it stays so. The turn that waits goes on once
        nothing is open any more."""

        async def work(connection: AsyncConnection) -> Question | None:
            turn = select(approvals.c.turn).where(approvals.c.id == question).scalar_subquery()
            await connection.execute(select(turns.c.id).where(turns.c.id == turn).with_for_update())
            before = await _found(connection, question)
            if before is None or before.is_over or before.decision:
                return before
            await connection.execute(
                update(approvals).where(approvals.c.id == question).values(decision=decision)
            )
            if await waits_until(connection, before.turn) is None:
                await connection.execute(
                    update(turns)
                    .where(turns.c.id == before.turn, turns.c.state == "parked")
                    .values(state="queued", not_before=None)
                )
            return before

        return await self._database.write(work)

    async def revoke(self, question: str) -> Question | None:
        """As it was before."""

        async def work(connection: AsyncConnection) -> Question | None:
            before = await _found(connection, question)
            await connection.execute(
                update(approvals)
                .where(approvals.c.id == question, approvals.c.decision.in_(ALLOWED))
                .values(decision=Decision.REVOKED)
            )
            return before

        return await self._database.write(work)

    async def decisions(self, questions: Collection[str]) -> dict[str, Decision | None]:
        """What was decided; by the clock, where it is too late. None where people may still decide."""
        these = approvals.c.id.in_(questions)

        async def work(connection: AsyncConnection) -> dict[str, Decision | None]:
            now = await self._database.now(connection)
            await connection.execute(
                update(approvals)
                .where(these, approvals.c.decision.is_(None), approvals.c.until <= now)
                .values(decision=Decision.EXPIRED)
            )
            found = await connection.execute(select(approvals.c.id, approvals.c.decision).where(these))
            return {row.id: Decision(row.decision) if row.decision else None for row in found}

        return await self._database.write(work)

    async def allowed(self, thread: ThreadId, turn: str) -> frozenset[Host]:
        """What that turn may reach now, besides what every one may."""
        here = and_(approvals.c.thread == thread, approvals.c.decision == Decision.THREAD)
        once = and_(approvals.c.turn == turn, approvals.c.decision == Decision.ONCE)

        async def work(connection: AsyncConnection) -> frozenset[Host]:
            found = await connection.execute(
                select(approvals.c.host, approvals.c.port).where(or_(here, once))
            )
            return frozenset(Host(row.host, row.port) for row in found)

        return await self._database.read(work)


async def waits_until(connection: AsyncConnection, turn: str) -> float | None:
    """How long people may still decide about something that the turn wants. None where all is decided."""
    undecided = approvals.c.decision.is_(None)
    until: float | None = await connection.scalar(
        select(func.min(approvals.c.until)).where(approvals.c.turn == turn, undecided)
    )
    return until


async def _found(connection: AsyncConnection, question: str) -> Question | None:
    row = (await connection.execute(_asked(approvals.c.id == question))).first()
    return _question(row) if row else None


def _asked(where: Any) -> Any:
    with_turns = select(approvals, turns.c.state).join_from(approvals, turns, turns.c.id == approvals.c.turn)
    return with_turns.where(where)


def _question(row: Row[Any]) -> Question:
    return Question(
        id=row.id,
        thread=ThreadId(row.thread),
        turn=row.turn,
        host=Host(row.host, row.port),
        decision=Decision(row.decision) if row.decision else None,
        is_over=row.state not in OPEN,
    )
