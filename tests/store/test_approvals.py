"""Questions about hosts: whoever parks a turn and whoever decides never miss each other."""

import asyncio

import pytest
from sqlalchemy import select

from bot.errors import Fenced
from bot.execution import Host
from bot.store.approvals import Decision, Question
from bot.store.fence import Hold
from bot.store.store import Store
from bot.store.tables import turns
from tests.store.filled import THREAD, begin, message

HOST = Host("site.example")


async def asked(store: Store, id: str = "q1", text: str = "fetch it") -> tuple[Question, Hold]:  # noqa: A002  # a question's
    hold = await begin(store, message(text))
    question = Question(id, THREAD, hold.turn, HOST)
    await store.approvals.add(question, hold, 60)
    return question, hold


async def state(store: Store, turn: str) -> str | None:
    found: str | None = await store.database.read(
        lambda c: c.scalar(select(turns.c.state).where(turns.c.id == turn))
    )
    return found


async def test_a_turn_waits_until_its_question_is_too_late(store: Store) -> None:
    question, hold = await asked(store)
    assert await store.turns.park(hold)

    assert await state(store, question.turn) == "parked"
    assert 50 < (await store.turns.next_due() or 0) <= 60


async def test_a_turn_that_was_parked_goes_on_with_the_decision(store: Store) -> None:
    question, hold = await asked(store)
    await store.turns.park(hold)
    await store.approvals.decide(question.id, Decision.ONCE)

    assert await state(store, question.turn) == "queued"
    assert await store.turns.next_due() is None or await store.turns.next_due() == 0


async def test_a_decision_in_the_moment_before_is_not_slept_through(store: Store) -> None:
    question, hold = await asked(store)
    await store.approvals.decide(question.id, Decision.ONCE)
    assert await store.turns.park(hold)

    assert await state(store, question.turn) == "queued"


async def test_whoever_parks_and_whoever_decides_at_once_do_not_miss_each_other(store: Store) -> None:
    for number in range(10):
        question, hold = await asked(store, f"q{number}", f"fetch {number}")
        await asyncio.gather(
            store.turns.park(hold), store.approvals.decide(question.id, Decision.ONCE), store.turns.next_due()
        )

        assert await state(store, question.turn) == "queued"
        await store.turns.stop(thread=THREAD)


async def test_two_who_decide_at_once_about_two_hosts_wake_the_turn(store: Store) -> None:
    for number in range(10):
        first, hold = await asked(store, f"q{number}", f"fetch {number}")
        second = Question(f"p{number}", THREAD, first.turn, Host("other.example"))
        await store.approvals.add(second, hold, 60)
        await store.turns.park(hold)
        await asyncio.gather(
            store.approvals.decide(first.id, Decision.ONCE),
            store.approvals.decide(second.id, Decision.DENIED),
        )

        assert await state(store, first.turn) == "queued"
        await store.turns.stop(thread=THREAD)


async def test_the_first_decision_counts(store: Store) -> None:
    question, _ = await asked(store)
    first = await store.approvals.decide(question.id, Decision.DENIED)
    second = await store.approvals.decide(question.id, Decision.THREAD)

    assert (first and first.decision, second and second.decision) == (None, Decision.DENIED)
    assert await store.approvals.allowed(THREAD, question.turn) == frozenset()


async def test_nothing_but_what_was_allowed_can_be_taken_back(store: Store) -> None:
    question, _ = await asked(store)
    await store.approvals.decide(question.id, Decision.DENIED)
    await store.approvals.revoke(question.id)

    found = await store.approvals.find(question.id)
    assert found
    assert found.decision is Decision.DENIED


async def test_who_was_replaced_asks_nothing(store: Store) -> None:
    question, hold = await asked(store)
    with pytest.raises(Fenced):
        await store.approvals.add(
            Question("q2", THREAD, question.turn, HOST), Hold(hold.turn, hold.epoch - 1), 60
        )

    assert await store.approvals.find("q2") is None


async def test_a_question_that_is_asked_again_keeps_its_time_and_its_decision(store: Store) -> None:
    question, hold = await asked(store)
    await store.approvals.decide(question.id, Decision.THREAD)
    await store.approvals.add(question, hold, 3600)

    assert await store.approvals.allowed(THREAD, "another turn") == {HOST}
