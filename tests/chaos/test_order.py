"""Many threads, people and workers at once, with edits, deletions, stops, follow-ups and deaths: what must hold always.

In each thread one turn at a time, in the order of the questions. Never more turns at once than a worker, a person or
all together may have. What somebody said is answered once, by its own turn or by the one that it was merged into,
unless it was taken back; and a stop is heard within a second.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.engine import lease, taking, worker
from bot.engine.bell import Bell, LocalBell
from bot.engine.postgres_bell import PostgresBell
from bot.engine.worker import Worker
from bot.errors import Fenced
from bot.messages import Author, Message, ThreadId
from bot.stopping import SILENT, Stop
from bot.store.claiming import Bounds, Claimed
from bot.store.store import Store
from bot.store.tables import steps, turns

BOUNDS = Bounds(worker=3, user=3, everywhere=7)
THREADS, PEOPLE, WORKERS = 9, 5, 3
MESSAGES = 140
STOP_SECONDS = 3.0
"""A second on an idle machine; here, others kill and write at the same time."""
LEASE_SECONDS, RENEW_SECONDS = 2.5, 0.3


@dataclass
class World:
    """What is going on, as whoever works there sees it."""

    chance: random.Random
    address: str
    data_dir: Path
    running: dict[str, tuple[Claimed, str]] = field(default_factory=dict[str, tuple[Claimed, str]])
    """By turn: who works on it."""
    began: list[Claimed] = field(default_factory=list[Claimed])
    stopped: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    """When somebody wanted a turn to end that was running, and nobody had wanted it before; its epoch then."""
    heard: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    wrong: list[str] = field(default_factory=list[str])
    most: Counter[str] = field(default_factory=Counter[str])

    def enter(self, claimed: Claimed, name: str) -> None:
        others = [other for other, _ in self.running.values()]
        if any(other.thread == claimed.thread for other in others):
            self.wrong.append(f"two at once in {claimed.thread}")
        self.running[claimed.id] = claimed, name
        self.began.append(claimed)
        whose = Counter(other.user for other, _ in self.running.values())
        where = Counter(who for _, who in self.running.values())
        for what, count in {
            "user": max(whose.values()),
            "worker": max(where.values()),
            "everywhere": len(self.running),
        }.items():
            self.most[what] = max(self.most[what], count)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[tuple[Store, Bell]]:
        heard = PostgresBell.heard(self.address) if self.address else LocalBell.heard(self.data_dir)
        async with Store.opened(self.data_dir, self.address) as store, heard as bell:
            yield store, bell


async def work(world: World, name: str) -> None:
    """One worker, until it is cancelled. Its turns take a few rounds, and listen to what is said meanwhile."""
    async with world.store() as (store, bell):

        async def take(claimed: Claimed, stop: Stop, check: Callable[[], Awaitable[None]]) -> None:
            world.enter(claimed, name)
            try:
                await in_rounds(world, store, claimed, stop, check)
            finally:
                if world.running.get(claimed.id, (None, ""))[1] == name:
                    del world.running[claimed.id]

        async def give_up(claimed: Claimed) -> None:
            world.wrong.append(f"{claimed.id} was given up")
            await store.turns.end(claimed.hold, "error")

        await Worker(
            name=name,
            turns=store.turns,
            bell=bell,
            bounds=BOUNDS,
            platforms=("test:",),
            take=take,
            give_up=give_up,
            data_dir=world.data_dir,
            with_leases=True,
        ).work()


async def in_rounds(
    world: World, store: Store, claimed: Claimed, stop: Stop, check: Callable[[], Awaitable[None]]
) -> None:
    journal = await taking.journal_of(claimed, store, check)
    if claimed.stop:
        stop.set_for(claimed.stop)

    async def think() -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(world.chance.uniform(0.01, 0.12)):
                await stop.wait()
        return claimed.id

    for _ in range(3):
        if not stop.is_set():
            await journal.next("reply", lambda _: think())
            await journal.meanwhile()
    if stop.is_set():
        world.heard.setdefault(claimed.id, (time.monotonic(), claimed.epoch))
    outcome = stop.reason if stop.is_set() and stop.reason in SILENT else "ok"
    if not await journal.end(outcome):
        raise Fenced(claimed.id)


@dataclass
class Said:
    """One thing that somebody said, with all its revisions."""

    key: str
    thread: ThreadId
    user: str
    revisions: int = 1
    is_deleted: bool = False
    was_in_stopped: bool = False

    @property
    def newest(self) -> str:
        return self.key if self.revisions == 1 else f"{self.key}@{self.revisions}"


async def people(world: World, store: Store, bell: Bell) -> list[Said]:
    """They talk, edit, delete and stop."""
    said: list[Said] = []
    for number in range(MESSAGES):
        one = Said(
            f"m{number}",
            ThreadId(f"test:T1/C1/{world.chance.randrange(THREADS)}"),
            f"U{world.chance.randrange(PEOPLE)}",
        )
        said.append(one)
        await say(store, one)
        what = world.chance.random()
        # Mostly of what is being worked on.
        other = world.chance.choice(said[-8:])
        if what < 0.25 and not other.is_deleted:
            other.revisions += 1
            await say(store, other)
        elif what < 0.32:
            other.is_deleted = True
            await store.turns.stop(key=other.key, why="deleted")
        elif what < 0.36:
            await stop_all_in(world, store, other.thread, said)
        await bell.ring()
        await asyncio.sleep(world.chance.expovariate(1 / 0.012))
    return said


async def say(store: Store, one: Said) -> None:
    message = Message(one.newest, Author(one.user, one.user), one.newest, datetime.now(UTC))
    await store.turns.add(taking.question(one.thread, message))


async def stop_all_in(world: World, store: Store, thread: ThreadId, said: list[Said]) -> None:
    running = {
        turn: claimed.epoch for turn, (claimed, _) in world.running.items() if claimed.thread == thread
    }
    asked_at = time.monotonic()
    stopped = await store.turns.stop(thread=thread)
    for turn in running.keys() & set(stopped):
        world.stopped.setdefault(turn, (asked_at, running[turn]))
    for each in said:
        each.was_in_stopped |= each.newest in stopped


async def deaths(world: World, tasks: dict[str, asyncio.Task[None]]) -> None:
    """Workers that end without a word, and others that begin."""
    for number in range(WORKERS, WORKERS + 4):
        await asyncio.sleep(world.chance.uniform(0.4, 0.9))
        name = world.chance.choice(list(tasks))
        gone = tasks.pop(name)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        tasks[f"w{number}"] = asyncio.create_task(work(world, f"w{number}"))


async def until_all_ended(store: Store) -> None:
    async with asyncio.timeout(60):
        while await rows(store, select(turns.c.id).where(turns.c.state != "ended")):  # noqa: ASYNC110  # others do
            await asyncio.sleep(0.1)


async def rows(store: Store, query: Any) -> list[Any]:
    return list(await store.database.read(lambda connection: connection.execute(query)))


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(2, 10))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_everything_at_once(
    seed: int, postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setattr(worker, "RENEW_SECONDS", RENEW_SECONDS)
    monkeypatch.setattr(lease, "LEASE_SECONDS", LEASE_SECONDS)
    # Nobody here is to blame for dying so often.
    monkeypatch.setattr(worker, "TAKEOVERS", 100)
    world = World(random.Random(seed), await postgres.new_store(), tmp_path)
    async with world.store() as (store, bell):
        tasks = {f"w{number}": asyncio.create_task(work(world, f"w{number}")) for number in range(WORKERS)}
        try:
            said, _ = await asyncio.gather(people(world, store, bell), deaths(world, tasks))
            await until_all_ended(store)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

        assert world.wrong == []
        assert world.most["user"] <= BOUNDS.user
        assert world.most["worker"] <= BOUNDS.worker
        assert world.most["everywhere"] <= BOUNDS.everywhere
        # They were really met.
        assert world.most["everywhere"] >= BOUNDS.everywhere - 2
        await check_order(store)
        await check_answers(store, said)
    check_stops(world)


def check_stops(world: World) -> None:
    """Whoever was at it hears of it soon; of a worker that died, the next one once its lease is over."""
    for turn, (asked_at, epoch) in world.stopped.items():
        if turn in world.heard:
            at, by = world.heard[turn]
            most = STOP_SECONDS if by == epoch else 2 * STOP_SECONDS
            assert at - asked_at < most, f"{turn} after {at - asked_at:.2f} s, epochs {epoch} and {by}"


async def check_order(store: Store) -> None:
    """By the store's own record: in a thread, nobody began before an earlier question had ended."""
    query = select(turns).where(turns.c.began_at.is_not(None)).order_by(turns.c.thread, turns.c.number)
    before: Any = None
    for row in await rows(store, query):
        if before is not None and before.thread == row.thread:
            assert before.began_at <= row.began_at, f"{before.id} and {row.id}"
            assert before.ended_at <= row.began_at + 0.05, f"{before.id} and {row.id}"
        before = row


async def check_answers(store: Store, said: list[Said]) -> None:
    found = {row.id: row for row in await rows(store, select(turns))}
    merged: Counter[str] = Counter()
    for row in await rows(store, select(steps).where(steps.c.name.startswith("before "))):
        if found[row.turn].outcome not in SILENT:
            merged.update(message["id"] for message in row.result)
    answered = {turn for turn, row in found.items() if row.outcome == "ok"}
    for one in said:
        fate = found[one.newest].outcome
        times = (one.newest in answered) + merged[one.newest]
        assert times <= 1, f"{one.newest} was answered {times} times"
        if not (one.is_deleted or one.was_in_stopped):
            assert times == 1, f"{one.newest} was not answered: {fate}"
