"""The standard streams of an attached container: bytes in, bytes out, in the engine's framing.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

READ_AHEAD_BYTES = 1024 * 1024
"""From one container, before it has to wait."""
READ_BYTES = 256 * 1024
COMPLAINT_BYTES = 4096
"""How much is kept of the end of the container's stderr, for the log."""
CLOSE_SECONDS = 5
"""For the container to take what was written last."""

_HEADER_BYTES = 8
_STDOUT, _STDERR = 1, 2


class Unframed(Exception):
    """What came is not in the engine's framing: this is no attached container, or half of one."""


class Reader(asyncio.StreamReader):
    """Knows that nothing more will come, before all that came is read."""

    is_complete = False

    def feed_eof(self) -> None:
        self.is_complete = True
        super().feed_eof()


async def streams(
    connect: Callable[[Callable[[], asyncio.StreamReaderProtocol]], Awaitable[tuple[Any, Any]]],
) -> tuple[Reader, asyncio.StreamWriter]:
    """By a method of the loop that makes a connection for a protocol."""
    loop = asyncio.get_running_loop()
    reader = Reader(limit=READ_AHEAD_BYTES, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await connect(lambda: protocol)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class Stdio:
    def __init__(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._split = Splitter()

    async def read(self) -> bytes:
        """Some of the container's stdout; nothing once it has ended or the connection is gone.

        Raises `Unframed`.
        """
        while True:
            data = await self._received()
            if not data:
                return b""
            if out := b"".join(self._split.stdout_in(data)):
                return out

    def write(self, data: bytes) -> bool:
        """Whether all of it is on its way; else `drain` waits for that."""
        self._writer.write(data)
        return not (self._writer.transport.get_write_buffer_size() or self.has_ended)

    async def drain(self) -> None:
        """Returns once most of it is on its way. Raises `ConnectionError` when the connection is gone."""
        await self._writer.drain()

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes any more but what is here already."""
        return self._reader.is_complete or self._writer.is_closing()

    @property
    def complaint(self) -> str:
        """The end of what the container wrote to stderr."""
        return self._split.complaint.decode(errors="replace")

    async def close(self) -> None:
        # What was written last goes first; whoever takes nothing any more is not waited for for ever.
        abort = self._writer.transport.abort
        late = asyncio.get_running_loop().call_later(CLOSE_SECONDS, abort)
        self._writer.close()
        try:
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        finally:
            late.cancel()
            abort()

    async def _received(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except ConnectionError:
            return b""


class Splitter:
    """Takes apart what the engine sends: eight bytes say which stream a piece is of, and how long it is."""

    def __init__(self) -> None:
        self.complaint = b""
        self._header = bytearray()
        self._stream = _STDOUT
        self._left = 0

    def stdout_in(self, data: bytes) -> Iterator[bytes]:
        """Pieces are passed on as they come, so that a length of any size costs nothing. Raises `Unframed`."""
        view = memoryview(data)
        while view:
            if not self._left:
                view = self._take_header(view)
                continue
            piece, view = view[: self._left], view[self._left :]
            self._left -= len(piece)
            if self._stream == _STDOUT:
                yield bytes(piece)
            else:
                self.complaint = (self.complaint + bytes(piece))[-COMPLAINT_BYTES:]

    def _take_header(self, view: memoryview) -> memoryview:
        missing = _HEADER_BYTES - len(self._header)
        self._header += view[:missing]
        if len(self._header) == _HEADER_BYTES:
            self._stream, self._left = self._header[0], int.from_bytes(self._header[4:], "big")
            if self._stream not in (_STDOUT, _STDERR) or any(self._header[1:4]):
                raise Unframed(f"a header {self._header.hex()}")
            self._header.clear()
        return view[missing:]
