"""What a box says: every frame there is gets through, and nothing else does."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from sandbox.frames import (
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_NAMES,
    Display,
    Done,
    Files,
    Raised,
    Said,
    Written,
    said,
)
from sandbox.wire import WireError
from tests.sandbox.pieces import json_values

PNG = b"\x89PNG"
DONE = {
    "ev": "done",
    "cell": "c1",
    "status": "ok",
    "why": None,
    "seconds": 0.25,
    "kernel": 1,
    "names": ["x", "y"],
    "lost": None,
    "cut": {"text": 0, "displays": 0},
    "killed": 0,
    "oom_kills": 0,
    "files": {"changed": [["a/b.csv", 12, 1700000000.5]], "gone": ["c"], "complete": True},
}
DISPLAY = {
    "ev": "display",
    "cell": "c1",
    "kind": "display",
    "display_id": None,
    "parts": [["image/png", 4], ["text/html", 6]],
    "name": "sales",
    "alt": "line chart",
    "saved_as": None,
}
ATTACHED = {
    "ev": "attached",
    "nonce": "n",
    "epoch": 3,
    "boot": "b",
    "kernel": 1,
    "running": None,
    "remembered": [],
}
PUT_FAILED = {"ev": "put_done", "id": 1, "mtime": None, "detail": "no"}
JOB_DONE = {"ev": "job_done", "id": 1, "detail": ""}
DOCUMENTED: list[tuple[dict[str, Any], bytes]] = [
    ({"ev": "ready", "boot": "b", "kernel": 1}, b""),
    (ATTACHED, b""),
    ({**ATTACHED, "kernel": None, "running": "c1", "remembered": ["c0"]}, b""),
    ({"ev": "refused", "nonce": "n", "epoch": 4}, b""),
    ({"ev": "garbled"}, b""),
    ({"ev": "pong", "id": 0}, b""),
    ({"ev": "text", "cell": "c1"}, "héllo".encode()),
    (DISPLAY, PNG + b"<html>"),
    ({**DISPLAY, "kind": "update", "display_id": "d", "parts": [], "saved_as": "sales.png"}, b""),
    ({"ev": "clear", "cell": "c1", "wait": True}, b""),
    ({"ev": "error", "cell": "c1", "name": "ValueError", "message": "bad", "traceback": "Traceback …"}, b""),
    (DONE, b""),
    *(
        ({**DONE, "status": status}, b"")
        for status in ("raised", "timed_out", "out_of_memory", "interrupted")
    ),
    ({**DONE, "status": "died", "why": "signal SIGSEGV", "kernel": 2, "lost": ["x"]}, b""),
    ({**DONE, "replayed": True, "missing": True}, b""),
    ({**DONE, "not_kept": ["socket"], "memory": 2**30}, b""),
    ({"ev": "unknown", "cell": "c1", "was_run": True}, b""),
    ({"ev": "busy", "cell": "c1"}, b""),
    ({"ev": "died", "why": "exit code 1", "kernel": 2, "lost": ["x"]}, b""),
    ({"ev": "put_done", "id": 1, "mtime": 1.5, "error": None, "detail": ""}, b""),
    *(({**PUT_FAILED, "error": error}, b"") for error in ("full", "name", "io")),
    ({"ev": "file", "id": 1, "size": 2**40}, b""),
    ({"ev": "file_data", "id": 1}, bytes(range(256))),
    ({"ev": "file_end", "id": 1}, b""),
    *(({"ev": "file_error", "id": 1, "error": error}, b"") for error in ("gone", "not_a_file", "name", "io")),
    ({"ev": "files", "id": 1, "files": [["a", 1, 2.0]], "complete": False}, b""),
    ({"ev": "renamed", "id": 1, "error": None}, b""),
    ({"ev": "renamed", "id": 1, "error": "No such file"}, b""),
    *(
        ({"ev": "net", "conn": 2, "do": do, "k": 4}, b"abcd")
        for do in ("open", "data", "ack", "eof", "close")
    ),
    *(({**JOB_DONE, "status": status}, b"x") for status in ("ok", "failed", "timed_out", "too_large")),
]
EVENTS = sorted({frame["ev"] for frame, _ in DOCUMENTED})


def test_every_kind_of_frame_is_tried_here() -> None:
    kinds = [get_args(kind.model_fields["ev"].annotation)[0] for kind in get_args(Said)]

    assert sorted(kinds) == EVENTS


@pytest.mark.parametrize(("frame", "payload"), DOCUMENTED)
def test_every_documented_frame_is_accepted_as_it_is(frame: dict[str, Any], payload: bytes) -> None:
    value = said(frame, payload)

    assert value.payload == payload
    kept = json.loads(value.model_dump_json(include=set(frame)))
    assert kept == {name: fact for name, fact in frame.items() if (frame["ev"], name) != ("pong", "id")}


def test_what_is_not_known_of_a_frame_is_left_out() -> None:
    value = said({"ev": "file_data", "id": 1, "n": 3, "colour": "red", "payload": "no"}, b"abc")

    assert value.model_dump() == {"ev": "file_data", "id": 1, "payload": b"abc"}


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from strings_in(dict(value))
    elif isinstance(value, dict):
        yield from strings_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings_in(each)


surrogates = st.text(st.characters(categories=["Cs", "Lu", "Cc"]), max_size=8)
anything = json_values | surrogates | st.floats() | st.integers(2**53 - 1) | st.lists(surrogates)


def checked(frame: dict[str, Any], payload: bytes) -> None:
    """A frame is a value that can be written and is within bounds, or it is refused in a few words."""
    try:
        value = said(frame, payload)
    except WireError as error:
        assert len(str(error)) < 250
        assert error.__cause__ is None
        return
    for text in strings_in(value):
        text.encode()
        assert len(text) <= LONGEST_TEXT
    json.loads(value.model_dump_json(exclude={"payload"}), parse_constant=pytest.fail)


@given(st.sampled_from(DOCUMENTED), st.data())
def test_a_frame_with_anything_in_one_place_is_checked_or_refused(
    documented: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    frame, payload = documented
    name = data.draw(st.sampled_from(sorted(frame)))

    checked({**frame, name: data.draw(anything)}, payload)


@given(st.sampled_from(["cut", "files"]), st.data())
def test_a_part_of_a_frame_with_anything_in_one_place_is_checked_or_refused(
    part: str, data: st.DataObject
) -> None:
    inner = DONE[part]
    assert isinstance(inner, dict)
    name = data.draw(st.sampled_from(sorted(inner)))

    checked({**DONE, part: {**inner, name: data.draw(anything | st.lists(st.lists(anything)))}}, b"")


@given(st.sampled_from(EVENTS) | surrogates, st.dictionaries(st.text(), anything), st.binary(max_size=5))
def test_any_object_is_checked_or_refused(ev: str, facts: dict[str, Any], payload: bytes) -> None:
    checked({**facts, "ev": ev}, payload)


@given(st.dictionaries(st.text(), anything))
def test_any_object_without_a_known_event_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        said({**facts, "ev": None}, b"")


@pytest.mark.parametrize(("frame", "payload"), DOCUMENTED)
def test_a_fact_that_says_what_a_frame_is_about_cannot_be_missing(
    frame: dict[str, Any], payload: bytes
) -> None:
    for name in {"cell", "id", "nonce", "kernel", "status", "parts", "size"} & frame.keys():
        if (frame["ev"], name) not in {("attached", "kernel"), ("pong", "id")}:
            with pytest.raises(WireError):
                said({each: value for each, value in frame.items() if each != name}, payload)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_times_are_numbers_that_can_be_compared(number: float) -> None:
    files = [["a", 1, number]]

    for frame in (
        {"ev": "files", "id": 1, "files": files},
        {**DONE, "files": {"changed": files}},
        {**DONE, "seconds": number},
        {"ev": "put_done", "id": 1, "mtime": number},
    ):
        with pytest.raises(WireError):
            said(frame, b"")


@pytest.mark.parametrize("size", [-1, 2**63, 0.5, "many", None])
def test_sizes_are_counts(size: object) -> None:
    for frame in (
        {"ev": "file", "id": 1, "size": size},
        {**DONE, "files": {"changed": [["a", size, 1.0]]}},
        {**DONE, "killed": size},
    ):
        with pytest.raises(WireError):
            said(frame, b"")


def test_halves_of_characters_become_writable() -> None:
    raised = said(
        {"ev": "error", "cell": "c", "name": "E\ud800", "message": "\udfff", "traceback": "a\ud83d\ude00b"},
        b"",
    )
    done = said({**DONE, "names": ["\ud800x"], "files": {"gone": ["f\udcff"]}}, b"")

    assert isinstance(raised, Raised)
    assert (raised.name, raised.message) == ("E?", "?")
    raised.traceback.encode()
    assert isinstance(done, Done)
    assert (done.names, done.files.gone) == (["?x"], ["f?"])


def test_what_names_something_must_be_short_and_other_text_is_cut() -> None:
    error = {"ev": "error", "cell": "c", "name": "E", "message": "m", "traceback": "t" * (LONGEST_TEXT + 5)}
    raised = said(error, b"")

    assert isinstance(raised, Raised)
    assert len(raised.traceback) == LONGEST_TEXT
    with pytest.raises(WireError):
        said({"ev": "text", "cell": "c" * (LONGEST_ID + 1)}, b"")
    with pytest.raises(WireError):
        said({**DISPLAY, "name": "n" * (LONGEST_NAME + 1)}, PNG + b"<html>")


def test_lists_have_an_end() -> None:
    most = said({"ev": "files", "id": 1, "files": [["a", 1, 1.0]] * MOST_NAMES}, b"")

    assert isinstance(most, Files)
    with pytest.raises(WireError):
        said({"ev": "files", "id": 1, "files": [["a", 1, 1.0]] * (MOST_NAMES + 1)}, b"")
    with pytest.raises(WireError):
        said({**DISPLAY, "parts": [["image/png", 0]] * 33}, b"")


@given(st.lists(st.integers(0, 20), max_size=5), st.binary(max_size=60))
def test_a_display_whose_parts_are_not_its_payload_is_refused(sizes: list[int], payload: bytes) -> None:
    parts = [[f"image/{number}", size] for number, size in enumerate(sizes)]

    try:
        display = said({**DISPLAY, "parts": parts}, payload)
    except WireError:
        assert sum(sizes) != len(payload)
        return
    assert isinstance(display, Display)
    assert b"".join(display.content.values()) == payload
    assert [len(content) for content in display.content.values()] == sizes


def test_a_display_is_taken_apart_by_its_parts() -> None:
    display = said(DISPLAY, PNG + b"<html>")

    assert isinstance(display, Display)
    assert display.content == {"image/png": PNG, "text/html": b"<html>"}


def test_what_is_refused_is_not_repeated() -> None:
    with pytest.raises(WireError) as raised:
        said({"ev": "text", "cell": ["secret" * 1000]}, b"")

    assert "secret" not in str(raised.value)
    assert "text" in str(raised.value)
    assert "cell" in str(raised.value)


def test_a_payload_is_never_taken_from_the_head() -> None:
    written = said({"ev": "text", "cell": "c", "payload": "forged"}, b"true")

    assert isinstance(written, Written)
    assert written.payload == b"true"
