"""What was said in a thread, in the store."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import Fenced
from bot.execution import Picture
from bot.messages import ThreadId
from bot.store.claiming import Bounds, Claimant
from bot.store.fence import Hold
from bot.store.store import Store
from bot.store.turns import NewTurn
from bot.transcript import Digest, Prompt, Reply, Round, ToolCall, ToolResult, Upload, Usage

THREAD = ThreadId("slack:T1/C1/1726133698.626339")
CHART = Picture("chart.png", "image/png", b"\x89PNG chart")


def asked(text: str = "How many?") -> Round:
    return (Prompt(text),)


def worked() -> Round:
    call = ToolCall("c1", "run_python", '{"code": "1"}')
    raw = ({"type": "reasoning", "encrypted_content": "abc", "summary": []},)
    return (
        Reply("Let me see.", (call,), Usage(10, 5, 2), raw, "responses:gpt", truncated=False),
        ToolResult("c1", "1 \ud800 \0 ü", (CHART,)),
    )


async def turn_of(store: Store, name: str = "1", thread: ThreadId = THREAD) -> Hold:
    """A turn that runs, in the hands of a worker."""
    await store.turns.add(NewTurn(f"{name}@", name, thread, "U1", "question", {}))
    claimed = await store.turns.claim(Claimant("w1", Bounds(9, 9, 9), only=f"{name}@"))
    assert claimed
    return claimed.hold


async def test_what_was_added_is_there_in_another_process(store: Store, address: str, tmp_path: Path) -> None:
    upload = Upload("sales.csv", "abc", datetime(2026, 3, 2, 14, 5, tzinfo=UTC))
    rounds: list[Round] = [
        (Prompt("Wie viele?", (CHART,), (upload,), "schema"),),
        worked(),
        (Reply("Sieben."),),
    ]
    hold = await turn_of(store)
    for part, entries in enumerate(rounds):
        await store.transcripts.append(THREAD, hold, part, entries)

    async with Store.opened(tmp_path, address) as other:
        assert (await other.transcripts.load(THREAD)).rounds == rounds


async def test_texts_of_several_lines_come_back_in_their_order(store: Store) -> None:
    rounds = [asked(f"{number}\n\r\n\u2028{number}\n") for number in range(30)]
    here, there = await turn_of(store), await turn_of(store, "2", ThreadId("slack:T1/C2/1"))
    for part, entries in enumerate(rounds):
        await store.transcripts.append(THREAD, here, part, entries)
        await store.transcripts.append(ThreadId("slack:T1/C2/1"), there, part, asked())

    assert (await store.transcripts.load(THREAD)).rounds == rounds


async def test_an_unknown_thread_is_empty(store: Store) -> None:
    assert (await store.transcripts.load(THREAD)).rounds == []


async def test_a_part_is_there_once_however_often_it_is_added(store: Store) -> None:
    hold = await turn_of(store)
    for _ in range(2):
        await store.transcripts.append(THREAD, hold, 1, asked())
    await store.transcripts.append(THREAD, hold, 1, asked("Something else?"))

    assert (await store.transcripts.load(THREAD)).rounds == [asked()]


async def test_a_turn_that_is_gone_through_again_does_not_read_itself(store: Store) -> None:
    first = await turn_of(store)
    await store.transcripts.append(THREAD, first, 1, asked())
    await store.turns.end(first, "ok")
    second = await turn_of(store, "2")
    await store.transcripts.append(THREAD, second, 1, asked("And now?"))

    assert (await store.transcripts.load(THREAD, but=second.turn)).rounds == [asked()]


@pytest.mark.parametrize("outcome", ["superseded", "deleted"])
async def test_a_question_that_was_taken_back_was_never_asked(store: Store, outcome: str) -> None:
    hold = await turn_of(store)
    await store.transcripts.append(THREAD, hold, 1, asked())
    await store.turns.end(hold, outcome)

    assert (await store.transcripts.load(THREAD)).rounds == []


async def test_a_worker_that_was_replaced_adds_nothing(store: Store) -> None:
    hold = await turn_of(store)
    await store.turns.end(hold, "ok")

    with pytest.raises(Fenced):
        await store.transcripts.append(THREAD, hold, 1, asked())

    assert (await store.transcripts.load(THREAD)).rounds == []


async def test_a_picture_is_kept_beside_the_transcript_and_once(store: Store, tmp_path: Path) -> None:
    hold = await turn_of(store)
    for part in (1, 2):
        await store.transcripts.append(THREAD, hold, part, worked())

    blobs = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in blobs] == [CHART.data]


async def test_a_refused_picture_becomes_a_sentence(store: Store) -> None:
    await store.transcripts.append(THREAD, await turn_of(store), 1, (Prompt("Look", (CHART,)),))
    await store.transcripts.refuse(THREAD, [CHART])

    assert (await store.transcripts.load(THREAD)).rounds == [
        (Prompt("Look\n[Not shown any more: chart.png]"),)
    ]


async def test_a_picture_whose_blob_is_gone_becomes_a_sentence(store: Store, tmp_path: Path) -> None:
    await store.transcripts.append(THREAD, await turn_of(store), 1, (Prompt("Look", (CHART,)),))
    for path in (tmp_path / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()

    assert (await store.transcripts.load(THREAD)).rounds == [
        (Prompt("Look\n[Not shown any more: chart.png]"),)
    ]


@pytest.mark.parametrize("name", ["../../up", "a/b", "x" * 400, "console:äß 売"])
async def test_threads_with_similar_names_are_apart(store: Store, name: str) -> None:
    for number, text in (("", "one"), ("2", "two")):
        thread = ThreadId(f"{name}{number}")
        await store.transcripts.append(thread, await turn_of(store, f"t{number}", thread), 1, asked(text))

    assert (await store.transcripts.load(ThreadId(name))).rounds == [asked("one")]


async def test_a_digest_is_made_for_one_request_and_not_kept(store: Store) -> None:
    with pytest.raises(TypeError):
        await store.transcripts.append(THREAD, Hold("1@", 1), 1, (Digest("…"),))
