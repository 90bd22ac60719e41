"""What adapters ask of threads and turns."""

from datetime import UTC, datetime

from bot.engine import taking
from bot.forgetting import forget_above, forget_turn
from bot.messages import Above, Attachment, Author, Message, ThreadId
from bot.store.lookups import Lookups
from bot.store.store import Store
from bot.visits import Visit, Wish
from tests.store.filled import Doing, begin

THREADS = [ThreadId(f"slack:T1/C1/{number}") for number in (1, 2)]


async def asked(store: Store, thread: ThreadId, number: int, user: str = "U1", *files: Attachment) -> str:
    message = Message(f"slack:T1:C1:{number}@", Author(user, "Anna"), "what", datetime.now(UTC), files)
    await store.turns.add(taking.question(thread, message))
    return message.id


async def test_the_most_recently_used_thread_comes_first_with_its_newest_turn(store: Store) -> None:
    await asked(store, THREADS[0], 1)
    await asked(store, THREADS[1], 2)
    newest = await asked(store, THREADS[0], 3)
    await asked(store, ThreadId("slack:T2/C1/9"), 4)

    recent = await Lookups(store.database).recent("slack:T1")

    assert list(recent) == [(THREADS[0], newest), (THREADS[1], "slack:T1:C1:2@")]


async def test_of_each_question_the_newest_revision_is_told_the_newest_question_first(store: Store) -> None:
    await asked(store, THREADS[0], 1)
    await asked(store, THREADS[1], 2)
    edited = Message("slack:T1:C1:1@5", Author("U1", "Anna"), "why", datetime.now(UTC))
    await store.turns.add(taking.question(THREADS[0], edited, "an address"))
    await asked(store, ThreadId("slack:T2/C1/9"), 4)

    found = await Lookups(store.database).asked("slack:T1")

    assert [each["message"]["id"] for each in found] == [edited.id, "slack:T1:C1:2@"]
    assert found[0]["address"] == "an address"


async def test_turns_are_found_by_a_file_that_came_with_them(store: Store) -> None:
    files = (Attachment("a.csv", "https://files.example/T1-F77/a.csv", 1),)
    await asked(store, THREADS[0], 1, "U1", *files)
    await asked(store, THREADS[0], 2)

    found = await Lookups(store.database).turns_with_file("slack:T1", "F77")

    assert found == ["slack:T1:C1:1"]


async def test_threads_are_found_by_the_channel_that_was_asked_from(store: Store) -> None:
    for number, (thread, channel) in enumerate([(THREADS[0], "C1"), (THREADS[1], "C12")]):
        author = Author("U1", "Anna")
        message = Message(f"slack:T1:{number}@", author, "C1", datetime.now(UTC))
        visit = Visit(Wish.ASK, author, "slack", "T1", channel)
        await store.turns.add(taking.by(visit, taking.question(thread, message)))

    assert await Lookups(store.database).threads_in_channel("slack:T1", "C1") == [THREADS[0]]
    assert await Lookups(store.database).threads_in_channel("slack:T2", "C1") == []


async def test_whoever_asked_is_known_by_the_turn(store: Store) -> None:
    turn = await asked(store, THREADS[0], 1, "U7")
    lookups = Lookups(store.database)

    assert await lookups.asker(turn) == "U7"
    assert await lookups.asker("slack:T1:C1:5@") is None
    assert await lookups.is_known(THREADS[0])
    assert not await lookups.is_known(THREADS[1])


async def test_what_was_heard_is_known_in_any_revision_and_once_it_is_deleted(store: Store) -> None:
    await asked(store, THREADS[0], 1)
    deleted = await asked(store, THREADS[0], 2)
    await forget_turn(store, taking.source_of(deleted))
    heard = Lookups(store.database).has_heard

    assert await heard("slack:T1:C1:1@77", "slack:T1:C1:1")
    assert await heard(deleted, taking.source_of(deleted))
    assert not await heard("slack:T1:C1:3@", "slack:T1:C1:3")


async def test_of_each_message_its_newest_revision_is_known(store: Store) -> None:
    await asked(store, THREADS[0], 1)
    await asked(store, THREADS[1], 2)
    edited = Message("slack:T1:C1:1@77", Author("U1", "Anna"), "what now", datetime.now(UTC))
    await store.turns.add(taking.question(THREADS[0], edited))

    found = await Lookups(store.database).messages(THREADS[0])

    assert [(message["text"], is_question) for message, is_question in found] == [("what now", True)]


async def test_what_was_read_above_is_known_until_somebody_takes_it_back(store: Store) -> None:
    author = Author("U2", "Bert")
    above = [Message(f"slack:T1:C1:{text}", author, text, datetime.now(UTC)) for text in ("one", "two")]
    question = Message("slack:T1:C1:7", Author("U1", "Anna"), "and?", datetime.now(UTC))
    turn = Doing(store, await begin(store, question, THREADS[0]), question, THREADS[0])
    await turn.record("above", await turn.codecs.above.dump(Above(tuple(above))))
    await turn.answer("So.")
    await forget_above(store, THREADS[0], lambda each: each["text"] == "two")

    found = await Lookups(store.database).messages(THREADS[0])

    assert [(message["text"], is_question) for message, is_question in found] == [
        ("and?", True),
        ("one", False),
    ]
