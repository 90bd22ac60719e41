"""Bytes go out in their order, and nobody waits for whoever reads them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.guest.outgoing import FULL_BYTES, Outgoing


@dataclass
class Pipe:
    reading: int
    out: Outgoing

    def read(self, most: int = 1_000_000) -> bytes:
        try:
            return os.read(self.reading, most)
        except BlockingIOError:
            return b""

    def read_all(self) -> bytes:
        """Reading and sending take turns until nothing waits."""
        found = self.read()
        while self.out.is_waiting:
            self.out.flush()
            found += self.read()
        return found


def opened() -> tuple[Pipe, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return Pipe(reading, Outgoing(writing)), writing


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made, writing = opened()
    yield made
    os.close(writing)
    os.close(made.reading)


def test_what_is_sent_arrives_at_once_where_there_is_room(pipe: Pipe) -> None:
    pipe.out.send(b"one")
    pipe.out.send(b"two")

    assert pipe.read() == b"onetwo"
    assert not pipe.out.is_waiting


def test_what_is_sent_together_goes_out_at_the_end(pipe: Pipe) -> None:
    with pipe.out.together():
        pipe.out.send(b"one")
        pipe.out.send(b"two")
        before = pipe.read()

    assert (before, pipe.read()) == (b"", b"onetwo")


def test_what_does_not_fit_waits_and_arrives_in_its_order(pipe: Pipe) -> None:
    pieces = [bytes([number]) * 50_000 for number in range(40)]
    for piece in pieces:
        pipe.out.send(piece)

    assert pipe.out.is_waiting
    assert pipe.read_all() == b"".join(pieces)
    assert not pipe.out.is_waiting


def test_it_is_full_when_more_waits_than_should(pipe: Pipe) -> None:
    pipe.out.send(bytes(FULL_BYTES))
    was_full = pipe.out.is_full
    pipe.out.send(bytes(FULL_BYTES))
    is_full = pipe.out.is_full
    pipe.read_all()

    assert (was_full, is_full, pipe.out.is_full) == (False, True, False)


def test_nothing_waits_for_a_reader_that_is_gone() -> None:
    pipe, writing = opened()
    pipe.out.send(bytes(FULL_BYTES))
    os.close(pipe.reading)

    pipe.out.flush()
    pipe.out.send(b"more")

    assert not pipe.out.is_waiting
    assert not pipe.out.is_full
    os.close(writing)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 90_000).map(bytes), st.integers(1, 90_000)), max_size=12))
def test_no_byte_is_lost_or_said_twice(steps: list[bytes | int]) -> None:
    pipe, writing = opened()
    sent = received = b""

    for step in steps:
        if isinstance(step, int):
            received += pipe.read(step)
            pipe.out.flush()
        else:
            marked = len(sent).to_bytes(4, "big") + step
            sent += marked
            pipe.out.send(marked)
    received += pipe.read_all()

    assert received == sent
    os.close(writing)
    os.close(pipe.reading)
