"""What adapters note stays, until what it is about is forgotten."""

from dataclasses import replace

from bot import forgetting
from bot.engine import taking
from bot.store.memory import Memory
from bot.store.store import Store
from tests.store.filled import THREAD, asked_and_answered

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
    assert await store.turns.add(taking.question(THREAD, replace(asked, id=f"{asked.id}later")))
