"""Lists for operators: threads, turns, what they cost. Everything but what was said, unless it is asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.tables import files, steps, threads, turns, usage

By = Literal["user", "team", "thread", "model", "day"]
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class ThreadRow:
    id: ThreadId
    team: str
    created_at: float
    used_at: float
    expired_at: float | None
    turns: int
    files_bytes: int
    container: str | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class TurnRow:
    id: str
    thread: ThreadId
    user: str
    kind: str
    state: str
    outcome: str | None
    asked_at: float
    began_at: float | None
    ended_at: float | None
    worker: str | None
    takeovers: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Spending:
    whose: str
    turns: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float
    unpriced_tokens: int
    """Of models whose price is not known."""
    sandbox_seconds: float


@dataclass(frozen=True, slots=True)
class Reports:
    database: Database

    async def threads(self, *, team: str = "", user: str = "", limit: int = 100) -> list[ThreadRow]:
        """The most recently used first."""
        counted = select(func.count()).where(turns.c.thread == threads.c.id).scalar_subquery()
        sizes = (
            select(func.max(files.c.size_bytes).label("size"))
            .where(files.c.thread == threads.c.id)
            .group_by(files.c.sha256)
            .correlate(threads)
            .subquery()
        )
        held = select(func.sum(sizes.c.size)).scalar_subquery()
        worked = (
            select(turns.c.worker)
            .where(turns.c.thread == threads.c.id, turns.c.worker.is_not(None))
            .order_by(turns.c.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        wanted = [threads.c.team == team] if team else []
        if user:
            asked = select(turns.c.thread).where(turns.c.user == user)
            wanted.append(threads.c.id.in_(asked))

        async def work(connection: AsyncConnection) -> list[ThreadRow]:
            found = await connection.execute(
                select(threads, counted.label("turns"), held.label("held"), worked.label("worker"))
                .where(*wanted)
                .order_by(threads.c.used_at.desc())
                .limit(limit)
            )
            return [
                ThreadRow(
                    id=ThreadId(row.id),
                    team=row.team,
                    created_at=row.created_at,
                    used_at=row.used_at,
                    expired_at=row.expired_at,
                    turns=row.turns,
                    files_bytes=int(row.held or 0),
                    container=(row.session or {}).get("container"),
                    worker=row.worker,
                )
                for row in found
            ]

        return await self.database.read(work)

    async def turns(  # noqa: PLR0913  # what one may look for
        self,
        *,
        thread: str = "",
        team: str = "",
        user: str = "",
        state: str = "",
        since: float = 0,
        limit: int = 100,
    ) -> list[TurnRow]:
        """The newest, in the order in which they came."""
        wanted = [
            column == value
            for column, value in (
                (turns.c.thread, thread),
                (threads.c.team, team),
                (turns.c.user, user),
                (turns.c.state, state),
            )
            if value
        ]
        output = select(steps.c.turn, steps.c.result).where(steps.c.name == "output").subquery()

        async def work(connection: AsyncConnection) -> list[TurnRow]:
            found = await connection.execute(
                select(turns, output.c.result.label("output"))
                .join(threads, threads.c.id == turns.c.thread)
                .join(output, output.c.turn == turns.c.id, isouter=True)
                .where(turns.c.asked_at >= since, *wanted)
                .order_by(turns.c.number.desc())
                .limit(limit)
            )
            return [_turn(row) for row in found][::-1]

        return await self.database.read(work)

    async def usage(self, by: By, *, since: float = 0, team: str = "", user: str = "") -> list[Spending]:
        """The dearest first; days in their order."""
        column: Any = func.floor(usage.c.at / DAY_SECONDS) if by == "day" else usage.c[by]
        wanted = [usage.c.team == team] if team else []
        wanted += [usage.c.user == user] if user else []
        spent = usage.c.input_tokens + usage.c.output_tokens
        columns = (
            column.label("whose"),
            func.count(usage.c.turn.distinct()).label("turns"),
            func.sum(usage.c.input_tokens).label("input_tokens"),
            func.sum(usage.c.output_tokens).label("output_tokens"),
            func.sum(usage.c.cached_tokens).label("cached_tokens"),
            func.coalesce(func.sum(usage.c.cost_usd), 0.0).label("cost_usd"),
            func.coalesce(func.sum(spent).filter(usage.c.cost_usd.is_(None)), 0).label("unpriced_tokens"),
            func.sum(usage.c.sandbox_seconds).label("sandbox_seconds"),
        )

        async def work(connection: AsyncConnection) -> list[Spending]:
            found = await connection.execute(
                select(*columns).where(usage.c.at >= since, *wanted).group_by(column)
            )
            rows = [
                Spending(
                    whose=_day(row.whose) if by == "day" else str(row.whose),
                    turns=int(row.turns),
                    input_tokens=int(row.input_tokens),
                    output_tokens=int(row.output_tokens),
                    cached_tokens=int(row.cached_tokens),
                    cost_usd=float(row.cost_usd),
                    unpriced_tokens=int(row.unpriced_tokens),
                    sandbox_seconds=float(row.sandbox_seconds),
                )
                for row in found
            ]
            if by == "day":
                return sorted(rows, key=lambda row: row.whose)
            return sorted(rows, key=lambda row: (row.cost_usd, row.input_tokens), reverse=True)

        return await self.database.read(work)


def _turn(row: Any) -> TurnRow:
    asked = row.message.get("message", {}) if isinstance(row.message, dict) else {}
    answered = row.output[1].get("text", "") if isinstance(row.output, list) else ""
    return TurnRow(
        id=row.id,
        thread=ThreadId(row.thread),
        user=row.user,
        kind=row.kind,
        state=row.state,
        outcome=row.outcome,
        asked_at=row.asked_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        worker=row.worker,
        takeovers=row.takeovers,
        question=str(asked.get("text", "")),
        answer=answered,
    )


def _day(number: float) -> str:
    return datetime.fromtimestamp(round(number) * DAY_SECONDS, UTC).date().isoformat()
