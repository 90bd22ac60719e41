"""The first thing that a TLS client says, as far as it names a host. Pure.

https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2, https://www.rfc-editor.org/rfc/rfc6066#section-3
"""

HEADER_BYTES = 5
MOST_BYTES = 16 * 1024 + HEADER_BYTES
"""One record. No client needs more to say whom it wants."""
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


class NoHello(Exception):
    """What came is not the beginning of TLS, or names nobody."""


def server_name(data: bytes) -> str | None:
    """The host that the client asks for; None while too little has come.

    Raises `NoHello`.
    """
    if data[:1] and data[0] != _HANDSHAKE:
        raise NoHello("this is not TLS")
    if len(data) < HEADER_BYTES:
        return None
    length = int.from_bytes(data[3:HEADER_BYTES], "big")
    if len(data) < HEADER_BYTES + length:
        if len(data) >= MOST_BYTES:
            raise NoHello("a greeting without end")
        return None
    try:
        return _name_in(_Reader(data[HEADER_BYTES : HEADER_BYTES + length]))
    except (IndexError, UnicodeDecodeError) as error:
        raise NoHello("a greeting that cannot be read") from error


def _name_in(hello: "_Reader") -> str:
    if hello.number(1) != _CLIENT_HELLO:
        raise NoHello("this is not how a client begins")
    body = _Reader(hello.block(3))
    body.take(2 + 32)  # version, random
    for length_bytes in (1, 2, 1):  # session, ciphers, compressions
        body.block(length_bytes)
    extensions = _Reader(body.block(2))
    while not extensions.is_empty:
        kind, content = extensions.number(2), _Reader(extensions.block(2))
        if kind == _SERVER_NAME:
            names = _Reader(content.block(2))
            if names.number(1) == _HOST_NAME:
                return names.block(2).decode("ascii").lower()
    raise NoHello("it names no host")


class _Reader:
    """Raises `IndexError` where there is less than was announced."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def is_empty(self) -> bool:
        return not self._data

    def take(self, length: int) -> bytes:
        if len(self._data) < length:
            raise IndexError
        taken, self._data = self._data[:length], self._data[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def block(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))
