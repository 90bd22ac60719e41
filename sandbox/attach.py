"""The one request to the engine that is not over with its answer: from there on it is a container's standard streams.

The SDK can make it too, but what it gives back is of no use to asyncio where the engine is reached over TLS.
https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""

import asyncio
import ssl
from dataclasses import dataclass
from functools import partial

from bot.errors import SandboxLost, SandboxNotReady
from sandbox.stdio import Reader, Stdio, streams

SECONDS = 60
"""For the engine's answer."""
_SWITCHED = (101, 200)
_NO_CONTAINER = (404, 409)


@dataclass(frozen=True, slots=True)
class Way:
    """How an engine is reached: by a socket of this machine, or by name and port, perhaps over TLS."""

    socket_path: str | None = None
    host: str = "localhost"
    port: int | None = None
    tls: ssl.SSLContext | None = None
    prefix: str = ""
    """Of every path: the version of the engine's API."""


async def attached(way: Way, container: str) -> Stdio:
    """What the container says from now on. Raises `SandboxNotReady`, `SandboxLost`."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await _connection(way)
            try:
                await _ask(reader, writer, way, container)
            except BaseException:
                writer.transport.abort()
                raise
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise SandboxNotReady(f"the engine does not answer: {error}", mend="plotline doctor") from error
    return Stdio(reader, writer)


async def _connection(way: Way) -> tuple[Reader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    if way.socket_path:
        return await streams(partial(loop.create_unix_connection, path=way.socket_path))
    return await streams(partial(loop.create_connection, host=way.host, port=way.port, ssl=way.tls))


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, container: str) -> None:
    writer.write(
        f"POST {way.prefix}/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
        f"Host: {way.host}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    line = head.partition(b"\r\n")[0].decode("latin-1")
    if not line.startswith("HTTP/1."):
        raise ValueError("this is not HTTP")
    status = int(line[9:12])
    if status in _NO_CONTAINER:
        raise SandboxLost(f"the engine: {line}")
    if status not in _SWITCHED:
        raise SandboxNotReady(f"the engine refuses: {line}", mend="plotline doctor")
