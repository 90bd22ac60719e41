import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blobs import Blobs
from bot.folders import folder_name


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_bytes_files_and_chunks_of_the_same_content_are_one_blob(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    source = tmp_path / "source"
    source.write_bytes(b"content")

    added = {
        await blobs.add("slack:T1", b"content"),
        await blobs.add("slack:T1", source),
        await blobs.add("slack:T1", chunks(b"con", b"tent")),
    }

    ((sha256, path),) = added
    assert sha256 == hashlib.sha256(b"content").hexdigest()
    assert path == blobs.path("slack:T1", sha256)
    assert path.read_bytes() == b"content"
    assert files_under(tmp_path / "blobs") == [path]


async def test_teams_do_not_share_blobs(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)

    _, one = await blobs.add("slack:T1", b"content")
    _, other = await blobs.add("slack:T2", b"content")

    assert one.parent != other.parent


async def test_content_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await Blobs(tmp_path).add("slack:T1", broken())

    assert files_under(tmp_path) == []


async def test_content_in_many_pieces_is_whole(tmp_path: Path) -> None:
    pieces = [bytes([number]) * 700_000 for number in range(10)]

    sha256, path = await Blobs(tmp_path).add("slack:T1", chunks(*pieces))

    assert path.read_bytes() == b"".join(pieces)
    assert sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()


async def test_a_blob_that_was_cut_short_is_written_anew(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    _, path = await blobs.add("slack:T1", b"content")
    path.write_bytes(b"con")

    await blobs.add("slack:T1", b"content")

    assert path.read_bytes() == b"content"


@pytest.mark.parametrize("sha256", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_names_a_blob(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(ValueError, match="no hash"):
        Blobs(tmp_path).path("slack:T1", sha256)


@given(st.text(max_size=300), st.text(max_size=300))
def test_folder_names_stay_in_their_folder_and_differ(one: str, other: str) -> None:
    assert Path("/data/threads", folder_name(one)).resolve().parent == Path("/data/threads")
    assert (folder_name(one) == folder_name(other)) == (one == other)
