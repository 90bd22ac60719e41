"""Which turn runs next: of a dead worker, or one that waits no longer, or the oldest that is free to run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, bindparam, case, exists, false, func, or_, select, update

from bot.messages import ThreadId
from bot.store.fence import Hold
from bot.store.tables import OPEN, threads, turns

LONGEST_WAIT_SECONDS = 600.0
"""Nothing waits for longer until it is tried again. What seems to have to was put off by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Claimed:
    id: str
    key: str
    thread: ThreadId
    user: str
    kind: str
    message: dict[str, Any]
    epoch: int
    takeovers: int
    """How often a worker has died on it."""
    asked_at: float
    stop: str | None
    has_begun: bool
    """There may be steps of it: somebody has worked on it before."""
    is_thread_expired: bool
    """All that was said in its thread before has been deleted for its age."""

    @property
    def hold(self) -> Hold:
        return Hold(self.id, self.epoch)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many turns may run at once."""

    worker: int
    user: int
    everywhere: int


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who wants something to do."""

    worker: str
    bounds: Bounds
    platforms: Sequence[str] = ()
    """Beginnings of the threads that it can speak in."""
    only: str | None = None
    """This turn and no other."""
    lease_seconds: float | None = None
    """None where the end of a worker is noticed in another way: then `dead` names those that have ended."""
    dead: Collection[str] = ()
    working_on: Collection[str] = ()
    """Its turns. What else is said to be its own it has never heard of: the store's answer did not arrive."""


@cache
def taking(platforms: tuple[str, ...], *, is_certain: bool) -> Any:
    """Takes one turn at most: of a dead worker, or one that waits no longer, or the oldest that is free to run.

    `claim` has the parameters.
    """
    ours = or_(
        false(),
        *((turns.c.id == bindparam("only"),) if is_certain else ()),
        *(turns.c.thread.startswith(platform, autoescape=True) for platform in platforms),
    )
    now = bindparam("now", type_=Float)
    has_waited = or_(
        turns.c.not_before.is_(None),
        turns.c.not_before <= now,
        turns.c.not_before > now + LONGEST_WAIT_SECONDS,
    )
    was_running = turns.c.state == "running"
    left = select(turns.c.number).where(was_running, ours, _is_left(now)).order_by(turns.c.number).limit(1)
    parked = _first(turns.c.state == "parked", ours, turns.c.not_before <= now, is_certain=is_certain)
    queued = _first(turns.c.state == "queued", ours, has_waited, is_certain=is_certain)
    found = func.coalesce(left.scalar_subquery(), parked, queued)
    return (
        update(turns)
        # It may have been ended in this moment.
        .where(turns.c.number == found, turns.c.state.in_(OPEN))
        .values(
            state="running",
            worker=bindparam("claimant"),
            epoch=turns.c.epoch + 1,
            lease_until=bindparam("until"),
            began_at=func.coalesce(turns.c.began_at, bindparam("began", type_=Float)),
            not_before=None,
            takeovers=turns.c.takeovers + case((was_running, 1), else_=0),
        )
        .returning(*_CLAIMED)
    )


_BESIDES: Mapping[str, ColumnElement[Any]] = {
    "has_begun": turns.c.epoch > 1,
    "is_thread_expired": exists().where(threads.c.id == turns.c.thread, threads.c.expired_at.is_not(None)),
}
"""What is told of a claimed turn and is no column of it."""
_NAMES = [each.name for each in fields(Claimed)]
_CLAIMED = [_BESIDES[name].label(name) if name in _BESIDES else turns.c[name] for name in _NAMES]


def _is_left(now: ColumnElement[float]) -> ColumnElement[bool]:
    return and_(
        turns.c.id.not_in(bindparam("working_on", expanding=True)),
        or_(
            turns.c.worker == bindparam("claimant"),
            turns.c.worker.in_(bindparam("dead", expanding=True)),
            turns.c.lease_until < now,
        ),
    )


def _first(*are: ColumnElement[bool], is_certain: bool) -> Any:
    """The oldest of these whose thread and user are free."""
    # In a query of its own, and none of the rest as `EXISTS`: so Postgres takes one after the other, and looks at no
    # more of them than it has to.
    columns = (turns.c.number, turns.c.thread, turns.c.user)
    waiting = select(*columns).where(*are).order_by(turns.c.number).offset(0).subquery("waiting")
    earlier, same_user, running = turns.alias("earlier"), turns.alias("same_user"), turns.alias("running")
    before = (
        select(earlier.c.number)
        .where(
            earlier.c.thread == waiting.c.thread,
            or_(
                earlier.c.state == "running",
                and_(earlier.c.state == "queued", earlier.c.number < waiting.c.number),
            ),
        )
        .limit(1)
    )
    of_user = (
        select(func.count())
        .select_from(same_user)
        .where(same_user.c.user == waiting.c.user, same_user.c.state == "running")
    )
    everywhere = select(func.count()).select_from(running).where(running.c.state == "running")
    here = everywhere.where(running.c.worker == bindparam("claimant"))
    return (
        select(waiting.c.number)
        .where(
            before.scalar_subquery().is_(None),
            of_user.scalar_subquery() < bindparam("most_of_user"),
            everywhere.scalar_subquery() < bindparam("most_everywhere"),
            # Whoever wants a certain turn does not know what else is worked on in its process.
            *((here.scalar_subquery() < bindparam("most_here"),) if is_certain else ()),
        )
        .limit(1)
        .scalar_subquery()
    )
