"""Which files are needed, and what becomes of the others."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from bot import forgetting
from bot.cleaning import clean
from bot.messages import ThreadId
from bot.store.store import Store
from bot.store.tables import threads
from tests.store.filled import THREAD, asked_and_answered, doing, is_expired

OTHER = ThreadId("slack:T1/C1/2")
ELSEWHERE = ThreadId("slack:T2/C1/1")


def blobs_in(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "blobs").rglob("*") if len(path.name) == 64}


async def said_long_ago(store: Store, thread: ThreadId, days: float) -> None:
    await store.database.write(
        lambda c: c.execute(
            update(threads).where(threads.c.id == thread).values(used_at=time.time() - days * 86_400)
        )
    )


async def test_whatever_a_turn_names_is_known_with_its_kind_and_its_asker(store: Store) -> None:
    turn = await asked_and_answered(store, "a", sales_csv=b"1,2,3")

    held = await store.files.held(thread=THREAD)

    assert {(each.file.kind, each.file.name, each.user, bool(each.turn)) for each in held} == {
        ("upload", "sales.csv", "U1", True),
        ("artifact", "chart.png", "U1", True),
        ("picture", "chart.png", "U1", True),
        ("session", "sales.csv", "U1", False),
    }
    assert all(each.file.size_bytes > 0 for each in held)
    assert {each.file.sha256 for each in held} >= {turn.blobs["sales.csv"], turn.blobs["chart_png"]}


async def test_a_later_question_does_not_make_an_upload_its_own(store: Store) -> None:
    first = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    second = await doing(store, "b", "U2")
    second.taken.uploads = first.taken.uploads
    await second.prompt()

    held = await store.files.held(thread=THREAD)

    assert [each.user for each in held if each.file.kind == "upload"] == ["U1"]


async def test_content_counts_once_for_a_thread_a_person_and_all(store: Store) -> None:
    turn = await doing(store, "a")
    await turn.upload("one.csv", b"x" * 100)
    await turn.upload("same.csv", b"x" * 100)
    await turn.prompt()
    other = await doing(store, "b", "U2", OTHER)
    await other.upload("one.csv", b"x" * 100)
    await other.upload("two.csv", b"y" * 50)
    await other.prompt()
    elsewhere = await doing(store, "c", "U1", ELSEWHERE)
    await elsewhere.upload("one.csv", b"x" * 100)
    await elsewhere.prompt()

    assert await store.files.used(thread=THREAD) == 100
    assert await store.files.used(thread=OTHER) == 150
    assert await store.files.used(team="slack:T1", user="U1") == 100
    assert await store.files.used(team="slack:T1", user="U2") == 150
    assert await store.files.used() == 250


async def test_what_a_session_names_no_more_is_not_needed_for_it(store: Store) -> None:
    turn = await doing(store, "a")
    await turn.in_session({"old.csv": b"old", "kept.csv": b"kept"})
    record = await store.sessions.load(THREAD)
    assert record
    del record["files"]["old.csv"]
    await store.sessions.save(THREAD, record)

    assert [each.file.name for each in await store.files.held(thread=THREAD)] == ["kept.csv"]


async def test_a_session_of_thousands_of_files_is_kept_track_of(store: Store) -> None:
    files = {f"{n}": {"sha256": f"{n:064x}", "size_bytes": 1, "modified": 1.0} for n in range(1, 2001)}
    await store.sessions.save(THREAD, {"files": files, "packages": {}})
    assert await store.files.used(thread=THREAD) == 2000

    await store.sessions.save(THREAD, {"files": dict(list(files.items())[:5]), "packages": {}})
    assert await store.files.used(thread=THREAD) == 5


async def test_a_thread_that_nobody_used_expires_with_everything_but_its_own_row(
    store: Store, tmp_path: Path
) -> None:
    await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    fresh = await asked_and_answered(store, "b", thread=OTHER)
    await said_long_ago(store, THREAD, 91)
    await said_long_ago(store, OTHER, 89)

    await clean(store, 90)

    assert await is_expired(store, THREAD)
    assert not await is_expired(store, OTHER)
    assert await store.files.held(thread=THREAD) == []
    assert (await store.transcripts.load(THREAD)).rounds == []
    assert await store.sessions.load(THREAD) is None
    assert THREAD not in [thread for thread, _ in await store.sessions.all()]
    held = {each.file.sha256 for each in await store.files.held(thread=OTHER)}
    assert blobs_in(tmp_path) == held
    assert fresh.blobs["chart_png"] in held


async def test_who_had_the_session_of_an_expired_thread_brings_nothing_back(store: Store) -> None:
    await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    await said_long_ago(store, THREAD, 91)
    taken_over = await store.sessions.own(THREAD)
    assert taken_over
    record, epoch = taken_over
    assert record

    await clean(store, 90)

    assert not await store.sessions.save(THREAD, record, epoch)
    assert await store.files.held(thread=THREAD) == []


async def test_content_that_another_thread_of_the_team_needs_outlives_the_expiry(
    store: Store, tmp_path: Path
) -> None:
    turn = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    await asked_and_answered(store, "b", thread=OTHER, sales_csv=b"1,2,3")
    await asked_and_answered(store, "c", thread=ELSEWHERE, sales_csv=b"9")
    await said_long_ago(store, THREAD, 91)

    await clean(store, 90)

    assert turn.blobs["sales.csv"] in blobs_in(tmp_path)
    assert turn.blobs["chart_png"] not in blobs_in(tmp_path)


async def test_a_thread_in_which_something_waits_does_not_expire(store: Store) -> None:
    await doing(store, "a")
    await said_long_ago(store, THREAD, 91)

    await clean(store, 90)

    assert not await is_expired(store, THREAD)


async def test_nothing_expires_where_everything_is_to_be_kept(store: Store) -> None:
    await asked_and_answered(store, "a")
    await said_long_ago(store, THREAD, 9_000)

    await clean(store, 0)

    assert await store.files.held(thread=THREAD)


async def test_files_that_nothing_names_go_once_they_are_old(store: Store, tmp_path: Path) -> None:
    turn = await asked_and_answered(store, "a")
    _, new = await store.blobs.add("slack:T1", b"on its way")
    left = [(await store.blobs.add(team, b"left"))[1] for team in ("slack:T1", "slack:T9")]
    for path in (*left, store.blobs.path("slack:T1", turn.blobs["chart_png"])):
        os.utime(path, (1, 1))

    await clean(store, 90)

    assert [path.exists() for path in left] == [False, False]
    assert new.exists()
    assert turn.blobs["chart_png"] in blobs_in(tmp_path)


async def test_content_that_is_sent_again_while_it_is_removed_stays(store: Store) -> None:
    turn = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    sha256 = turn.blobs["sales.csv"]
    # Whoever sends it again has not written down yet what it is for.
    again = time.time() + 60
    os.utime(store.blobs.path("slack:T1", sha256), (again, again))

    await forgetting.forget_thread(store, THREAD, "operator:test")

    assert await store.blobs.read("slack:T1", sha256) == b"1,2,3"
    assert await store.blobs.read("slack:T1", turn.blobs["chart_png"]) is None


@pytest.mark.parametrize("name", ["prompt", "cell:1"])
async def test_a_step_that_names_nothing_adds_nothing(store: Store, name: str) -> None:
    turn = await doing(store, "a")
    await turn.record(name, {"taken": {"profiles": []}, "artifacts": []})

    assert await store.files.held(thread=THREAD) == []
