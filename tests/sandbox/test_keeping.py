"""What changed in a box is in the store, and what is in the store is put into a new box."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.blobs import Blobs
from sandbox.box import Box
from sandbox.keeping import Keeping, Kept
from sandbox.records import KeptFile, Record
from tests.sandbox.fake_box import FakeBox, opened, with_files

TEAM = "test:T1"


@dataclass
class Place:
    """A store and a workspace."""

    root: Path
    keeping: Keeping

    def write(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def kept(self, record: Record) -> dict[str, bytes]:
        """Content by name, as the store has it."""
        blobs = self.keeping.blobs
        return {name: blobs.path(TEAM, file.sha256).read_bytes() for name, file in record.files.items()}

    def files(self) -> dict[str, bytes]:
        """Content by name, as the workspace has it."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    async def fetch_all(self, box: Box, record: Record | None = None) -> Kept:
        listed = await box.files()
        return await self.keeping.fetch(box, record or Record(), listed.files, [])


@pytest.fixture
def place_of(tmp_path: Path) -> Callable[[str], Place]:
    def make(name: str, most_bytes: int = 10**9) -> Place:
        (tmp_path / name).mkdir()
        return Place(tmp_path / name, Keeping(Blobs(tmp_path / "data"), TEAM, most_bytes))

    return make


@pytest.fixture
def place(place_of: Callable[[str], Place]) -> Place:
    return place_of("workspace")


async def test_what_changed_is_kept_as_it_is(place: Place) -> None:
    place.write("a/f", b"one")
    place.write("g", b"")

    async with with_files(place.root) as box:
        kept = await place.fetch_all(box)

    assert place.kept(kept.record) == {"a/f": b"one", "g": b""}
    assert kept.fetched == kept.record.files
    assert kept.fetched["a/f"].modified == (place.root / "a/f").stat().st_mtime
    assert kept.not_kept == []


async def test_what_this_machine_cannot_read_stays_in_the_record(place: Place) -> None:
    place.write("f", b"one")
    async with with_files(place.root) as box:
        record = (await place.fetch_all(box)).record
        blob = place.keeping.blobs.path(TEAM, record.files["f"].sha256)
        blob.unlink()
        # Whoever opens it is refused, as where a disk is broken or no more files may be open.
        blob.mkdir()

        with pytest.raises(OSError, match="directory"):
            await place.keeping.restore(box, record)


async def test_what_did_not_change_stays_and_what_is_gone_goes(place: Place) -> None:
    same, gone = KeptFile("1" * 64, 1, 1.0), KeptFile("2" * 64, 1, 1.0)
    place.write("new", b"new")

    async with with_files(place.root) as box:
        record = Record(files={"same": same, "gone": gone})
        kept = await place.keeping.fetch(box, record, [("new", 3, 1.0)], ["gone", "never"])

    assert kept.record.files.keys() == {"same", "new"}
    assert kept.fetched.keys() == {"new"}
    assert record.files.keys() == {"same", "gone"}


async def test_the_size_that_counts_is_that_of_what_came(place: Place) -> None:
    place.write("f", b"0123456789")

    async with with_files(place.root) as box:
        kept = await place.keeping.fetch(box, Record(), [("f", 3, 1.0)], [])

    assert kept.fetched["f"].size_bytes == 10


async def test_files_are_kept_as_far_as_they_fit(place_of: Callable[..., Place]) -> None:
    place = place_of("workspace", most_bytes=10)
    for name, size in (("a", 4), ("b", 7), ("c", 6), ("d", 1)):
        place.write(name, bytes(size))

    async with with_files(place.root) as box:
        kept = await place.fetch_all(box, Record(files={"b": KeptFile("1" * 64, 1, 1.0)}))

    assert list(kept.fetched) == ["a", "c"]
    assert kept.not_kept == ["b", "d"]
    # What the store has of it is not what the workspace has.
    assert list(kept.record.files) == ["a", "c"]


async def test_a_file_that_is_larger_than_was_said_is_not_kept(place_of: Callable[..., Place]) -> None:
    place = place_of("workspace", most_bytes=10)
    place.write("liar", bytes(100))
    place.write("small", bytes(10))

    async with with_files(place.root) as box:
        kept = await place.keeping.fetch(box, Record(), [("liar", 1, 1.0), ("small", 10, 1.0)], [])

    assert list(kept.fetched) == ["small"]
    assert kept.not_kept == ["liar"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "a/../b", "x" * 2000])
async def test_a_name_that_is_none_is_not_asked_for(place: Place, name: str) -> None:
    async with opened() as (box, _):
        kept = await place.keeping.fetch(box, Record(), [(name, 1, 1.0)], [])

    assert (kept.record.files, kept.not_kept) == ({}, [name])


async def test_a_file_that_is_gone_meanwhile_or_is_none_is_not_kept(place: Place) -> None:
    place.write("f", b"one")
    (place.root / "link").symlink_to("f")

    async with with_files(place.root) as box:
        changed = [("gone", 1, 1.0), ("link", 1, 1.0), ("f", 3, 1.0)]
        kept = await place.keeping.fetch(box, Record(), changed, [])

    assert list(kept.record.files) == ["f"]
    assert kept.not_kept == ["gone", "link"]


async def test_a_new_box_gets_every_file_with_its_time(place_of: Callable[[str], Place]) -> None:
    old, new = place_of("old"), place_of("new")
    old.write("a/f", b"one")
    old.write("g", b"")
    async with with_files(old.root) as box:
        record = (await old.fetch_all(box)).record

    async with with_files(new.root) as box:
        restored = await new.keeping.restore(box, record)
        again = await new.keeping.fetch_unknown(box, restored)

    assert new.files() == {"a/f": b"one", "g": b""}
    assert restored.files == record.files
    assert again is restored


async def test_a_file_that_cannot_be_restored_is_forgotten_and_the_others_are_there(place: Place) -> None:
    good, _ = await place.keeping.blobs.add(TEAM, b"good")
    files = {name: KeptFile(good, 4, 1.5) for name in ("one", "folder", "two")}
    files["lost"] = KeptFile("0" * 64, 4, 1.5)
    files["cut short"] = KeptFile(good, 5, 1.5)
    (place.root / "folder").mkdir()

    async with with_files(place.root) as box:
        restored = await place.keeping.restore(box, Record(container="c", files=files))

    assert place.files() == {"one": b"good", "two": b"good"}
    assert list(restored.files) == ["one", "two"]
    assert restored.container == "c"


async def test_what_changed_while_nobody_listened_is_found(place: Place) -> None:
    for name in ("same", "changed", "gone"):
        place.write(name, b"old")
    async with with_files(place.root) as box:
        record = (await place.fetch_all(box)).record
        place.write("changed", b"newer")
        place.write("new", b"new")
        (place.root / "gone").unlink()

        found = await place.keeping.fetch_unknown(box, record)
        again = await place.keeping.fetch_unknown(box, found)

    assert place.kept(found) == {"same": b"old", "changed": b"newer", "new": b"new"}
    assert again is found


@pytest.mark.parametrize("is_complete", [True, False])
async def test_what_a_list_does_not_name_is_gone_only_if_it_is_complete(
    place: Place, is_complete: bool
) -> None:
    record = Record(files={"f": KeptFile("1" * 64, 1, 1.0)})

    async def answer(far: FakeBox) -> None:
        far.say("files", id=(await far.hear())["id"], files=[], complete=is_complete)

    async with opened() as (box, far):
        found, _ = await asyncio.gather(place.keeping.fetch_unknown(box, record), answer(far))

    assert list(found.files) == ([] if is_complete else ["f"])
