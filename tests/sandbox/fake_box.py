"""The far side of a channel, byte by byte: an engine that frames a container's streams, and whoever sits in it."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.box import Box
from sandbox.channel import Channel
from sandbox.guest.link import Link
from sandbox.guest.transfers import Transfers
from sandbox.guest.workspace import Workspace
from sandbox.stdio import Stdio, streams

STDOUT, STDERR = 1, 2


def framed(content: bytes, stream: int = STDOUT) -> bytes:
    """As the engine sends a piece of a container's output."""
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


def line(**facts: object) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


@dataclass
class FakeBox:
    """Says what a test tells it to, and hears what the host says."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hear(self) -> dict[str, Any]:
        """The host's next frame; `payload` holds the bytes that came with it."""
        frame: dict[str, Any] = json.loads(await self.reader.readline())
        return {**frame, "payload": await self.reader.readexactly(frame.get("n", 0))}

    def say(self, ev: str, payload: bytes | None = None, **facts: object) -> None:
        size = {} if payload is None else {"n": len(payload)}
        self.write(line(ev=ev, **facts, **size) + (payload or b""))

    def write(self, data: bytes, stream: int = STDOUT) -> None:
        self.writer.write(framed(data, stream))

    async def attached(self, **facts: object) -> dict[str, Any]:
        """Answers the host's attach, which is returned."""
        frame = await self.hear()
        assert frame["op"] == "attach"
        known = {"nonce": frame["nonce"], "epoch": frame["epoch"], "boot": "b", "kernel": 1}
        self.say("attached", **{**known, **facts})
        return frame

    def end(self) -> None:
        self.writer.close()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Channel, FakeBox]]:
    async with _wired() as (stdio, far):
        yield Channel(stdio), far


@asynccontextmanager
async def opened(**facts: object) -> AsyncIterator[tuple[Box, FakeBox]]:
    """A box that somebody has just attached to."""
    async with connected() as (channel, far):
        attached, _ = await asyncio.gather(channel.attach(1), far.attached(**facts))
        yield Box("container", channel, attached), far


@asynccontextmanager
async def keeping_files(root: Path) -> AsyncIterator[Stdio]:
    """A box that keeps files in `root`: process 1's own code for that, without a kernel or a container."""
    async with _wired() as (stdio, far):
        files = asyncio.create_task(_Files(root, far).run())
        try:
            yield stdio
        finally:
            files.cancel()
            await asyncio.gather(files, return_exceptions=True)


@asynccontextmanager
async def with_files(root: Path) -> AsyncIterator[Box]:
    """The same, attached to."""
    async with keeping_files(root) as stdio:
        channel = Channel(stdio)
        yield Box("container", channel, await channel.attach(1))


async def stdio_on(ours: socket.socket) -> Stdio:
    loop = asyncio.get_running_loop()
    return Stdio(*await streams(partial(loop.create_unix_connection, sock=ours)))


@asynccontextmanager
async def _wired() -> AsyncIterator[tuple[Stdio, FakeBox]]:
    ours, theirs = socket.socketpair()
    stdio = await stdio_on(ours)
    far = FakeBox(*await asyncio.open_unix_connection(sock=theirs))
    try:
        yield stdio, far
    finally:
        await stdio.close()
        far.writer.transport.abort()


class _Files:
    def __init__(self, root: Path, far: FakeBox) -> None:
        self._far = far
        reading, self._stdin = os.pipe()
        self._stdout, writing = os.pipe()
        os.set_blocking(self._stdout, False)
        self._link = Link(reading, writing)
        self._transfers = Transfers(Workspace(root), self._link)
        self._descriptors = (reading, self._stdin, self._stdout, writing)

    async def run(self) -> None:
        try:
            while data := await self._received():
                os.write(self._stdin, data)
                for frame, payload in self._link.receive():
                    self._do(frame, payload)
                self._pump()
                await self._far.writer.drain()
        finally:
            self._transfers.drop()
            for descriptor in self._descriptors:
                os.close(descriptor)

    async def _received(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._link.unfinished_seconds_left):
                    # Less than a pipe holds.
                    return await self._far.reader.read(32 * 1024)
            except TimeoutError:
                self._link.drop_unfinished()

    def _do(self, frame: dict[str, Any], payload: bytes) -> None:
        if frame["op"] == "attach":
            known = {"nonce": frame["nonce"], "epoch": self._link.epoch, "boot": "b", "kernel": 1}
            self._link.send({"ev": "attached", **known})
        else:
            self._transfers.do(frame, payload)

    def _pump(self) -> None:
        while True:
            self._transfers.go_on()
            self._link.out.flush()
            try:
                self._far.write(os.read(self._stdout, 64 * 1024))
            except BlockingIOError:
                return
