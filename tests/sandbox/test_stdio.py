"""The engine's framing of a container's streams, taken apart."""

import asyncio
import socket
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import stdio as stdio_module
from sandbox.stdio import COMPLAINT_BYTES, Splitter, Unframed
from tests.program.waiting import until
from tests.sandbox.fake_box import STDERR, STDOUT, framed, stdio_on
from tests.sandbox.pieces import cut

pieces = st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=200)), max_size=8)


@given(pieces, st.lists(st.integers(0, 30), max_size=40))
def test_nothing_is_lost_or_added_however_the_bytes_are_cut(
    sent: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    data = b"".join(framed(content, stream) for stream, content in sent)
    splitter = Splitter()

    out = b"".join(piece for part in cut(data, sizes) for piece in splitter.stdout_in(part))

    assert out == b"".join(content for stream, content in sent if stream == STDOUT)
    assert splitter.complaint == b"".join(content for stream, content in sent if stream == STDERR)


@given(st.binary(min_size=1, max_size=100), st.lists(st.integers(0, 30), max_size=10))
def test_any_bytes_are_either_framed_or_refused(data: bytes, sizes: list[int]) -> None:
    splitter = Splitter()

    try:
        out = b"".join(piece for part in cut(data, sizes) for piece in splitter.stdout_in(part))
    except Unframed:
        return
    assert len(out) + len(splitter.complaint) < len(data)


@pytest.mark.parametrize(
    "header",
    [
        bytes([0, 0, 0, 0, 0, 0, 0, 1]),  # stdin: nothing that comes out of a container
        bytes([3, 0, 0, 0, 0, 0, 0, 1]),
        bytes([1, 0, 0, 1, 0, 0, 0, 1]),
        bytes([1, 1, 0, 0, 0, 0, 0, 1]),
        b'{"ev":"r',  # a terminal's stream has no headers
    ],
)
def test_a_header_that_no_engine_sends_is_refused(header: bytes) -> None:
    with pytest.raises(Unframed):
        list(Splitter().stdout_in(framed(b"before") + header + b"x"))


def test_a_header_alone_makes_no_room_for_what_it_announces() -> None:
    tracemalloc.start()
    try:
        out = list(Splitter().stdout_in(bytes([1, 0, 0, 0, 255, 255, 255, 255]) + b"abc"))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert out == [b"abc"]
    assert most_bytes < 1_000_000


def test_only_the_end_of_stderr_is_kept() -> None:
    splitter = Splitter()

    for number in range(100):
        assert list(splitter.stdout_in(framed(b"%099d\n" % number, STDERR))) == []

    assert len(splitter.complaint) == COMPLAINT_BYTES
    assert splitter.complaint.endswith(b"98\n" + b"%099d\n" % 99)


async def test_the_streams_are_told_apart_to_their_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stdio = await stdio_on(ours)
        theirs.sendall(framed(b"one") + framed(b"broken", STDERR) + framed(b"two"))
        theirs.shutdown(socket.SHUT_WR)

        read = b""
        while piece := await stdio.read():
            read += piece
        await stdio.close()

    assert read == b"onetwo"
    assert stdio.complaint == "broken"
    assert stdio.has_ended


async def test_it_has_ended_before_all_of_it_is_read() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stdio = await stdio_on(ours)
        theirs.sendall(framed(b"unread"))
        theirs.shutdown(socket.SHUT_WR)
        await until(lambda: stdio.has_ended)
        read = await stdio.read()
        await stdio.close()

    assert read == b"unread"


async def test_what_was_written_last_is_taken_before_it_closes() -> None:
    ours, theirs = socket.socketpair()
    stdio = await stdio_on(ours)
    reader, writer = await asyncio.open_unix_connection(sock=theirs)

    async def write_and_close() -> None:
        stdio.write(bytes(30_000))
        await stdio.close()

    _, read = await asyncio.gather(write_and_close(), reader.read(-1))
    writer.close()

    assert read == bytes(30_000)


async def test_it_closes_though_nobody_takes_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio_module, "CLOSE_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    with theirs:
        stdio = await stdio_on(ours)
        with pytest.raises(TimeoutError):
            stdio.write(bytes(10_000_000))
            await asyncio.wait_for(stdio.drain(), 0.05)

        await stdio.close()
        await stdio.close()

    assert stdio.has_ended
