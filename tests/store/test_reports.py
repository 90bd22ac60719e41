"""What operators can list, and what is written down for them."""

import time

from sqlalchemy import update

from bot.messages import ThreadId
from bot.store.audit import Event, hash_of, noted, together
from bot.store.store import Store
from bot.store.tables import usage
from bot.store.usage import Payer, Spent, counted
from bot.transcript import Usage
from tests.store.filled import THREAD, asked_and_answered, doing

OTHER = ThreadId("slack:T2/C1/2")


async def spend(store: Store, turn: str, user: str, step: str = "reply:1", **facts: float | None) -> None:
    spent = Spent("gpt", Usage(100, 10, 20), cost_usd=facts.get("cost"), sandbox_seconds=2)
    await store.database.write(counted(store.database, Payer(turn, THREAD, user), step, spent))


async def test_threads_are_listed_with_their_size_the_newest_first(store: Store) -> None:
    first = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    await asked_and_answered(store, "b", thread=OTHER, user="U2")
    await asked_and_answered(store, "c")

    rows = await store.reports.threads()

    assert [(row.id, row.turns) for row in rows] == [(THREAD, 2), (OTHER, 1)]
    assert rows[0].files_bytes == await store.files.used(thread=THREAD)
    assert rows[0].files_bytes >= len(b"1,2,3") + len(first.artifacts)
    assert [row.id for row in await store.reports.threads(team="slack:T2")] == [OTHER]
    assert [row.id for row in await store.reports.threads(user="U1")] == [THREAD]


async def test_turns_are_listed_with_how_they_ended(store: Store) -> None:
    await asked_and_answered(store, "a")
    await doing(store, "b", "U2")

    rows = await store.reports.turns(thread=THREAD)

    assert [(row.user, row.state, row.outcome) for row in rows] == [
        ("U1", "ended", "ok"),
        ("U2", "running", None),
    ]
    assert [(row.question, row.answer) for row in rows] == [("a", "Answer to a"), ("b", "")]
    assert [row.user for row in await store.reports.turns(state="running")] == ["U2"]


async def test_usage_is_summed_for_whatever_one_asks_for(store: Store) -> None:
    await spend(store, "t1", "U1", cost=0.5)
    await spend(store, "t1", "U1", "reply:2", cost=0.25)
    await spend(store, "t2", "U2", cost=None)

    by_user = {row.whose: row for row in await store.reports.usage("user")}

    assert (by_user["U1"].turns, by_user["U1"].cost_usd, by_user["U1"].unpriced_tokens) == (1, 0.75, 0)
    assert (by_user["U2"].cost_usd, by_user["U2"].unpriced_tokens) == (0, 110)
    assert by_user["U1"].sandbox_seconds == 4
    assert [row.whose for row in await store.reports.usage("team")] == ["slack:T1"]
    assert [row.whose for row in await store.reports.usage("model")] == ["gpt"]


async def test_usage_by_day_has_the_days_of_utc_in_order(store: Store) -> None:
    for step, at in (("a", 86_399.0), ("b", 86_400.0), ("c", 3 * 86_400 - 1.0)):
        await spend(store, "t1", "U1", step)
        await store.database.write(
            lambda c, step=step, at=at: c.execute(update(usage).where(usage.c.step == step).values(at=at))  # type: ignore[misc]
        )

    assert [row.whose for row in await store.reports.usage("day")] == [
        "1970-01-01",
        "1970-01-02",
        "1970-01-03",
    ]


async def test_an_audit_entry_says_who_where_and_when(store: Store) -> None:
    before = time.time()
    await store.audit.note(Event.REFUSED, thread=THREAD, turn="t1", user="U1", rule="guests")
    await store.audit.note(Event.CHANGED, team="slack:T2", user="operator:root", name="pause", value="on")

    first, second = await store.audit.entries()

    assert (first.kind, first.team, first.thread, first.user) == ("refused", "slack:T1", THREAD, "U1")
    assert first.facts == {"rule": "guests"}
    assert first.at >= before
    assert (second.team, second.thread) == ("slack:T2", "")
    assert [entry.kind for entry in await store.audit.entries(event="changed")] == ["changed"]
    assert [entry.kind for entry in await store.audit.entries(user="U1", limit=5)] == ["refused"]


async def test_an_entry_is_written_with_its_step_or_not_at_all(store: Store) -> None:
    turn = await doing(store, "a")
    entry = noted(Event.RAN, thread=THREAD, turn=turn.hold.turn, facts={"code": hash_of("1")})
    for _ in range(2):
        await store.steps.record(turn.hold, "cell:1", {}, together(entry, None))

    assert [entry.kind for entry in await store.audit.entries()] == ["ran"]


async def test_the_newest_rating_of_a_person_counts(store: Store) -> None:
    await store.feedback.rate("t1", THREAD, "U1", "bad", "no")
    await store.feedback.rate("t1", THREAD, "U1", "good")
    await store.feedback.rate("t1", THREAD, "U2", "bad")

    assert [(each.user, each.value, each.text) for each in await store.feedback.of(turn="t1")] == [
        ("U1", "good", ""),
        ("U2", "bad", ""),
    ]
    assert len(await store.feedback.of(user="U2")) == 1
