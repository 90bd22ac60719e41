"""Turns in the store: taken in once, claimed by one worker at a time, ended once.

    queued ─▶ running ─▶ ended                 `outcome` says how: ok, error, cancelled, merged, superseded
       ▲         │ └───▶ parked ─▶ queued      waits for a person, and holds nothing
       └─────────┘                             given back: its worker drains, or has to wait

A claim raises the turn's epoch. Whoever writes with a lower one writes nothing.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Fenced
from bot.folders import team_of
from bot.messages import ThreadId
from bot.stopping import SILENT
from bot.store.approvals import waits_until
from bot.store.claiming import LONGEST_WAIT_SECONDS, Claimant, Claimed, taking
from bot.store.database import Database, Insert
from bot.store.fence import Hold, insert_fenced
from bot.store.memory import is_gone, mark_of
from bot.store.revisions import revision_of
from bot.store.steps import Also
from bot.store.tables import OPEN, seen, steps, threads, turns

CLAIM_LOCK = 7_304_222
"""A number of our own among Postgres' advisory locks: one claims at a time, which takes a millisecond."""
MERGED_BEFORE = "before "
"""How steps begin whose results are messages that were merged into their turn."""
GIVEN_BACK: Mapping[str, Any] = {"state": "queued", "worker": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class NewTurn:
    id: str
    """Source and revision: `slack:T1:C1:1726133698.6@`; the same one is taken in once."""
    key: str
    """The source alone: a newer revision of it takes the place of an older one."""
    thread: ThreadId
    user: str
    kind: str
    """`question`, or what else may happen in a thread: see `bot.engine`."""
    message: dict[str, Any]


class _TooLate(Exception):
    """It was deleted, or a newer revision was there before it."""


def _may_be_merged(message: dict[str, Any]) -> bool:
    return not (message["attachments"] or message.get("has_own_reply") or message.get("is_private"))


class Turns:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, turn: NewTurn) -> bool:
        """Whether it is new: no newer revision was there before, and it was not deleted.

        An open older revision is superseded by it.
        """

        async def work(connection: AsyncConnection) -> bool:
            # Of what is asked and its deletion, whichever comes later sees the other.
            await self._database.alone(connection, turn.key)
            now = time.time()
            thread = {"id": turn.thread, "team": team_of(turn.thread), "created_at": now, "used_at": now}
            await connection.execute(_touching(self._database.insert), thread)
            row = {each.name: getattr(turn, each.name) for each in fields(NewTurn)}
            given = {**row, "asked_at": now, "of": turn.key, "but": turn.id, "mark": mark_of(turn.id)}
            added = (await connection.execute(_adding(self._database.insert), given)).first()
            if added and is_gone(added.gone, turn.id):
                raise _TooLate
            if added and added.has_others:
                await self._supersede(connection, turn)
            return added is not None

        try:
            return await self._database.write(work)
        except _TooLate:
            return False

    async def claim(self, claimant: Claimant) -> Claimed | None:
        """The oldest turn that may run now, if there is one; those of dead workers are taken over first."""

        async def work(connection: AsyncConnection) -> Claimed | None:
            now = await self._database.now(connection, alone_by=CLAIM_LOCK)
            until = now + claimant.lease_seconds if claimant.lease_seconds else None
            given = {**facts, "now": now, "until": until, "began": time.time()}
            taken = (await connection.execute(taking_one, given)).first()
            return Claimed(**taken._mapping) if taken else None

        room = claimant.bounds.worker - len(claimant.working_on)
        if room <= 0:
            return None
        taking_one = taking(tuple(claimant.platforms), is_certain=claimant.only is not None)
        facts = {
            "claimant": claimant.worker,
            "dead": list(claimant.dead),
            # As long each time: else it would be another statement each time, to be planned anew.
            "working_on": [*claimant.working_on, *[""] * room],
            "most_here": claimant.bounds.worker,
            "most_of_user": claimant.bounds.user,
            "most_everywhere": claimant.bounds.everywhere,
            "only": claimant.only,
        }
        return await self._database.write(work)

    async def renew(self, worker: str, epochs: dict[str, int], lease_seconds: float) -> list[str]:
        """Which of these turns are still the worker's; their leases begin anew."""

        async def work(connection: AsyncConnection) -> list[str]:
            now = await self._database.now(connection)
            kept = []
            for turn, epoch in epochs.items():
                renewed = await connection.execute(
                    update(turns)
                    .where(turns.c.id == turn, turns.c.epoch == epoch, turns.c.worker == worker)
                    .where(turns.c.state == "running")
                    .values(lease_until=now + lease_seconds)
                )
                kept += [turn] if renewed.rowcount else []
            return kept

        return await self._database.write(work)

    async def end(self, hold: Hold, outcome: str, also: Also | None = None) -> bool:
        """Whether it was still this epoch's to end; then `also` is written with it.

        What was merged into a question that was taken back stands for itself again.
        """

        ended = {"state": "ended", "outcome": outcome, "ended_at": time.time()}

        async def work(connection: AsyncConnection) -> None:
            await self._leave(connection, hold, ended, also)
            if outcome in SILENT:
                await self._part_merged(connection, [hold.turn])

        if also or outcome in SILENT:
            return await self._unless_fenced(work)
        return bool(await self._database.write_one(_LEAVING, _left(hold, ended)))

    async def give_back(self, hold: Hold, also: Also | None = None, *, after_seconds: float = 0) -> bool:
        """For another worker, or for later: `LONGEST_WAIT_SECONDS` at most."""

        async def work(connection: AsyncConnection) -> None:
            later = await self._later(connection, after_seconds) if after_seconds else None
            await self._leave(connection, hold, {**GIVEN_BACK, "not_before": later}, also)

        return await self._unless_fenced(work)

    async def break_off(self, hold: Hold, after_seconds: float = 1) -> bool:
        """It could not be brought to its end: tried again, as if its worker had died."""
        raising = update(turns).where(turns.c.id == hold.turn).values(takeovers=turns.c.takeovers + 1)

        async def died(connection: AsyncConnection) -> None:
            await connection.execute(raising)

        async def work(connection: AsyncConnection) -> None:
            later = await self._later(connection, after_seconds)
            await self._leave(connection, hold, {**GIVEN_BACK, "not_before": later}, died)

        return await self._unless_fenced(work)

    async def park(self, hold: Hold, also: Also | None = None) -> bool:
        """Until people have decided (`bot.store.approvals`), or until it is too late for that."""

        async def work(connection: AsyncConnection) -> None:
            await self._leave(connection, hold, GIVEN_BACK, also)
            # Only now: where somebody decides at this moment, one of us waits for the other.
            until = await waits_until(connection, hold.turn)
            if until is not None:
                parking = update(turns).where(turns.c.id == hold.turn)
                await connection.execute(parking.values(state="parked", not_before=until))

        return await self._unless_fenced(work)

    async def stop(
        self, *, thread: ThreadId | None = None, key: str | None = None, why: str = "cancelled"
    ) -> list[str]:
        """End what is open there: what has not begun at once, what runs as soon as its worker hears of it.

        In a `thread`, what waits for people goes on until it has said so.
        """
        where = turns.c.thread == thread if thread else turns.c.key == key

        async def work(connection: AsyncConnection) -> list[str]:
            if key:
                await self._stop_merged(connection, where, why)
            return await self._stop(connection, where, why, says_so=thread is not None and why not in SILENT)

        return await self._database.write(work)

    async def merge_waiting(self, hold: Hold, thread: ThreadId, step: str) -> list[dict[str, Any]]:
        """Plain questions that came behind a running one, as messages: they end as merged, and it answers them too.

        What was merged is the result of `step`, if it was anything. Nothing is merged into a turn that is to stop: who
        knows what becomes of it. Raises `Fenced`.
        """
        own = select(turns.c.key, turns.c.stop).where(turns.c.id == hold.turn)
        waiting = (
            select(turns.c.id, turns.c.key, turns.c.message)
            .where(turns.c.thread == thread, turns.c.state == "queued", turns.c.kind == "question")
            # One that has begun before goes on by itself.
            .where(turns.c.epoch == 0)
            .order_by(turns.c.number)
        )

        async def look(connection: AsyncConnection) -> list[str]:
            found = await connection.execute(waiting)
            return [row.id for row in found if _may_be_merged(row.message["message"])]

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            # Where the store went away behind a first try.
            recorded = select(steps.c.result).where(steps.c.turn == hold.turn, steps.c.name == step)
            before: list[dict[str, Any]] | None = await connection.scalar(recorded)
            ours = (await connection.execute(own)).first()
            if before is not None or ours is None or ours.stop:
                return before or []
            merging = (
                update(turns)
                # What was edited or taken back in this moment is not merged, nor what this turn is edited to.
                .where(turns.c.id.in_(found), turns.c.state == "queued", turns.c.key != ours.key)
                .values(state="ended", outcome="merged", ended_at=time.time())
                .returning(turns.c.number, turns.c.message)
            )
            merged = sorted(await connection.execute(merging), key=lambda row: row.number)
            messages = [row.message["message"] for row in merged]
            if messages:
                now = time.time()
                row = {"turn": hold.turn, "name": step, "result": messages, "epoch": hold.epoch, "at": now}
                await insert_fenced(self._database, connection, steps.c.name, [row], hold)
            return messages

        found = await self._database.read(look)
        return await self._database.write(work) if found else []

    async def stops(self, ids: Collection[str]) -> dict[str, str]:
        """Which of these are to stop, and why."""

        async def work(connection: AsyncConnection) -> dict[str, str]:
            found = await connection.execute(_STOPS, {"ids": list(ids)})
            return {row.id: row.stop for row in found}

        return await self._database.read(work) if ids else {}

    async def leave_dead(self, thread: ThreadId, dead: Collection[str]) -> None:
        """What workers that have died were doing there is not gone on with."""

        async def work(connection: AsyncConnection) -> None:
            left = and_(turns.c.thread == thread, turns.c.state == "running", turns.c.worker.in_(dead))
            await connection.execute(
                update(turns)
                .where(left)
                .values(state="ended", outcome="cancelled", epoch=turns.c.epoch + 1, ended_at=time.time())
            )

        await self._database.write(work)

    async def workers(self) -> set[str]:
        """Who has turns that run."""

        async def work(connection: AsyncConnection) -> set[str]:
            found = await connection.scalars(
                select(turns.c.worker)
                .where(turns.c.state == "running", turns.c.worker.is_not(None))
                .distinct()
            )
            return set(found)

        return await self._database.read(work)

    async def next_due(self, worker: str = "") -> float | None:
        """When a turn may run that waits for its time, or for the end of another worker's lease: seconds from now."""

        async def work(connection: AsyncConnection) -> float | None:
            found = (await connection.execute(_DUE, {"ours": worker})).one()
            if found.first is None:
                return None
            now = await self._database.now(connection)
            is_put_off = found.put_off and found.put_off > now + LONGEST_WAIT_SECONDS
            return 0.0 if is_put_off else max(0.0, float(found.first) - now)

        return await self._database.read(work)

    async def _leave(
        self, connection: AsyncConnection, hold: Hold, values: Mapping[str, Any], also: Also | None = None
    ) -> None:
        if also:
            await also(connection)
        left = await connection.execute(_LEAVING, _left(hold, values))
        if not left.rowcount:
            raise Fenced(f"{hold.turn} in epoch {hold.epoch}")

    async def _unless_fenced(self, work: Also) -> bool:
        try:
            await self._database.write(work)
        except Fenced:
            return False
        return True

    async def _supersede(self, connection: AsyncConnection, by: NewTurn) -> None:
        others = and_(turns.c.key == by.key, turns.c.id != by.id)
        ids = await connection.scalars(select(turns.c.id).where(others))
        if any(revision_of(each) > revision_of(by.id) for each in ids):
            raise _TooLate
        await self._stop(connection, others, "superseded")
        await self._stop_merged(connection, others, "superseded")

    async def _stop(
        self, connection: AsyncConnection, where: Any, why: str, *, says_so: bool = False
    ) -> list[str]:
        is_running = turns.c.state == "running"
        goes_on = turns.c.state.in_(("running", "parked")) if says_so else is_running
        stopped = await connection.execute(
            update(turns)
            .where(where, turns.c.state.in_(OPEN))
            .values(
                stop=why,
                state=case((is_running, "running"), (goes_on, "queued"), else_="ended"),
                not_before=case((is_running, turns.c.not_before), else_=None),
                outcome=case((goes_on, turns.c.outcome), else_=why),
                ended_at=case((goes_on, turns.c.ended_at), else_=time.time()),
            )
            .returning(turns.c.id, turns.c.state, turns.c.epoch)
        )
        found = list(stopped)
        begun = [row.id for row in found if row.state == "ended" and row.epoch]
        if begun and why in SILENT:
            await self._part_merged(connection, begun)
        return [row.id for row in found]

    async def _stop_merged(self, connection: AsyncConnection, where: Any, why: str) -> None:
        """Where the turn that they were merged into is taken back, they are not asked anew."""
        await connection.execute(update(turns).where(where, turns.c.outcome == "merged").values(stop=why))

    async def _part_merged(self, connection: AsyncConnection, ids: Collection[str]) -> None:
        """What was merged into these turns is asked anew, unless it was taken back as well."""
        merging = select(steps.c.result).where(
            steps.c.turn.in_(ids), steps.c.name.startswith(MERGED_BEFORE, autoescape=True)
        )
        merged = [each["id"] for messages in await connection.scalars(merging) for each in messages]
        if not merged:
            return
        await connection.execute(
            update(turns)
            .where(turns.c.id.in_(merged), turns.c.outcome == "merged", turns.c.stop.is_(None))
            .values(state="queued", outcome=None, ended_at=None)
        )

    async def _later(self, connection: AsyncConnection, seconds: float) -> float:
        return await self._database.now(connection) + min(seconds, LONGEST_WAIT_SECONDS)


# What each turn needs is made once: to make it takes longer than to run it.
@cache
def _touching(insert: Insert) -> Any:
    """Whose thread's row is locked from there on: of two revisions, the later one sees the other."""
    adding = insert(threads)
    return adding.on_conflict_do_update(index_elements=["id"], set_={"used_at": adding.excluded.used_at})


@cache
def _adding(insert: Insert) -> Any:
    """One row, if it is new: whether there are other revisions of it, and what its mark says if it has one."""
    other = turns.alias("other")
    others = exists().where(other.c.key == bindparam("of"), other.c.id != bindparam("but"))
    adding = insert(turns).values(state="queued").on_conflict_do_nothing(index_elements=["id"])
    mark = select(seen.c.position).where(seen.c.place == bindparam("mark")).scalar_subquery()
    return adding.returning(others.label("has_others"), mark.label("gone"))


_STOPS = select(turns.c.id, turns.c.stop).where(
    turns.c.id.in_(bindparam("ids", expanding=True)), turns.c.stop.is_not(None)
)
_DUE = select(
    func.min(
        case(
            (turns.c.state.in_(("queued", "parked")), turns.c.not_before),
            (turns.c.worker != bindparam("ours"), turns.c.lease_until),
        )
    ).label("first"),
    func.max(case((turns.c.state == "queued", turns.c.not_before))).label("put_off"),
).where(turns.c.state.in_(OPEN))
_LEAVING = (
    update(turns)
    .where(turns.c.id == bindparam("held"), turns.c.epoch == bindparam("in_epoch"))
    .where(turns.c.state == "running")
)


def _left(hold: Hold, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"held": hold.turn, "in_epoch": hold.epoch, **values}
