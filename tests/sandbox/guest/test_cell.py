"""A cell's output is cut to measure, and kept for a host that comes back."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest import cell as module
from sandbox.guest.cell import (
    DISPLAY_BYTES,
    DISPLAYS,
    ERRORS,
    HEAD_BYTES,
    REMEMBERED,
    REMEMBERED_BYTES,
    STARTED,
    TAIL_BYTES,
    Cell,
    Remembered,
)

DONE = {"ev": "done", "cell": "c", "status": "ok"}


def a_cell(name: str = "c", seconds: float = 60) -> Cell:
    return Cell(name, time.monotonic() + seconds, 0, None)


def head_of(data: bytes) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(data.partition(b"\n")[0])
    return head


def text_in(frames: list[bytes | None]) -> str:
    texts = []
    for data in frames:
        if data:
            head, _, payload = data.partition(b"\n")
            assert json.loads(head) == {"ev": "text", "cell": "c", "n": len(payload)}
            texts.append(payload.decode())
    return "".join(texts)


def said(*pieces: bytes) -> tuple[str, Cell]:
    """All text that goes to the host, last of all what comes when the cell has ended."""
    cell = a_cell()
    return text_in([*[cell.text(piece) for piece in pieces], cell.last_text()]), cell


@pytest.fixture
def is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_BYTES", 40)
    monkeypatch.setattr(module, "TAIL_BYTES", 10)


pieces_of_text = st.lists(st.text(max_size=12), max_size=12)


@given(pieces_of_text, st.lists(st.integers(1, 7), max_size=30))
def test_short_text_is_said_as_it_is_however_its_characters_are_cut(
    texts: list[str], sizes: list[int]
) -> None:
    data = "".join(texts).encode()
    bounds = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    pieces = [
        data[start:end] for start, end in zip(bounds, [*bounds[1:], len(data)], strict=True) if start <= end
    ]

    text, cell = said(*pieces)

    assert text == "".join(texts)
    assert cell.cut_bytes == 0


@pytest.mark.usefixtures("is_small")
@given(pieces_of_text)
def test_text_is_its_head_and_its_tail_and_says_what_is_missing_between(texts: list[str]) -> None:
    data = "".join(texts).encode()

    text, cell = said(*[part.encode() for part in texts])

    if len(data) <= 50:
        assert text == data.decode()
        assert cell.cut_bytes == 0
    else:
        head, line, tail = text.rpartition(f"\n… {len(data) - 50:,} bytes left out …\n")
        assert line
        assert head == data[:40].decode("utf-8", "replace")
        assert tail == data[-10:].decode("utf-8", "replace")
        assert cell.cut_bytes == len(data) - 50


@pytest.mark.usefixtures("is_small")
@pytest.mark.parametrize("character", ["é", "漢", "🙂"])
@pytest.mark.parametrize("shift", range(4))
def test_a_character_on_the_edge_of_the_head_is_whole_where_nothing_was_cut(
    character: str, shift: int
) -> None:
    text = "x" * shift + character * (40 // len(character.encode()) + 1)
    data = text.encode()

    assert 40 < len(data) <= 50
    assert said(data)[0] == text
    assert said(*[data[at : at + 1] for at in range(len(data))])[0] == text


def test_the_head_goes_out_as_it_comes_and_the_tail_in_the_end() -> None:
    cell = a_cell()

    first = cell.text(b"a" * HEAD_BYTES)
    second = cell.text(b"b" * 10)
    last = cell.last_text()

    assert text_in([first]) == "a" * HEAD_BYTES
    assert second is None
    assert text_in([last]) == "b" * 10


def test_a_flood_costs_no_memory() -> None:
    cell = a_cell()

    for _ in range(300):
        cell.text(b"x" * 100_000)
    text = text_in([*cell.frames, cell.last_text()])

    assert len(text) < HEAD_BYTES + TAIL_BYTES + 100
    assert cell.cut_bytes == 300 * 100_000 - HEAD_BYTES - TAIL_BYTES
    assert cell.frames_bytes < HEAD_BYTES + TAIL_BYTES + 200


def test_text_that_is_not_utf8_is_said_as_far_as_it_goes() -> None:
    assert said(b"a\xff\xfeb", b"\xe6\xbc")[0] == "a��b�"


def test_a_cell_without_text_says_none() -> None:
    assert a_cell().last_text() is None


def test_a_display_is_said_with_its_cell() -> None:
    data = a_cell().display({"ev": "display", "kind": "display", "cell": "another"}, b"png")

    assert data
    assert head_of(data) == {"ev": "display", "kind": "display", "cell": "c", "n": 3}
    assert data.endswith(b"\npng")


def test_displays_past_their_number_are_counted_and_left_out() -> None:
    cell = a_cell()

    sent = [cell.display({"ev": "display"}, b"x") for _ in range(DISPLAYS + 5)]

    assert sent[DISPLAYS:] == [None] * 5
    assert None not in sent[:DISPLAYS]
    assert (cell.displays, cell.cut_displays) == (DISPLAYS, 5)


def test_displays_past_their_bytes_are_left_out_and_smaller_ones_still_fit() -> None:
    cell = a_cell()
    half = bytes(DISPLAY_BYTES // 2)

    sent = [cell.display({"ev": "display"}, payload) for payload in (half, half[1:], b"12", b"1", b"1")]

    assert [data is not None for data in sent] == [True, True, False, True, False]
    assert cell.cut_displays == 2


def test_tracebacks_past_their_number_are_left_out() -> None:
    cell = a_cell()

    sent = [cell.error({"ev": "error", "name": "E"}) for _ in range(ERRORS + 2)]

    assert sent[ERRORS:] == [None, None]
    assert sent[0]
    assert head_of(sent[0]) == {"ev": "error", "name": "E", "cell": "c"}


def test_the_last_traceback_is_shown_however_many_came_before() -> None:
    cell = a_cell()
    for number in range(ERRORS + 9):
        cell.error({"ev": "error", "name": str(number), "traceback": "x" * 100})

    last = cell.last_error()

    assert last
    assert head_of(last)["name"] == str(ERRORS + 8)
    assert cell.cut_bytes == 8 * 100
    assert cell.last_error() is None


def test_what_is_taken_back_already_is_not_taken_back_again() -> None:
    now, later = {"ev": "clear", "wait": False}, {"ev": "clear", "wait": True}
    cell = a_cell()

    at_first = cell.clear(now)
    cell.text(b"a")
    sent = [cell.clear(frame) is not None for frame in (later, later, now, now, later)]
    cell.text(b"b")

    assert at_first is None
    assert sent == [True, False, True, False, False]
    assert cell.clear(now)


def test_a_cell_that_is_not_taken_up_is_late_unless_it_was_asked_to_stop() -> None:
    cell = a_cell()
    cell.request = {"op": "exec"}, b""
    cell.begin_by = time.monotonic() - 1

    assert cell.is_late_to_begin
    assert cell.seconds_left == 0
    cell.stopped_for = "interrupted"
    assert not cell.is_late_to_begin
    assert cell.seconds_left > 0


def test_a_deadline_comes_nearer_and_has_an_end() -> None:
    cell = a_cell(seconds=10)

    assert 9 < cell.seconds_left <= 10
    assert 0 <= cell.seconds < 1
    assert a_cell(seconds=-1).seconds_left == 0


def test_once_it_was_asked_to_stop_the_time_to_kill_it_counts() -> None:
    cell = a_cell(seconds=-1)
    cell.kill_at = time.monotonic() + 3

    assert 2 < cell.seconds_left <= 3


def test_a_cell_is_remembered_with_all_that_it_said_in_its_order() -> None:
    remembered = Remembered()
    cell = a_cell()
    sent = [cell.text(b"a"), cell.display({"ev": "display"}, b"png"), cell.text(b"b"), cell.last_text()]

    remembered.keep(cell, DONE)
    frames = remembered.frames("c")

    assert frames
    assert frames[:-1] == [data for data in sent if data]
    assert head_of(frames[-1]) == {**DONE, "replayed": True, "missing": False}


def test_a_cell_that_was_not_is_not_remembered() -> None:
    assert Remembered().frames("c") is None


def test_the_last_cells_are_remembered() -> None:
    remembered = Remembered()

    for number in range(REMEMBERED + 3):
        remembered.keep(a_cell(str(number)), DONE)

    assert remembered.names == [str(number) for number in range(3, REMEMBERED + 3)]
    assert remembered.frames("2") is None


def with_displays(name: str, count: int) -> Cell:
    cell = a_cell(name)
    for _ in range(count):
        cell.display({"ev": "display"}, bytes(1_000_000))
    return cell


def test_what_is_remembered_of_one_cell_has_an_end_and_says_so() -> None:
    remembered = Remembered()
    cell = with_displays("c", 30)

    remembered.keep(cell, DONE)
    frames = remembered.frames("c")

    assert cell.displays == 30
    assert cell.frames_bytes <= REMEMBERED_BYTES
    assert frames
    assert sum(map(len, frames)) <= REMEMBERED_BYTES + 1000
    assert head_of(frames[-1])["missing"] is True


def test_a_large_cell_drives_out_older_ones() -> None:
    remembered = Remembered()
    for name, count in (("a", 5), ("b", 5), ("c", 5), ("d", 12)):
        remembered.keep(with_displays(name, count), DONE)

    assert remembered.names == ["d"]


def test_a_cell_that_was_started_is_known_longer_than_what_it_said() -> None:
    remembered = Remembered()
    for number in range(STARTED + 2):
        remembered.start(str(number))
        remembered.keep(a_cell(str(number)), DONE)

    assert [remembered.was_started(str(number)) for number in (0, 1, 2, STARTED + 1)] == [
        False,
        False,
        True,
        True,
    ]
    assert not remembered.was_started("never")
