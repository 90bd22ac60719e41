"""Room for files: refused by name before it is used up, told to the operator, and nothing is deleted for it."""

from pathlib import Path

import pytest

from bot.errors import AttachmentRefused
from bot.limits import MIB, Limits
from bot.quotas import Quotas, Room
from bot.sentences import explain
from bot.store.store import Store
from tests.store.filled import THREAD, doing

LIMITS = Limits(workspace_bytes=64 * MIB)


class Told(list[tuple[str, int]]):
    async def __call__(self, which: str, quota: int) -> None:
        self.append((which, quota))


def room(store: Store, told: Told, data_dir: Path | None = None, **quotas: int) -> Room:
    return Room(store.files, Quotas(**quotas), LIMITS, data_dir, told)


@pytest.fixture
async def used(store: Store) -> Store:
    """With 80 bytes of U1 in a thread in which U1's turn runs."""
    turn = await doing(store, "a")
    await turn.upload("sales.csv", b"x" * 80)
    await turn.prompt()
    return store


@pytest.mark.parametrize("what", ["thread", "user", "total"])
async def test_a_file_beyond_nine_tenths_is_refused_by_name(used: Store, what: str) -> None:
    told = Told()
    narrow = room(used, told, **{f"{what}_bytes": 100})

    await narrow.check(THREAD, "U1", "small.csv", 10)
    with pytest.raises(AttachmentRefused) as refused:
        await narrow.check(THREAD, "U1", "large.csv", 11)

    sentence = explain("en", refused.value, contact="the help desk")
    assert "large.csv" in sentence
    assert "the help desk" in sentence
    ((which, quota),) = told
    assert quota == 100
    assert which in {f"thread {THREAD}", "user slack:T1/U1", "all"}


async def test_another_person_has_room_of_their_own(used: Store) -> None:
    await room(used, Told(), user_bytes=100).check(THREAD, "U2", "large.csv", 80)


async def test_what_code_may_still_leave_is_what_the_narrowest_quota_leaves(used: Store) -> None:
    told = Told()

    assert await room(used, told, total_bytes=1000, user_bytes=200, thread_bytes=500).left(THREAD) == 100
    assert await room(used, told, total_bytes=1000, thread_bytes=500).left(THREAD) == 370
    assert told == []
    assert await room(used, told, total_bytes=85).left(THREAD) == 0
    assert told == [("all", 85)]


async def test_without_settings_the_disk_decides(used: Store, tmp_path: Path) -> None:
    open_ended = room(used, Told(), tmp_path)

    await open_ended.check(THREAD, "U1", "some.csv", MIB)
    with pytest.raises(AttachmentRefused, match="bytes"):
        await open_ended.check(THREAD, "U1", "huge.csv", 10**15)
    assert 0 < await open_ended.left(THREAD) <= 4 * LIMITS.workspace_bytes


async def test_where_files_lie_elsewhere_only_settings_bound_all_of_them(used: Store) -> None:
    await room(used, Told(), None, thread_bytes=10**18).check(THREAD, "U1", "huge.csv", 10**15)
