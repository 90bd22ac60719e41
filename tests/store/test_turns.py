"""Turns in the store: taken in, claimed, merged and ended once, on both kinds of store."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import taking
from bot.errors import Fenced
from bot.messages import Attachment, Author, Message, ThreadId
from bot.store import turns as turns_module
from bot.store.audit import Event, noted
from bot.store.claiming import Bounds, Claimant, Claimed
from bot.store.database import Database
from bot.store.steps import Recording
from bot.store.store import Store
from bot.store.tables import steps, turns

THREAD = ThreadId("test:T1/C1/1")
MANY = Bounds(worker=99, user=99, everywhere=99)
STEP = "before reply:2"


async def ask(
    store: Store,
    name: str,
    *,
    thread: ThreadId = THREAD,
    user: str = "U1",
    attachments: tuple[Attachment, ...] = (),
    **facts: bool,
) -> bool:
    message = Message(name, Author(user, user), f"text of {name}", datetime.now(UTC), attachments, **facts)
    return await store.turns.add(taking.question(thread, message))


async def claim(store: Store, worker: str = "w1", **facts: Any) -> Claimed | None:
    return await store.turns.claim(Claimant(worker, MANY, ("test:",), **facts))


async def claimed(store: Store, worker: str = "w1", **facts: Any) -> Claimed:
    found = await claim(store, worker, **facts)
    assert found
    return found


async def states(store: Store) -> dict[str, tuple[str, str | None]]:
    query = select(turns.c.id, turns.c.state, turns.c.outcome)
    found = await store.database.read(lambda connection: connection.execute(query))
    return {row.id: (row.state, row.outcome) for row in found}


@pytest.fixture
def answers_get_lost(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The next transaction is made twice: as if the store's answer to the first had not arrived."""

    def lose() -> None:
        real = Database.write

        async def write(database: Database, work: Callable[[Any], Awaitable[Any]]) -> Any:
            monkeypatch.setattr(Database, "write", real)
            await real(database, work)
            return await real(database, work)

        monkeypatch.setattr(Database, "write", write)

    return lose


async def test_threads_are_worked_on_in_their_order_and_side_by_side(store: Store) -> None:
    for name, thread in (("a1", "1"), ("a2", "1"), ("b1", "2")):
        await ask(store, name, thread=ThreadId(f"test:T1/C1/{thread}"))

    first = await claimed(store)
    second = await claimed(store, working_on=[first.id])
    assert (first.id, second.id) == ("a1", "b1")
    assert await claim(store, working_on=["a1", "b1"]) is None
    assert await store.turns.end(first.hold, "ok")
    assert (await claimed(store, working_on=["b1"])).id == "a2"


async def test_a_claim_whose_answer_was_lost_is_made_again(
    store: Store, answers_get_lost: Callable[[], None]
) -> None:
    await ask(store, "a")
    await ask(store, "b", thread=ThreadId("test:T1/C1/2"))
    answers_get_lost()

    first = await claimed(store)
    second = await claimed(store, working_on=[first.id])

    assert {first.id, second.id} == {"a", "b"}
    assert await claim(store, working_on=["a", "b"]) is None


async def test_the_last_place_of_a_worker_is_not_filled_twice_by_taking_over(store: Store) -> None:
    for number in range(3):
        await ask(store, f"q{number}", thread=ThreadId(f"test:T1/C1/{number}"))
    working_on = [(await claimed(store, "w1", lease_seconds=-1)).id for _ in range(1)]
    bounds = replace(MANY, worker=1)
    other = Claimant("w2", bounds, ("test:",), lease_seconds=10)

    taken = await store.turns.claim(other)
    assert taken
    assert taken.id == working_on[0]
    assert await store.turns.claim(replace(other, working_on=[taken.id])) is None


async def test_a_lease_that_ran_out_is_taken_over_by_others_and_by_its_own_worker(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store, "w1", lease_seconds=-1)
    assert await claim(store, "w1", working_on=["q"], lease_seconds=10) is None

    second = await claimed(store, "w2", lease_seconds=-1)
    third = await claimed(store, "w2", lease_seconds=10)

    assert (first.epoch, second.epoch, third.epoch) == (1, 2, 3)
    assert third.takeovers == 2
    assert not await store.turns.end(second.hold, "ok")
    assert await store.turns.end(third.hold, "ok")


async def test_nobody_has_to_wait_longer_because_a_clock_was_wrong(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(store, "q")
    first = await claimed(store)
    real_later = turns_module.Turns._later

    async def far_away(self: turns_module.Turns, connection: Any, seconds: float) -> float:
        return await real_later(self, connection, seconds) + 100_000

    monkeypatch.setattr(turns_module.Turns, "_later", far_away)
    await store.turns.give_back(first.hold, after_seconds=1)

    assert await store.turns.next_due() == 0
    assert (await claimed(store)).id == "q"


async def test_what_broke_is_tried_again_later_as_if_its_worker_had_died(store: Store) -> None:
    await ask(store, "q")
    assert await store.turns.break_off((await claimed(store)).hold, after_seconds=1)
    assert await claim(store) is None

    await asyncio.sleep(1.1)

    assert (await claimed(store)).takeovers == 1


async def test_what_is_given_back_for_later_is_due_then(store: Store) -> None:
    await ask(store, "q")
    await store.turns.give_back((await claimed(store)).hold, after_seconds=100)

    assert await claim(store) is None
    assert 90 < (await store.turns.next_due() or 0) <= 100


async def test_the_end_of_a_lease_is_when_there_is_something_to_do_for_others(store: Store) -> None:
    await ask(store, "q")
    await claimed(store, "w1", lease_seconds=5)

    assert 4 < (await store.turns.next_due("w2") or 0) <= 5
    assert await store.turns.next_due("w1") is None


async def test_follow_ups_are_merged_once_and_in_order(
    store: Store, answers_get_lost: Callable[[], None]
) -> None:
    await ask(store, "q")
    first = await claimed(store)
    for name in ("f1", "f2"):
        await ask(store, name, user="U2")
    answers_get_lost()

    merged = await store.turns.merge_waiting(first.hold, THREAD, STEP)

    assert [each["id"] for each in merged] == ["f1", "f2"]
    assert [each["id"] for each in (await store.steps.of("q"))[STEP]] == ["f1", "f2"]
    assert await store.turns.merge_waiting(first.hold, THREAD, "before reply:3") == []


async def test_what_came_behind_a_merge_whose_answer_was_lost_is_not_lost(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store)
    await ask(store, "f1")
    await store.turns.merge_waiting(first.hold, THREAD, STEP)
    await ask(store, "f2")

    # The worker has not heard of it, and asks again.
    again = await store.turns.merge_waiting(first.hold, THREAD, STEP)

    assert [each["id"] for each in again] == ["f1"]
    assert (await states(store))["f2"] == ("queued", None)


async def test_files_and_what_has_begun_before_are_not_merged(store: Store) -> None:
    await ask(store, "late")
    late = await claimed(store)
    await ask(store, "q", thread=ThreadId("test:T1/C1/2"))
    await store.turns.give_back(late.hold, after_seconds=100)
    first = await claimed(store)
    for thread in (THREAD, first.thread):
        await ask(store, f"file in {thread}", thread=thread, attachments=(Attachment("a", "b", 1),))

    assert await store.turns.merge_waiting(first.hold, first.thread, STEP) == []
    assert await store.turns.merge_waiting(first.hold, THREAD, STEP) == []


@pytest.mark.parametrize("fact", ["has_own_reply", "is_private"])
async def test_what_needs_an_answer_of_its_own_is_not_merged(store: Store, fact: str) -> None:
    await ask(store, "q")
    first = await claimed(store)
    await ask(store, "command", user="U2", **{fact: True})
    await ask(store, "f1")

    merged = await store.turns.merge_waiting(first.hold, THREAD, STEP)

    assert [each["id"] for each in merged] == ["f1"]


async def test_nothing_is_merged_into_a_turn_that_is_to_stop(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store)
    await ask(store, "f")
    await ask(store, "q@2")

    assert not await store.turns.merge_waiting(first.hold, THREAD, STEP)
    assert await store.turns.stops(["q"]) == {"q": "superseded"}
    assert (await states(store))["q@2"] == ("queued", None)


@pytest.mark.parametrize("why", ["superseded", "deleted"])
async def test_what_was_merged_into_a_question_that_is_taken_back_is_asked_anew(
    store: Store, why: str
) -> None:
    await ask(store, "q")
    first = await claimed(store)
    for name in ("stays", "edited", "deleted"):
        await ask(store, name)
    await store.turns.merge_waiting(first.hold, THREAD, STEP)
    await ask(store, "edited@2")
    await store.turns.stop(key="deleted", why="deleted")
    await store.turns.stop(key="q", why=why)

    assert await store.turns.end(first.hold, why)

    assert await states(store) == {
        "q": ("ended", why),
        "stays": ("queued", None),
        "edited": ("ended", "merged"),
        "edited@2": ("queued", None),
        "deleted": ("ended", "merged"),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(("q", "q@99.5", "q@100"))))
async def test_the_newest_revision_is_left_in_whatever_order_they_come(
    store: Store, order: tuple[str, ...]
) -> None:
    for name in order:
        await ask(store, name)

    left = [name for name, (state, _) in (await states(store)).items() if state != "ended"]
    assert left == ["q@100"]
    assert (await claimed(store)).message["message"]["text"] == "text of q@100"


async def test_a_revision_that_comes_too_late_stops_nothing_and_leaves_nothing(store: Store) -> None:
    await ask(store, "q@1726133698000")
    first = await claimed(store)

    assert not await ask(store, "q")
    assert not await ask(store, "q@1726133697999")

    assert await store.turns.stops([first.id]) == {}
    assert await states(store) == {first.id: ("running", None)}


async def test_what_was_merged_into_a_question_that_waits_is_asked_anew_when_that_is_edited(
    store: Store,
) -> None:
    await ask(store, "q")
    first = await claimed(store)
    await ask(store, "f")
    await store.turns.merge_waiting(first.hold, THREAD, STEP)
    await store.turns.give_back(first.hold, after_seconds=100)
    await ask(store, "q@2")

    assert (await states(store))["q"] == ("ended", "superseded")
    assert (await states(store))["f"] == ("queued", None)


async def test_a_turn_that_is_answered_keeps_what_was_merged(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store)
    await ask(store, "f")
    await store.turns.merge_waiting(first.hold, THREAD, STEP)
    await store.turns.end(first.hold, "ok")

    assert (await states(store))["f"] == ("ended", "merged")


async def test_the_end_is_written_together_with_the_last_steps_or_not_at_all(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store, lease_seconds=-1)
    posted = Recording("posted", None)
    second = await claimed(store, "w2", lease_seconds=10)

    assert not await store.turns.end(first.hold, "ok", store.steps.writing(first.hold, [posted]))
    assert await store.steps.of("q") == {}
    assert await store.turns.end(second.hold, "ok", store.steps.writing(second.hold, [posted]))
    assert await store.steps.of("q") == {"posted": None}


async def test_whoever_has_lost_a_turn_writes_nothing_with_its_end(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store, lease_seconds=-1)
    await claimed(store, "w2", lease_seconds=10)

    assert not await store.turns.end(first.hold, "ok", noted(Event.ANSWERED, turn="q"))
    assert not await store.turns.give_back(first.hold, noted(Event.ANSWERED, turn="q"))
    assert await store.audit.entries() == []


async def test_a_turn_that_is_stopped_while_it_is_claimed_is_not_begun(store: Store) -> None:
    if store.database.is_sqlite:
        pytest.skip("there, whoever writes does so alone")
    await ask(store, "q")

    async def stop_slowly(connection: AsyncConnection) -> asyncio.Task[Claimed | None]:
        await connection.execute(update(turns).values(state="ended", outcome="cancelled"))
        claiming = asyncio.create_task(claim(store))
        waiting = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'transactionid')")
        while not await store.database.read(lambda c: c.scalar(waiting)):  # noqa: ASYNC110  # the server
            await asyncio.sleep(0.01)
        return claiming

    assert await (await store.database.write(stop_slowly)) is None
    assert await states(store) == {"q": ("ended", "cancelled")}


async def test_what_a_worker_records_after_it_was_replaced_is_not_there(store: Store) -> None:
    await ask(store, "q")
    first = await claimed(store, lease_seconds=-1)
    await claimed(store, "w2", lease_seconds=10)

    with pytest.raises(Fenced):
        await store.steps.record(first.hold, "reply:1", {})
    await ask(store, "f")
    with pytest.raises(Fenced):
        await store.turns.merge_waiting(first.hold, THREAD, STEP)


async def test_a_step_that_is_recorded_twice_is_there_as_it_was_first(
    store: Store, answers_get_lost: Callable[[], None]
) -> None:
    await ask(store, "q")
    first = await claimed(store)
    answers_get_lost()
    await store.steps.record(first.hold, "reply:1", {"text": "one"})
    await store.steps.record(first.hold, "reply:1", {"text": "two"})

    count = select(steps.c.name).where(steps.c.turn == "q")
    found = await store.database.read(lambda connection: connection.execute(count))
    assert len(list(found)) == 1
    assert (await store.steps.of("q"))["reply:1"] == {"text": "one"}


async def test_a_question_is_taken_in_within_a_moment_of_its_clock(store: Store) -> None:
    await ask(store, "q")

    assert abs((await claimed(store)).asked_at - time.time()) < 5
