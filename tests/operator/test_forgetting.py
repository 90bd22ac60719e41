"""What is held of a person, a thread or a team goes; what others said and need stays."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot import forgetting
from bot.codecs import message_to_json
from bot.errors import AttachmentRefused
from bot.incidents import Incident, Incidents
from bot.limits import Limits
from bot.messages import Above, ThreadId
from bot.prompt import of_message
from bot.quotas import Quotas, Room
from bot.redacting import GONE
from bot.store.audit import Event
from bot.store.lookups import Lookups
from bot.store.store import Store
from bot.store.tables import incidents, metadata, usage
from bot.store.usage import Payer, Spent, counted
from bot.uploads import TakenIn
from tests.store.filled import THREAD, Doing, asked_and_answered, doing, message

ALONE = ThreadId("slack:T1/C1/2")
ELSEWHERE = ThreadId("slack:T2/C1/1")
SECRET = "my salary is 4711 euros"
BY = "operator:test"
EARLY = "slack:T1:C1:3@"


async def everything(store: Store) -> str:
    """Every value of every row."""
    found = []
    for table in metadata.sorted_tables:
        rows = await store.database.read(lambda c, t=table: c.execute(select(t)))  # type: ignore[misc]
        found += [f"{table.name}: {json.dumps(list(row), default=str)}" for row in rows]
    return "\n".join(found)


def contents(data_dir: Path) -> set[bytes]:
    return {path.read_bytes() for path in (data_dir / "blobs").rglob("*") if len(path.name) == 64}


async def in_shared_thread(store: Store) -> Doing:
    """U1 asks, then U2, into whose turn U1 puts a word."""
    await asked_and_answered(store, f"{SECRET} one", "U1", sales_csv=b"of U1", common_csv=b"of both")
    turn = await doing(store, "what of U2", "U2")
    await turn.upload("mine.csv", b"of U2")
    await turn.upload("common.csv", b"of both")
    await turn.prompt()
    await turn.cell("1", "one\n", bars_png=b"\x89PNG\r\n\x1a\nof U2")
    await turn.meanwhile(message(f"{SECRET} two", "U1", "slack:T1:C1:9@"))
    await turn.meanwhile(message("ok", "U1", "slack:T1:C1:10@"))
    await turn.answer("for U2")
    return turn


async def test_of_a_person_nothing_is_left_in_a_thread_of_several(store: Store, tmp_path: Path) -> None:
    await in_shared_thread(store)

    gone = await forgetting.forget_user(store, "slack:T1", "U1", BY)

    left = await everything(store)
    assert SECRET not in left
    assert "name of U1" not in left
    assert '"U1"' not in left
    assert "wrote:]\\nok" not in left
    assert contents(tmp_path).isdisjoint({b"of U1"})
    assert (gone.turns, gone.threads) == (3, 0)
    assert gone.redacted > 0
    assert gone.places == {"slack:T1/C1"}


async def test_what_others_said_and_brought_is_still_there(store: Store, tmp_path: Path) -> None:
    await in_shared_thread(store)

    gone = await forgetting.forget_user(store, "slack:T1", "U1", BY)

    texts = [entry.text for entry in await store.transcripts.load(THREAD)]
    assert texts[0].endswith("what of U2")
    assert texts[-1] == "for U2"
    assert GONE in texts
    assert contents(tmp_path) >= {b"of U2", b"of both", b"\x89PNG\r\n\x1a\nof U2"}
    record = await store.sessions.load(THREAD)
    assert record
    assert sorted(record["files"]) == ["common.csv", "mine.csv"]
    assert gone.kept_files == 1


async def test_a_thread_of_one_person_goes_as_a_whole(store: Store, tmp_path: Path) -> None:
    await asked_and_answered(store, SECRET, "U1", ALONE, sales_csv=b"of U1")

    gone = await forgetting.forget_user(store, "slack:T1", "U1", BY)

    assert ALONE not in await everything(store)
    assert contents(tmp_path) == set()
    assert (gone.turns, gone.threads, gone.kept_files) == (1, 1, 0)


async def test_who_has_nearly_used_up_their_quota_is_not_kept_either(store: Store) -> None:
    watcher = Incidents(store.database)

    async def tell(which: str, quota: int) -> None:
        await watcher.began(Incident.FILES, which, limit=quota)

    full = Room(store.files, Quotas(user_bytes=100), Limits(), None, tell)
    for user in ("U1", "U12"):
        with pytest.raises(AttachmentRefused):
            await full.check(THREAD, user, "a.csv", 101)

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    kept = await store.database.read(lambda connection: connection.scalars(select(incidents.c.key)))
    assert list(kept) == ["files:user slack:T1/U12"]
    await forgetting.forget_team(store, "slack:T1", BY)
    assert "U12" not in await everything(store)


async def test_another_team_is_left_alone(store: Store, tmp_path: Path) -> None:
    await asked_and_answered(store, "here", "U1", sales_csv=b"of U1")
    await asked_and_answered(store, "there", "U1", ELSEWHERE, sales_csv=b"of U1")

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    assert len((await store.transcripts.load(ELSEWHERE)).rounds) == 3
    assert b"of U1" in contents(tmp_path)
    assert await forgetting.teams_of(store, "U1") == ["slack:T2"]


async def read_above(store: Store) -> None:
    """U2 asks below what U1 has said, with a file."""
    turn = await doing(store, "what of U2", "U2")
    early = message_to_json(message("hi", "U1", EARLY))
    early["attachments"] = [{"name": "early.csv", "url": "x#F1", "size_bytes": 3, "media_type": ""}]
    await turn.record("above", {"messages": [early], "is_whole": True, "said": ""})
    await turn.record("older name of early.csv", None)
    await turn.upload("early.csv", b"of U1")
    framed = 'name of U1: hi\n<file name="early.csv" kind="table">\nrows of early.csv\n</file>'
    turn.asked = message(framed, "U2")
    await turn.prompt()
    await turn.answer("for U2")


async def test_what_was_read_above_somebody_elses_question_goes_too(store: Store, tmp_path: Path) -> None:
    await read_above(store)

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    left = await everything(store)
    assert "name of U1" not in left
    assert "rows of early.csv" not in left
    assert "for U2" in left
    assert contents(tmp_path) == set()
    record = await store.sessions.load(THREAD)
    assert record
    assert record["files"] == {}


async def test_what_was_read_above_goes_when_it_is_deleted(store: Store, tmp_path: Path) -> None:
    await read_above(store)

    gone = await forgetting.forget_above(store, THREAD, lambda said: said["id"] == EARLY)

    left = await everything(store)
    assert "name of U1" not in left
    assert "early.csv" not in left
    assert "for U2" in left
    assert contents(tmp_path) == set()
    assert (gone.turns, gone.files) == (0, 1)


async def test_a_long_message_that_was_read_above_in_part_goes_too(store: Store) -> None:
    early = message(f"{SECRET} {'word ' * 2000} {SECRET}", "U1", EARLY)
    turn = await doing(store, "what of U2", "U2")
    await turn.record("above", {"messages": [message_to_json(early)], "is_whole": True, "said": ""})
    asked = message("what of it?", "U2")
    turn.asked = replace(asked, text=of_message(asked, TakenIn(above=Above((early,))), "full"))
    await turn.prompt()

    await forgetting.forget_above(store, THREAD, lambda said: said["id"] == EARLY)

    left = await everything(store)
    assert SECRET not in left
    assert "word" not in left


async def test_whoever_has_the_session_open_does_not_bring_back_what_is_gone(store: Store) -> None:
    turn = await asked_and_answered(store, "what of it?", "U1", sales_csv=b"of U1")
    owned = await store.sessions.own(THREAD)
    assert owned
    record, epoch = owned

    await forgetting.forget_turn(store, turn.hold.turn.partition("@")[0])

    assert record
    assert "sales.csv" in record["files"]
    assert not await store.sessions.save(THREAD, record, epoch)
    assert "sales.csv" not in await everything(store)


async def test_a_file_that_was_read_above_is_found_by_its_id(store: Store) -> None:
    await read_above(store)
    lookups = Lookups(store.database)

    assert await lookups.threads_with_file_above("slack:T1", "F1") == [THREAD]
    assert await lookups.threads_with_file_above("slack:T1", "F2") == []
    assert await lookups.threads_with_file_above("slack:T2", "F1") == []


async def test_what_was_read_above_and_is_gone_already_ends_no_session(store: Store) -> None:
    await read_above(store)
    await forgetting.forget_above(store, THREAD, lambda said: said["id"] == EARLY)

    again = await forgetting.forget_above(store, THREAD, lambda said: said["id"] == EARLY)

    assert again == forgetting.Forgotten()


async def test_what_a_person_has_cost_stays_counted_without_a_name(store: Store) -> None:
    await asked_and_answered(store, "a", "U1", ALONE)
    await store.database.write(
        counted(store.database, Payer("t1", ALONE, "U1"), "reply:1", Spent("gpt", cost_usd=0.5))
    )

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    rows = (await store.database.read(lambda c: c.execute(select(usage)))).all()
    assert [(row.user, row.cost_usd) for row in rows] == [("", 0.5)]


async def test_the_audit_trail_says_that_and_not_whose(store: Store) -> None:
    await asked_and_answered(store, "a", "U1", ALONE)
    files = [{"name": "salaries.csv", "sha256": "a" * 64}]
    await store.audit.note(Event.ASKED, thread=ALONE, user="U1", files=files)
    await store.feedback.rate("t", ALONE, "U1", "good", "thanks from U1")

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    asked, deleted = await store.audit.entries()
    assert (asked.user, asked.facts) == (GONE, {})
    assert (deleted.kind, deleted.user, deleted.facts["turns"]) == ("deleted", BY, 1)
    assert "thanks from U1" not in await everything(store)


async def test_a_thread_goes_with_all_people_in_it(store: Store, tmp_path: Path) -> None:
    await in_shared_thread(store)
    await asked_and_answered(store, "other", "U1", ALONE, common_csv=b"of both")

    gone = await forgetting.forget_thread(store, THREAD, BY)

    left = await everything(store)
    assert SECRET not in left
    assert "for U2" not in left
    assert contents(tmp_path) >= {b"of both"}
    assert gone.threads == 1
    assert len((await store.transcripts.load(ALONE)).rounds) == 3


async def test_a_team_goes_with_all_its_threads(store: Store, tmp_path: Path) -> None:
    await in_shared_thread(store)
    await asked_and_answered(store, "alone", "U1", ALONE)
    await asked_and_answered(store, "there", "U1", ELSEWHERE, sales_csv=b"of T2")

    await forgetting.forget_team(store, "slack:T1", BY)

    left = [line for line in (await everything(store)).splitlines() if not line.startswith("audit")]
    assert not [line for line in left if "slack:T1" in line]
    assert b"of T2" in contents(tmp_path)
    assert [path.name for path in (tmp_path / "blobs").iterdir() if any(path.iterdir())] == ["slack%3AT2"]


async def test_what_still_runs_ends_first(store: Store) -> None:
    turn = await doing(store, SECRET, "U1", ALONE)

    async def worker() -> None:
        while not await store.turns.stops([turn.hold.turn]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await store.turns.end(turn.hold, "cancelled")

    async with asyncio.TaskGroup() as group:
        group.create_task(worker())
        await forgetting.forget_user(store, "slack:T1", "U1", BY)

    assert SECRET not in await everything(store)


async def test_a_worker_that_does_not_hear_of_it_writes_nothing_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "STOP_SECONDS", 0.05)
    turn = await doing(store, SECRET, "U1", ALONE)

    await forgetting.forget_user(store, "slack:T1", "U1", BY)

    with pytest.raises(Exception, match=r"epoch|FOREIGN KEY|foreign key"):
        await turn.cell(SECRET)
    assert SECRET not in await everything(store)


async def test_a_deleted_question_goes_with_its_files_and_all_its_revisions(
    store: Store, tmp_path: Path
) -> None:
    first = await asked_and_answered(store, "first", "U1", sales_csv=b"of the first")
    await asked_and_answered(store, "second", "U1")
    key = first.hold.turn.partition("@")[0]

    gone = await forgetting.forget_turn(store, key)

    left: Any = await everything(store)
    assert "Answer to first" not in left
    assert "Answer to second" in left
    assert b"of the first" not in contents(tmp_path)
    assert gone.turns == 1
    assert (await forgetting.forget_turn(store, key)).turns == 0


async def test_sessions_that_have_to_end_are_named(store: Store) -> None:
    turn = await asked_and_answered(store, "a", "U1", ALONE)
    record = await store.sessions.load(ALONE) or {"files": {}, "packages": {}}
    await store.sessions.save(ALONE, {**record, "container": "abc", "variables": ["x"], "not_saved": []})

    gone = await forgetting.forget_user(store, "slack:T1", turn.asked.author.id, BY)

    assert gone.containers == {ALONE: "abc"}
