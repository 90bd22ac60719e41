"""The console as a thread: what is shown on a terminal, what is written elsewhere, and where files go."""

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from adapters.console import inbound, out, render
from adapters.console.thread import ConsoleThread
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.execution import Artifact, CellError, Execution, Outcome
from bot.messages import Attachment, CellFinished, CellStarted, Output, ThreadId, Writing

OK = Execution(Outcome.OK, "2\n", 0.25)
FAILED = Execution(Outcome.RAISED, "…", 1.0, error=CellError("KeyError", "'price'\nmore", "…"))


def artifact(folder: Path, name: str, content: bytes = b"content", alt_text: str = "") -> Artifact:
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256
    path.write_bytes(content)
    return Artifact(name, "image/png", len(content), sha256, path, alt_text)


def on_a_terminal(folder: Path) -> tuple[ConsoleThread, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, color_system=None)
    return ConsoleThread(ThreadId("console:t"), console, folder / "out"), stream


def elsewhere(folder: Path) -> tuple[ConsoleThread, io.StringIO]:
    stream = io.StringIO()
    return ConsoleThread(ThreadId("console:t"), Console(file=stream, width=80), folder / "out"), stream


async def test_an_answer_is_written_as_it_came_where_there_is_no_terminal(tmp_path: Path) -> None:
    thread, stream = elsewhere(tmp_path)
    text = f"# Sales\n\n- *{'long ' * 40}*"

    async with thread.working():
        await thread.progress(Writing("# Sa"))
        await thread.progress(CellStarted(1, "1+1"))
        await thread.progress(CellFinished(1, OK))
        await thread.post(Output(text), "k")

    assert stream.getvalue() == f"{text}\n"


async def test_on_a_terminal_an_answer_is_shown_without_its_marks(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)

    await thread.post(Output("It is **42**."), "k")

    assert stream.getvalue().strip() == "It is 42."


async def test_a_cell_is_one_line(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)

    await thread.progress(CellStarted(1, "import pandas as pd\n\n# sums\ndf.sum()\n"))
    await thread.progress(CellFinished(1, OK))

    assert stream.getvalue() == "✓ 0.2 s  df.sum()\n"


async def test_a_failed_cell_says_why(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)

    await thread.progress(CellStarted(1, "df['price']"))
    await thread.progress(CellFinished(1, FAILED))

    assert stream.getvalue() == "✗ 1.0 s  df['price']  KeyError: 'price'\n"


async def test_what_the_model_wrote_before_a_cell_stays_and_is_not_repeated(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)

    await thread.progress(Writing("First I look at it."))
    await thread.progress(CellStarted(1, "df"))
    await thread.progress(CellFinished(1, OK))
    await thread.post(Output("First I look at it.\n\nStopped."), "k")

    lines = [line.strip() for line in stream.getvalue().splitlines() if line.strip()]
    assert lines == ["First I look at it.", "✓ 0.2 s  df", "Stopped."]


async def test_a_text_that_is_asked_for_again_replaces_what_was_shown(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)

    async with thread.working():
        await thread.progress(Writing("The answ"))
        await thread.progress(Writing("A new"))
        await thread.post(Output("A new answer."), "k")

    assert stream.getvalue().count("A new answer.") == 1
    assert "The answ" not in stream.getvalue().split("A new answer.")[-1]


async def test_a_post_with_the_same_key_is_shown_once(tmp_path: Path) -> None:
    thread, stream = elsewhere(tmp_path)

    await thread.post(Output("Once."), "k")
    await thread.post(Output("Once."), "k")

    assert stream.getvalue() == "Once.\n"


@pytest.mark.parametrize("surface", [on_a_terminal, elsewhere])
async def test_a_chart_is_named_with_its_path_size_and_what_it_shows(surface, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    thread, stream = surface(tmp_path)

    await thread.post(Output("", (artifact(tmp_path, "sales.png", alt_text="Bars, one a month"),)), "k")

    shown = " ".join(stream.getvalue().split())
    assert shown.startswith("sales.png 7 B ")
    # A long path is broken where the line ends.
    assert "".join(shown.split()).endswith("/sales.pngBars,oneamonth")
    assert thread.saved == {"sales.png": tmp_path / "out" / "sales.png"}


async def test_a_quiet_console_shows_nothing_but_saves_the_files(tmp_path: Path) -> None:
    stream = io.StringIO()
    thread = ConsoleThread(ThreadId("console:t"), Console(file=stream, quiet=True), tmp_path / "out")

    async with thread.working():
        await thread.post(Output("Hello", (artifact(tmp_path, "a.png"),)), "k")

    assert stream.getvalue() == ""
    assert thread.saved["a.png"].read_bytes() == b"content"


async def test_files_that_cannot_be_saved_are_an_error_of_the_platform(tmp_path: Path) -> None:
    thread, _ = elsewhere(tmp_path)
    (tmp_path / "out").write_text("a file where the folder should be")

    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("", (artifact(tmp_path, "a.png"),)), "k")


def test_a_file_with_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    first = out.save(artifact(tmp_path / "blobs", "a.png", b"one"), tmp_path / "out")
    second = out.save(artifact(tmp_path / "blobs", "a.png", b"two"), tmp_path / "out")

    assert (first.name, first.read_bytes()) == ("a.png", b"one")
    assert (second.name, second.read_bytes()) == ("a (2).png", b"two")


def test_the_very_same_file_is_saved_once(tmp_path: Path) -> None:
    paths = {out.save(artifact(tmp_path / "blobs", "a.png"), tmp_path / "out") for _ in range(3)}

    assert paths == {tmp_path / "out" / "a.png"}


@pytest.mark.parametrize("name", ["../../a.png", "/etc/a.png", "..", "", "a\x00b.png"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = out.save(artifact(tmp_path / "blobs", name), tmp_path / "out")

    assert path.parent == tmp_path / "out"
    assert path.resolve().parent == (tmp_path / "out").resolve()


@given(st.text())
def test_nothing_shown_can_steer_the_terminal(text: str) -> None:
    text += "\x1b]52;c;ZXZpbA==\x07\x9b2J\r"

    shown = render.visible(text)

    assert not any((ord(each) < 32 and each not in "\n\t") or 127 <= ord(each) < 160 for each in shown)
    assert [each for each in shown if each.isprintable()] == [each for each in text if each.isprintable()]


async def test_escape_sequences_in_code_alt_texts_and_answers_stay_inert(tmp_path: Path) -> None:
    thread, stream = on_a_terminal(tmp_path)
    evil = "\x1b]0;title\x07"

    await thread.progress(CellStarted(1, f"print(1){evil}"))
    await thread.progress(CellFinished(1, Execution(Outcome.RAISED, "", 1, error=CellError(evil, evil, ""))))
    await thread.post(Output(f"Hi {evil}", (artifact(tmp_path, "a.png", alt_text=evil),)), "k")

    assert "\x1b" not in stream.getvalue()


def test_a_local_file_becomes_an_attachment(tmp_path: Path) -> None:
    path = tmp_path / "Umsatz #1 (50%)?.csv"
    path.write_text("a,b\n")

    attachment = inbound.to_attachment(path)

    assert (attachment.name, attachment.size_bytes) == (path.name, 4)
    assert inbound.local_path(attachment) == path


@given(st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_name_survives_the_way_through_an_address(name: str) -> None:
    path = Path("/data") / name
    attachment = Attachment(name, path.as_uri(), None)

    assert inbound.local_path(attachment) == path


def test_a_directory_is_no_attachment(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a file"):
        inbound.to_attachment(tmp_path)


async def test_a_file_is_fetched_up_to_the_limit(tmp_path: Path) -> None:
    thread, _ = elsewhere(tmp_path)
    path = tmp_path / "data.bin"
    path.write_bytes(b"x" * 1000)

    await thread.fetch(inbound.to_attachment(path), tmp_path / "copy", 1000)
    with pytest.raises(AttachmentRefused):
        await thread.fetch(inbound.to_attachment(path), tmp_path / "other", 999)

    assert (tmp_path / "copy").read_bytes() == b"x" * 1000


async def test_a_file_that_went_away_is_an_error_of_the_platform(tmp_path: Path) -> None:
    thread, _ = elsewhere(tmp_path)
    attachment = Attachment("a.csv", (tmp_path / "a.csv").as_uri(), 3)

    with pytest.raises(PlatformUnavailable):
        await thread.fetch(attachment, tmp_path / "copy", 1000)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("", ""),
        ("import os", "import os"),
        ("\n# a\nx = 1\ny = 2", "x = 1"),
        ("a" * 70, "a" * 59 + "…"),
    ],
)
def test_a_cell_is_known_by_its_first_line_that_does_something(code: str, shown: str) -> None:
    assert render.preview(code) == shown
