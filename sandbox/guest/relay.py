"""The box's end of the way out: a proxy on its own loopback, which passes everything on and decides nothing."""

import contextlib
import os
import select
import socket
from dataclasses import dataclass, field

from sandbox.guest.link import Link
from sandbox.wire import Frame

ADDRESS = ("127.0.0.1", 3128)
CONNECTIONS = 32
WINDOW_BYTES = 256 * 1024
"""May be on the way in one direction of a connection."""
PIECE_BYTES = 64 * 1024


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    credit: int = WINDOW_BYTES
    """What may still be sent to the host."""
    out: bytearray = field(default_factory=bytearray)
    """From the host, for the code."""
    has_said_all: bool = False
    is_closing: bool = False
    """The host has no more to say: it ends when `out` is empty."""

    def fileno(self) -> int:
        return self.socket.fileno()


class Relay:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._connections: dict[int, _Connection] = {}
        self._last = 0
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(ADDRESS)
        self._listening.listen(CONNECTIONS)
        self._listening.setblocking(False)

    def register(self, poll: select.poll) -> None:
        if len(self._connections) < CONNECTIONS:
            poll.register(self._listening, select.POLLIN)
        for connection in self._connections.values():
            wanted = select.POLLOUT if connection.out else 0
            if connection.credit > 0 and not connection.has_said_all and not self._link.out.is_full:
                wanted |= select.POLLIN
            if wanted:
                poll.register(connection, wanted)

    def go_on(self, ready: set[int]) -> None:
        if self._listening.fileno() in ready:
            self._accept()
        for number, connection in list(self._connections.items()):
            if connection.fileno() in ready:
                try:
                    self._move(number, connection)
                except OSError:
                    self._end(number)

    def do(self, frame: Frame, payload: bytes) -> None:
        """What the host says of a connection."""
        connection = self._connections.get(frame["conn"])
        if connection is None:
            return
        match frame.get("do"):
            case "data":
                connection.out += payload
            case "ack":
                connection.credit += int(frame["k"])
            case "eof":
                connection.is_closing = True
                self._close_if_done(connection)
            case "close":
                connection.is_closing = connection.has_said_all = True
                if not connection.out:
                    self._end(frame["conn"])

    def drop(self) -> None:
        """End every connection: whoever was at the other end is not there any more."""
        for number in list(self._connections):
            self._connections.pop(number).socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            accepted, _ = self._listening.accept()
            accepted.setblocking(False)
            os.set_inheritable(accepted.fileno(), False)
            self._last += 1
            self._connections[self._last] = _Connection(accepted)
            self._link.send({"ev": "net", "conn": self._last, "do": "open"})

    def _move(self, number: int, connection: _Connection) -> None:
        if connection.out:
            with contextlib.suppress(BlockingIOError):
                sent = connection.socket.send(connection.out)
                del connection.out[:sent]
                self._link.send({"ev": "net", "conn": number, "do": "ack", "k": sent})
            if not connection.out and connection.is_closing:
                self._close_if_done(connection)
                if connection.has_said_all:
                    self._end(number)
                    return
        if connection.credit > 0 and not connection.has_said_all:
            with contextlib.suppress(BlockingIOError):
                data = connection.socket.recv(min(PIECE_BYTES, connection.credit))
                connection.credit -= len(data)
                connection.has_said_all = not data
                facts = {"ev": "net", "conn": number, "do": "data" if data else "eof"}
                self._link.send(facts, data or None)

    def _close_if_done(self, connection: _Connection) -> None:
        if not connection.out:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)

    def _end(self, number: int) -> None:
        self._connections.pop(number).socket.close()
        self._link.send({"ev": "net", "conn": number, "do": "close"})
