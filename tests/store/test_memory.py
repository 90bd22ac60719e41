"""What adapters note stays, until what it is about is forgotten."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bot import forgetting
from bot.cleaning import clean
from bot.engine import taking
from bot.store import memory as memory_module
from bot.store.memory import Memory
from bot.store.store import Store
from bot.store.tables import seen, turns
from tests.store.filled import THREAD, asked_and_answered, message

BY = "operator:test"


async def test_a_note_is_read_again_as_it_was_written_last(store: Store) -> None:
    memory = Memory(store.database)

    await memory.note("slack:T1:place", "first")
    await memory.note("slack:T1:place", "second")

    assert await memory.recall("slack:T1:place") == "second"
    assert await memory.recall("slack:T1:other") is None


async def test_notes_about_a_forgotten_thread_go_with_it_and_only_those(store: Store) -> None:
    memory = Memory(store.database)
    turn = (await asked_and_answered(store, "what is the sum", "U1")).asked.id
    for key in (f"{turn}:posted", f"{THREAD}:root", "slack:T9/C9/9:root"):
        await memory.note(key, "here")

    await forgetting.forget_thread(store, THREAD, BY)

    assert await memory.recall(f"{turn}:posted") is None
    assert await memory.recall(f"{THREAD}:root") is None
    assert await memory.recall("slack:T9/C9/9:root") == "here"


async def test_a_deleted_turn_is_not_taken_in_again_and_a_new_revision_of_it_is(store: Store) -> None:
    asked = (await asked_and_answered(store, "what is the sum", "U1")).asked
    await forgetting.forget_turn(store, taking.source_of(asked.id))

    assert not await store.turns.add(taking.question(THREAD, asked))
    assert await store.turns.add(taking.question(THREAD, replace(asked, id=f"{asked.id}1726133698.5")))


async def test_of_a_deleted_turn_no_older_revision_is_taken_in(store: Store) -> None:
    asked = message("what is the sum", name="slack:T1:C1:1")
    edited = replace(asked, id="slack:T1:C1:1@1726133698.5")
    await store.turns.add(taking.question(THREAD, edited))
    await forgetting.forget_turn(store, asked.id)

    assert not await store.turns.add(taking.question(THREAD, asked))
    assert not await store.turns.add(taking.question(THREAD, edited))


@pytest.mark.parametrize("revision", ["", "@1726133698.5"])
async def test_a_message_whose_deletion_was_heard_before_it_is_not_taken_in(
    store: Store, revision: str
) -> None:
    key = "slack:T1:C1:1"
    await forgetting.forget_turn(store, key)

    assert not await store.turns.add(taking.question(THREAD, message("sum", name=key + revision)))
    assert await store.turns.add(taking.question(THREAD, message("sum", name="slack:T1:C1:12")))


async def test_a_second_deletion_takes_no_later_edit_away(store: Store) -> None:
    asked = (await asked_and_answered(store, "what is the sum", "U1")).asked
    for _ in range(2):
        await forgetting.forget_turn(store, taking.source_of(asked.id))

    assert await store.turns.add(taking.question(THREAD, replace(asked, id=f"{asked.id}1726133698.5")))


async def test_a_message_that_is_deleted_in_the_moment_in_which_it_comes_is_gone(store: Store) -> None:
    keys = [f"slack:T1:C1:{number}" for number in range(20)]

    await asyncio.gather(
        *(store.turns.add(taking.question(THREAD, message("sum", name=key))) for key in keys),
        *(forgetting.forget_turn(store, key) for key in keys),
    )

    left = select(func.count()).select_from(turns)
    assert await store.database.read(lambda connection: connection.scalar(left)) == 0


async def test_that_something_was_deleted_is_known_for_some_days_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Memory(store.database).note("slack:T1:place", "here")
    await forgetting.forget_turn(store, "slack:T1:C1:1")
    places = select(func.count()).select_from(seen)

    await clean(store, 0)
    assert await store.database.read(lambda connection: connection.scalar(places)) == 2
    monkeypatch.setattr(memory_module, "GONE_SECONDS", -1)
    await clean(store, 0)
    assert await store.database.read(lambda connection: connection.scalar(places)) == 1
