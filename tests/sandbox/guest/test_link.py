"""A box hears its owner and nobody else, and finds its place again where the bytes make no sense."""

import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.guest.link import UNFINISHED_SECONDS, Link
from sandbox.wire import PAYLOAD_BYTES
from tests.sandbox.fake_box import line
from tests.sandbox.pieces import cut


@dataclass
class Host:
    """The other end of a link: what it writes, and what it hears."""

    writing: int
    reading: int
    link: Link

    def say(self, data: bytes) -> list[tuple[str, bytes]]:
        """The operations that the box hears of this, with their payloads."""
        os.write(self.writing, data)
        return [(frame["op"], payload) for frame, payload in self.link.receive()]

    def heard(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(each) for each in os.read(self.reading, 100_000).splitlines()]
        except BlockingIOError:
            return []


def opened() -> Iterator[Host]:
    to_box, writing = os.pipe()
    reading, from_box = os.pipe()
    os.set_blocking(reading, False)
    yield Host(writing, reading, Link(to_box, from_box))
    for descriptor in (to_box, reading, from_box):
        os.close(descriptor)
    if descriptor_is_open(writing):
        os.close(writing)


def descriptor_is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def host() -> Iterator[Host]:
    yield from opened()


def attach(epoch: int, nonce: str = "n") -> bytes:
    return line(op="attach", epoch=epoch, nonce=nonce)


def ping(epoch: int) -> bytes:
    return line(op="ping", epoch=epoch, id=1)


def test_the_owner_is_heard(host: Host) -> None:
    assert host.say(attach(1)) == [("attach", b"")]
    assert host.say(line(op="exec", epoch=1, cell="c", n=5) + b"print" + ping(1)) == [
        ("exec", b"print"),
        ("ping", b""),
    ]


def test_nothing_is_heard_where_nothing_was_said(host: Host) -> None:
    assert list(host.link.receive()) == []
    assert not host.link.has_ended


def test_owners_with_a_lower_epoch_are_not_heard(host: Host) -> None:
    host.say(attach(5))

    assert host.say(ping(4) + ping(5) + ping(3)) == [("ping", b"")]


def test_somebody_with_a_higher_epoch_is_heard_after_attaching_only(host: Host) -> None:
    host.say(attach(5))

    assert host.say(ping(6)) == []
    assert host.say(attach(6) + ping(6) + ping(5)) == [("attach", b""), ("ping", b"")]
    assert host.link.epoch == 6


def test_a_late_attach_with_a_lower_epoch_is_passed_on_to_be_refused(host: Host) -> None:
    host.say(attach(5))

    assert host.say(attach(4)) == [("attach", b"")]
    assert host.link.epoch == 5
    assert host.say(ping(4) + ping(5)) == [("ping", b"")]


@pytest.mark.parametrize("epoch", [None, "9", 9.0, True, [9]])
def test_an_epoch_that_is_no_number_is_none(host: Host, epoch: object) -> None:
    assert host.say(line(op="attach", epoch=epoch, nonce="n") + line(op="ping", epoch=epoch)) == []
    assert host.link.epoch == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=20))
def test_only_the_highest_epoch_so_far_is_heard(said: list[tuple[bool, int]]) -> None:
    for host in opened():
        highest = 0
        for is_attach, epoch in said:
            heard = host.say(attach(epoch) if is_attach else ping(epoch))
            highest = max(highest, epoch) if is_attach else highest

            assert bool(heard) == (is_attach or epoch == highest)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=6), st.lists(st.integers(1, 20), max_size=30))
def test_frames_are_heard_however_they_are_cut(payloads: list[bytes], sizes: list[int]) -> None:
    frames = [line(op="put_data", epoch=1, id=1, n=len(payload)) + payload for payload in payloads]
    for host in opened():
        heard = [
            each for piece in cut(attach(1) + b"".join(frames), sizes) if piece for each in host.say(piece)
        ]

        assert heard == [("attach", b""), *[("put_data", payload) for payload in payloads]]


def test_an_unfinished_frame_is_due_after_some_silence(host: Host) -> None:
    host.say(attach(1))
    before = host.link.unfinished_seconds_left
    host.say(line(op="put_data", epoch=1, id=1, n=100) + b"half")
    after = host.link.unfinished_seconds_left

    assert before is None
    assert after
    assert 0 < after <= UNFINISHED_SECONDS


def test_more_of_a_frame_gives_it_more_time(host: Host) -> None:
    host.say(line(op="put_data", epoch=1, id=1, n=100) + b"half")
    host.link.heard_at -= 2 * UNFINISHED_SECONDS
    waited = host.link.unfinished_seconds_left
    host.say(b"more")

    assert waited == 0
    assert host.link.unfinished_seconds_left
    assert host.link.unfinished_seconds_left > 0


@pytest.mark.parametrize("half", [b'{"op":"pi', line(op="put_data", epoch=1, id=1, n=100) + b"half"])
def test_the_frame_of_a_dead_owner_is_dropped_and_the_next_one_is_heard(host: Host, half: bytes) -> None:
    host.say(attach(1))
    host.say(half)
    host.link.drop_unfinished()

    assert host.link.unfinished_seconds_left is None
    assert host.say(attach(2) + ping(2)) == [("attach", b""), ("ping", b"")]
    assert host.heard() == []


def test_an_attach_in_the_middle_of_another_frame_is_taken_for_its_content(host: Host) -> None:
    half = line(op="put_data", epoch=1, id=1, n=100) + b"half"
    host.say(attach(1))

    assert host.say(half + attach(2)) == []


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"op":\n',
        b"\xff\xfe\n",
        line(op="exec", epoch=1, n=PAYLOAD_BYTES + 1),
        b"\n",
    ],
)
def test_what_is_no_frame_is_answered_and_nothing_is_heard_before_the_next_attach(
    host: Host, nonsense: bytes
) -> None:
    host.say(attach(1))

    assert host.say(ping(1) + nonsense + ping(1)) == [("ping", b"")]
    assert host.say(ping(1) + b"raw \n bytes {" + nonsense) == []
    assert host.say(attach(2) + ping(2)) == [("attach", b""), ("ping", b"")]
    assert host.heard() == [{"ev": "garbled"}]


def test_the_next_attach_is_found_in_whatever_pieces_it_comes(host: Host) -> None:
    host.say(b"nonsense\n")
    heard = [
        each
        for byte in b'rest of a frame {"op":"atta' + attach(2) + ping(2)
        for each in host.say(bytes([byte]))
    ]

    assert heard == [("attach", b""), ("ping", b"")]


def test_of_several_attaches_after_nonsense_the_last_one_counts(host: Host) -> None:
    host.say(b"nonsense\n")

    assert host.say(attach(2) + ping(2) + attach(3) + ping(3)) == [("attach", b""), ("ping", b"")]
    assert host.link.epoch == 3


def test_an_attach_right_after_nonsense_needs_to_be_said_again(host: Host) -> None:
    assert host.say(b"nonsense\n" + attach(2)) == []
    assert host.say(attach(2)) == [("attach", b"")]


def test_waiting_for_an_attach_takes_no_memory(host: Host) -> None:
    host.say(b"nonsense\n")
    tracemalloc.start()
    try:
        for _ in range(100):
            host.say(b"x" * 60_000)
        now_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert now_bytes < 60_000
    assert host.link.unfinished_seconds_left is None


def test_nonsense_after_nonsense_is_answered_again(host: Host) -> None:
    host.say(b"nonsense\n")
    host.say(attach(1) + b"nonsense\n")

    assert host.heard() == [{"ev": "garbled"}, {"ev": "garbled"}]
    assert host.say(attach(2)) == [("attach", b"")]


def test_a_host_that_is_gone_has_ended(host: Host) -> None:
    os.close(host.writing)

    assert list(host.link.receive()) == []
    assert host.link.has_ended


def test_frames_go_out_with_their_payload(host: Host) -> None:
    host.link.send({"ev": "pong", "id": 1})
    host.link.send({"ev": "text", "cell": "c"}, b"hello")

    assert os.read(host.reading, 1000) == b'{"ev":"pong","id":1}\n{"ev":"text","cell":"c","n":5}\nhello'
