"""What a cell left for people: each content once, each name once, and the text says what was shown where."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.blobs import Blobs
from bot.execution import Artifact
from sandbox.artifacts import Left
from sandbox.collected import Collected
from sandbox.frames import Display, OfCell, Written
from sandbox.records import KeptFile

TEAM = "test:T1"
PNG = b"\x89PNG\r\n\x1a\n first"
OTHER_PNG = b"\x89PNG\r\n\x1a\n other"
CSV = b"a,b\n1,2\n"


@dataclass
class Cell:
    """Collects what a test makes of a cell; `take` tells what is left of it."""

    blobs: Blobs
    collected: Collected = field(default_factory=Collected)
    files: dict[str, KeptFile] = field(default_factory=dict)
    earlier: dict[str, KeptFile] = field(default_factory=dict)

    def say(self, *frames: OfCell) -> None:
        for frame in frames:
            self.collected.add(frame)

    async def write(self, name: str, content: bytes) -> None:
        self.files[name] = await self._kept(content)

    async def wrote_earlier(self, name: str, content: bytes) -> None:
        self.earlier[name] = await self._kept(content)

    async def take(self) -> tuple[str, list[Artifact]]:
        left = Left(self.blobs, TEAM)
        text = await left.take(self.collected, self.files, {**self.earlier, **self.files})
        return text, left.artifacts

    async def _kept(self, content: bytes) -> KeptFile:
        sha256, _ = await self.blobs.add(TEAM, content)
        return KeptFile(sha256, len(content), 1.0)


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return Cell(Blobs(tmp_path))


def wrote(text: str) -> Written:
    return Written(ev="text", cell="c", payload=text.encode())


def showed(
    *contents: bytes, media_types: tuple[str, ...] = ("image/png", "text/html"), **facts: Any
) -> Display:
    parts = [(media_type, len(content)) for media_type, content in zip(media_types, contents, strict=False)]
    return Display(ev="display", cell="c", kind="display", parts=parts, payload=b"".join(contents), **facts)


def named(artifacts: list[Artifact]) -> list[str]:
    return [artifact.name for artifact in artifacts]


async def test_a_cell_that_left_nothing_leaves_its_text(cell: Cell) -> None:
    cell.say(wrote("a\n"), wrote("b"))

    assert await cell.take() == ("a\nb", [])


async def test_a_file_is_an_artifact(cell: Cell) -> None:
    await cell.write("out/data.csv", CSV)

    text, (artifact,) = await cell.take()

    assert text == ""
    assert (artifact.name, artifact.workspace_name) == ("data.csv", "out/data.csv")
    assert (artifact.media_type, artifact.size_bytes) == ("text/csv", len(CSV))
    assert artifact.sha256 == hashlib.sha256(CSV).hexdigest()
    assert artifact.path.read_bytes() == CSV


async def test_a_display_is_an_artifact_and_its_name_stands_in_the_text(cell: Cell) -> None:
    cell.say(wrote("before\n"), showed(PNG, name="sales", alt="line chart"), wrote("after\n"))

    text, (artifact,) = await cell.take()

    assert text == "before\n[sales.png]\nafter\n"
    assert (artifact.name, artifact.media_type) == ("sales.png", "image/png")
    assert (artifact.alt_text, artifact.workspace_name) == ("line chart", None)
    assert artifact.path.read_bytes() == PNG


async def test_each_part_of_a_display_is_an_artifact(cell: Cell) -> None:
    cell.say(showed(PNG, b"<html>", name="sales"))

    text, artifacts = await cell.take()

    assert text == "[sales.png]\n[sales.html]\n"
    assert [artifact.media_type for artifact in artifacts] == ["image/png", "text/html"]


@pytest.mark.parametrize(
    ("claimed", "content", "name", "kind"),
    [
        ("image/png", b"<script>alert(1)</script>", "chart.txt", "text/plain"),
        ("text/html", PNG, "chart.png", "image/png"),
        ("image/png", b"\x7fELF\2\1\1\0", "chart.bin", "application/x-executable"),
        ("x/../../etc/passwd", b"\0\1", "chart.bin", "application/octet-stream"),
        ("image/svg+xml", b"<svg></svg>", "chart.svg", "image/svg+xml"),
    ],
)
async def test_bytes_say_what_a_display_is_and_not_the_box(
    cell: Cell, claimed: str, content: bytes, name: str, kind: str
) -> None:
    cell.say(showed(content, media_types=(claimed,)))

    _, (artifact,) = await cell.take()

    assert (artifact.name, artifact.media_type) == (name, kind)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("a/b", "b.png"),
        ("", "chart.png"),
        ("\u202egnp.exe", "gnp.exe.png"),
        ("con", "_con.png"),
        ("x" * 4000, "x" * 120 + ".png"),
    ],
)
async def test_a_display_has_a_safe_name_whatever_the_box_calls_it(cell: Cell, name: str, plain: str) -> None:
    cell.say(showed(PNG, name=name))

    _, artifacts = await cell.take()

    assert named(artifacts) == [plain]


async def test_a_display_without_content_leaves_nothing(cell: Cell) -> None:
    cell.say(showed(b""), showed(saved_as="never.png"))

    assert await cell.take() == ("", [])


async def test_the_same_content_is_there_once_and_named_each_time(cell: Cell) -> None:
    cell.say(showed(PNG, name="a"), showed(OTHER_PNG, name="b"), showed(PNG, name="c"))

    text, artifacts = await cell.take()

    assert text == "[a.png]\n[b.png]\n[a.png]\n"
    assert named(artifacts) == ["a.png", "b.png"]


async def test_two_contents_of_one_name_get_two_names(cell: Cell) -> None:
    cell.say(showed(PNG), showed(OTHER_PNG))
    await cell.write("x/chart.png", PNG + b"3")
    await cell.write("y/chart.png", PNG + b"4")

    text, artifacts = await cell.take()

    assert text == "[chart.png]\n[chart (2).png]\n"
    assert named(artifacts) == ["chart.png", "chart (2).png", "chart (3).png", "chart (4).png"]
    assert [artifact.workspace_name for artifact in artifacts] == [None, None, "x/chart.png", "y/chart.png"]


async def test_files_come_after_displays_in_the_order_of_the_box(cell: Cell) -> None:
    await cell.write("b.csv", CSV)
    await cell.write("a.csv", CSV + CSV)
    cell.say(showed(PNG, name="z"))

    _, artifacts = await cell.take()

    assert named(artifacts) == ["z.png", "b.csv", "a.csv"]


async def test_a_display_that_was_saved_is_that_file(cell: Cell) -> None:
    await cell.write("out/sales.png", PNG)
    cell.say(wrote("a\n"), showed(name="chart", alt="bar chart", saved_as="out/sales.png"), wrote("b\n"))

    text, (artifact,) = await cell.take()

    assert text == "a\n[sales.png]\nb\n"
    assert (artifact.workspace_name, artifact.alt_text) == ("out/sales.png", "bar chart")


async def test_a_file_that_was_saved_by_an_earlier_cell_can_be_shown(cell: Cell) -> None:
    await cell.wrote_earlier("sales.png", PNG)
    await cell.wrote_earlier("other.png", OTHER_PNG)
    cell.say(showed(alt="bar chart", saved_as="sales.png"))

    text, (artifact,) = await cell.take()

    assert text == "[sales.png]\n"
    assert (artifact.name, artifact.alt_text, artifact.path.read_bytes()) == ("sales.png", "bar chart", PNG)


async def test_a_display_with_the_content_of_a_file_has_the_files_name(cell: Cell) -> None:
    await cell.write("sales.png", PNG)
    cell.say(showed(PNG, name="chart", alt="bar chart"))

    text, (artifact,) = await cell.take()

    assert text == "[sales.png]\n"
    assert (artifact.workspace_name, artifact.alt_text) == ("sales.png", "bar chart")


async def test_copies_of_a_file_are_one_artifact(cell: Cell) -> None:
    await cell.write("a.csv", CSV)
    await cell.write("b.csv", CSV)

    _, artifacts = await cell.take()

    assert named(artifacts) == ["a.csv"]


@pytest.mark.parametrize("name", [".cache/x.json", "__pycache__/m.pyc", "~$book.xlsx", "a/.hidden"])
async def test_files_by_the_way_are_left_out(cell: Cell, name: str) -> None:
    await cell.write(name, CSV)

    assert await cell.take() == ("", [])


async def test_a_hidden_file_that_was_shown_is_there(cell: Cell) -> None:
    await cell.write(".hidden/sales.png", PNG)
    cell.say(showed(saved_as=".hidden/sales.png"))

    text, artifacts = await cell.take()

    assert text == "[sales.png]\n"
    assert named(artifacts) == ["sales.png"]


async def test_a_file_has_a_safe_name_and_its_kind_from_its_bytes(cell: Cell) -> None:
    await cell.write("a:b?.png", b"no picture")

    _, (artifact,) = await cell.take()

    assert (artifact.name, artifact.media_type) == ("a_b_.png", "text/plain")
    assert not artifact.is_image
