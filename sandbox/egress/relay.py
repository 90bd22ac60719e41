"""The host's end of a box's connections: each asks for a host, is checked, and then only bytes are moved.

The address that was checked is the one that is called, and the host that TLS asks for is the one that was asked for:
neither a name that changes its address nor a greeting to somebody else gets past.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bot.execution import Receipt
from sandbox.egress.allow import AllowList, is_public, may_be_asked_for
from sandbox.egress.hello import NoHello, server_name
from sandbox.frames import Net

log = structlog.get_logger()

CONNECTIONS = 32
"""Of one box at once."""
CLOSE_SECONDS = 2.0
"""For a host to take what was written last."""
RECEIPTS = 500
"""Of one cell."""
WINDOW_BYTES = 256 * 1024
"""May be on the way in one direction of a connection."""
PIECE_BYTES = 64 * 1024
REQUEST_BYTES = 16 * 1024
"""Of a CONNECT with its headers."""
REQUEST_SECONDS = 20
DIAL_SECONDS = 15

Resolve = Callable[[str, int], Awaitable[list[str]]]
Send = Callable[..., Awaitable[None]]
"""`send(op, payload, **facts)` to the box."""


class Refused(Exception):
    """Why a host is not called, as the code in the box reads it."""


class NotListed(Refused):
    """Nobody has allowed it."""


class Dial(Protocol):
    def __call__(
        self, host: str, port: int
    ) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]: ...


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(slots=True)
class Relay:
    """Of one box. `allowed` can be changed at any time; what is not allowed any more is cut off by `close`."""

    send: Send
    allowed: AllowList = field(default_factory=AllowList)
    contact: str = ""
    resolve: Resolve = resolve
    dial: Dial = asyncio.open_connection
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    """Of the first connections since they were taken last. The log has all that were refused."""
    _connections: dict[int, "_Connection"] = field(default_factory=dict[int, "_Connection"])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def hear(self, frame: Net) -> None:
        """What the box says of a connection. Never waits."""
        connection = self._connections.get(frame.conn)
        if frame.do == "open" and connection is None and len(self._connections) < CONNECTIONS:
            self._open(frame.conn)
        elif connection is not None:
            connection.hear(frame)

    async def settle(self) -> tuple[Receipt, ...]:
        """End what is left of a cell's connections, and say what they all were."""
        await self.close()
        taken, self.receipts = tuple(self.receipts), []
        return taken

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open(self, number: int) -> None:
        connection = _Connection(number, self.send)
        self._connections[number] = connection
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: "_Connection") -> None:
        try:
            await self._carry(connection)
        except Refused as error:
            connection.refused = str(error)
            connection.is_not_listed = isinstance(error, NotListed)
            log.info("network.refused", host=connection.host, port=connection.port, detail=str(error))
            await connection.answer(f"403 {error}")
        except (OSError, TimeoutError) as error:
            connection.refused = f"{connection.host} does not answer"
            log.info("network.failed", host=connection.host, detail=str(error))
            await connection.answer("502 The host does not answer")
        finally:
            self._connections.pop(connection.number, None)
            if connection.host and len(self.receipts) < RECEIPTS:
                self.receipts.append(connection.receipt())
            with contextlib.suppress(Exception):  # the box may be gone: nobody is left to be told
                await self.send("net", conn=connection.number, do="close")

    async def _carry(self, connection: "_Connection") -> None:
        async with asyncio.timeout(REQUEST_SECONDS):
            await connection.take_request()
        address = await self._address_of(connection.host, connection.port)
        async with asyncio.timeout(DIAL_SECONDS):
            reader, writer = await self.dial(address, connection.port)
        try:
            await connection.answer("200 Connected")
            async with asyncio.timeout(REQUEST_SECONDS):
                hello = await self._checked_hello(connection)
            await connection.join(reader, writer, hello)
        finally:
            # A host that does not take what it was sent is not waited for for ever.
            late = asyncio.get_running_loop().call_later(CLOSE_SECONDS, writer.transport.abort)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            late.cancel()

    async def _address_of(self, host: str, port: int) -> str:
        """The one address that may be called. Raises `Refused`."""
        if (host, port) not in self.allowed.hosts:
            who = self.contact or "the operator"
            raise NotListed(f"{host}:{port} is not on this bot's list of hosts; {who} can add it")
        if pinned := self.allowed.pins.get((host, port)):
            return pinned
        try:
            addresses = await self.resolve(host, port)
        except OSError as error:
            raise Refused(f"{host} has no address") from error
        # One inner address among outer ones is no accident.
        if not addresses or not all(is_public(address) for address in addresses):
            raise Refused(f"{host} leads into a private network")
        return addresses[0]

    async def _checked_hello(self, connection: "_Connection") -> bytes:
        heard = b""
        while True:
            try:
                name = server_name(heard)
            except NoHello as error:
                raise Refused(f"only TLS to {connection.host} is let through: {error}") from error
            if name == connection.host:
                return heard
            if name is not None:
                raise Refused(f"TLS asks for {name[:100]}, and the connection is for {connection.host}")
            piece = await connection.receive()
            if not piece:
                raise Refused("it ended before it began")
            heard += piece


class _Connection:
    def __init__(self, number: int, send: Send) -> None:
        self.number = number
        self.host = ""
        self.port = 0
        self.refused = ""
        self.is_not_listed = False
        self._sent = self._received = 0
        self._send = send
        self._coming: asyncio.Queue[bytes] = asyncio.Queue()
        """From the box; nothing when it has said all."""
        self._unread_bytes = 0
        self._window = WINDOW_BYTES
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._answered = False

    def hear(self, frame: Net) -> None:
        match frame.do:
            case "data":
                self._unread_bytes += len(frame.payload)
                # A box that sends more than it may does not get it through.
                self._coming.put_nowait(frame.payload if self._unread_bytes <= 2 * WINDOW_BYTES else b"")
            case "eof" | "close":
                self._coming.put_nowait(b"")
            case "ack":
                self._window += frame.k
                self._may_send.set()
            case _:
                pass

    async def receive(self) -> bytes:
        piece = await self._coming.get()
        self._unread_bytes -= len(piece)
        if piece:
            await self._send("net", conn=self.number, do="ack", k=len(piece))
        return piece

    async def take_request(self) -> None:
        """Sets host and port. Raises `Refused`."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            piece = await self.receive()
            heard += piece
            if not piece or len(heard) > REQUEST_BYTES:
                raise Refused("this is no request to a proxy")
        method, target, *_ = [*heard.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        host, _, port = target.rpartition(":")
        self.host = host.lower()[:253]
        if method != "CONNECT" or not port.isdecimal():
            self.host = self.host or target[:100]
            raise Refused("only https is let through")
        self.port = int(port[:5])

    async def answer(self, line: str) -> None:
        """The status line of a proxy; once."""
        if not self._answered:
            self._answered = True
            await self._to_box(f"HTTP/1.1 {line}\r\n\r\n".encode("latin-1", "replace"))

    def receipt(self) -> Receipt:
        asks = self.is_not_listed and 0 < self.port < 2**16 and may_be_asked_for(self.host)
        return Receipt(self.host, self.port, self._sent, self._received, self.refused, asks)

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        """Move bytes both ways until both sides have said all."""

        async def upwards() -> None:
            self._sent += len(first)
            writer.write(first)
            while piece := await self.receive():
                self._sent += len(piece)
                writer.write(piece)
                await writer.drain()
            with contextlib.suppress(OSError):
                writer.write_eof()

        async def downwards() -> None:
            while piece := await reader.read(PIECE_BYTES):
                self._received += len(piece)
                await self._to_box(piece)
            await self._send("net", conn=self.number, do="eof")

        tasks = [asyncio.create_task(upwards()), asyncio.create_task(downwards())]
        try:
            # What the other side has to say is what was asked for; once it has ended, so has all.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _to_box(self, data: bytes) -> None:
        while data:
            while self._window <= 0:
                self._may_send.clear()
                await self._may_send.wait()
            piece, data = data[: min(self._window, PIECE_BYTES)], data[min(self._window, PIECE_BYTES) :]
            self._window -= len(piece)
            await self._send("net", piece, conn=self.number, do="data")
