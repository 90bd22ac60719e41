"""The way to the container engine, which can be cut: a socket that leads to the real one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

REAL = "/var/run/docker.sock"


class EngineProxy:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def standing(cls, path: Path) -> AsyncIterator["EngineProxy"]:
        proxy = cls(path)
        await proxy.mend()
        try:
            yield proxy
        finally:
            await proxy.cut()

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        return (("DOCKER_HOST", f"unix://{self.path}"),)

    async def mend(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._lead, self.path)

    async def cut(self) -> None:
        """No new connection is taken, and all that are there end."""
        if self._server:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        self.path.unlink(missing_ok=True)
        await asyncio.sleep(0)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(REAL)
        self._open |= {writer, far_writer}
        try:
            there = asyncio.create_task(_pump(reader, far_writer))
            back = asyncio.create_task(_pump(far_reader, writer))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            # The engine closes one half first where a stream has ended.
            await asyncio.wait({there, back}, timeout=1)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            for each in (writer, far_writer):
                self._open.discard(each)
                each.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
