"""Frames as bytes: what is written is read again however it is cut, and nothing else is let through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest.workspace import MOST_FILES, NAMES_BYTES
from sandbox.wire import LINE_BYTES, PAYLOAD_BYTES, Decoder, WireError, encode
from tests.sandbox.pieces import cut, json_values

heads = st.dictionaries(st.text().filter(lambda key: key != "n"), json_values, max_size=4)
frames = st.lists(st.tuples(heads, st.none() | st.binary(max_size=300)), max_size=5)
cuts = st.lists(st.integers(0, 60), max_size=40)


@given(frames, cuts)
def test_what_was_encoded_is_decoded_again_however_it_is_cut(
    sent: list[tuple[dict[str, Any], bytes | None]], sizes: list[int]
) -> None:
    data = b"".join(encode(frame, payload) for frame, payload in sent)
    decoder = Decoder()

    received = [found for piece in cut(data, sizes) for found in decoder.feed(piece)]

    assert received == [
        (frame, b"") if payload is None else ({**frame, "n": len(payload)}, payload)
        for frame, payload in sent
    ]
    assert not decoder.in_mid_frame


@given(heads, st.binary(max_size=20))
def test_a_frame_comes_as_soon_as_its_last_byte(head: dict[str, Any], payload: bytes) -> None:
    data = encode(head, payload)
    decoder = Decoder()

    before = list(decoder.feed(data[:-1]))
    is_waiting = decoder.in_mid_frame
    (found,) = decoder.feed(data[-1:])

    assert before == []
    assert is_waiting
    assert found[1] == payload


@given(st.binary(max_size=400), cuts)
def test_bytes_that_are_no_frames_raise_nothing_but_a_wire_error(data: bytes, sizes: list[int]) -> None:
    decoder = Decoder(line_bytes=100, payload_bytes=100)

    try:
        for piece in cut(data, sizes):
            for frame, payload in decoder.feed(piece):
                assert isinstance(frame, dict)
                assert len(payload) == frame.get("n", 0)
    except WireError:
        pass


@pytest.mark.parametrize("line", ["", "nonsense", "[]", '"text"', "1", "null", "{", "{} {}"])
def test_a_line_that_is_no_object_is_refused(line: str) -> None:
    with pytest.raises(WireError):
        list(Decoder().feed(line.encode() + b"\n"))


def test_a_line_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(WireError):
        list(Decoder().feed(b'{"a":"\xff"}\n'))


@pytest.mark.parametrize(
    "size", ["-1", "1.0", "true", "null", '"1"', "[]", str(PAYLOAD_BYTES + 1), "9" * 300, "9" * 5000, "1e999"]
)
def test_an_absurd_size_of_a_payload_is_refused(size: str) -> None:
    with pytest.raises(WireError) as raised:
        list(Decoder().feed(b'{"n":' + size.encode() + b"}\n"))

    assert len(str(raised.value)) < 100


@pytest.mark.parametrize("name", ["n", "other"])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("depth", [*range(900, 1000, 7), 100_000])
def test_no_depth_of_nesting_raises_anything_else(
    name: str, opening: bytes, closing: bytes, depth: int
) -> None:
    line = b'{"%s":%s1%s}\n' % (name.encode(), opening * depth, closing * depth)

    try:
        ((frame, _),) = Decoder().feed(line)
    except WireError:
        return
    assert list(frame) == ["other"]


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(WireError):
        list(Decoder().feed(b'{"a":' + b"[" * 200_000 + b"\n"))


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_line_that_is_too_long_is_refused_whether_or_not_it_has_ended(has_ended: bool) -> None:
    line = b'{"a":"' + b"x" * 100 + b'"}' + (b"\n" if has_ended else b"")

    with pytest.raises(WireError):
        list(Decoder(line_bytes=50).feed(line))


def test_a_line_that_never_ends_is_refused_piece_by_piece() -> None:
    decoder = Decoder(line_bytes=1000)

    with pytest.raises(WireError):
        for _ in range(1000):
            assert list(decoder.feed(b"x" * 10)) == []


def test_a_line_of_just_the_longest_length_is_taken() -> None:
    line = b'{"a":"' + b"x" * 42 + b'"}'

    assert list(Decoder(line_bytes=len(line)).feed(line + b"\n")) == [({"a": "x" * 42}, b"")]


def test_frames_before_a_bad_one_are_still_heard() -> None:
    heard = []

    with pytest.raises(WireError):
        for frame, _ in Decoder().feed(b'{"a":1}\n{"a":2}\nnonsense\n'):
            heard.append(frame["a"])

    assert heard == [1, 2]


@pytest.mark.parametrize("beginning", [b'{"a"', b'{"n":5}\n', b'{"n":5}\nabc'])
def test_the_beginning_of_a_frame_is_forgotten_after_a_reset(beginning: bytes) -> None:
    decoder = Decoder()
    assert list(decoder.feed(beginning)) == []
    assert decoder.in_mid_frame

    decoder.reset()

    assert not decoder.in_mid_frame
    assert list(decoder.feed(b'{"b":1}\n')) == [({"b": 1}, b"")]


def test_frames_that_nobody_took_come_with_the_next_bytes() -> None:
    decoder = Decoder()
    first, _ = next(decoder.feed(b'{"a":1}\n{"a":2}\n'))

    rest = [frame for frame, _ in decoder.feed(b'{"a":3}\n')]

    assert [first, *rest] == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_every_list_of_files_that_a_box_makes_fits_a_line() -> None:
    entry = len(json.dumps(["", 2**40, 1_700_000_000.123_456_7], separators=(",", ":"))) + 1
    lists = 2 * (NAMES_BYTES + MOST_FILES * entry)
    # Those there are, those that were lost, those that were not kept: a thousand of 200 characters each.
    names_of_variables = 3 * len(json.dumps(["🙂" * 200] * 1000))

    assert lists + names_of_variables < LINE_BYTES
