"""Frames to and from one box, sent as its owner."""

import asyncio
import secrets
from collections import deque

from bot.errors import SandboxLost
from sandbox.frames import Attached, Garbled, Refused, Said, said
from sandbox.stdio import Stdio, Unframed
from sandbox.wire import Decoder, WireError, encode

ATTACH_SECONDS = 30
"""For a box to answer: one that has just been started on a busy machine takes its time."""
ASK_AGAIN_SECONDS = 2.5
"""A box that waits for the rest of a dead owner's frame drops it after two seconds of silence."""
SEND_SECONDS = 30
"""For a box to take what it is sent, a few hundred kilobytes at most."""
ANSWER_BYTES = 128 * 1024
"""Longest answer to `attach`."""
FRAME_START = b'{"ev":'


class Channel:
    """Every method raises `SandboxLost` once the box is gone or does not keep to the protocol."""

    def __init__(self, stdio: Stdio) -> None:
        self._stdio = stdio
        self._decoder = Decoder()
        self._heard: deque[Said] = deque()
        self._epoch = 0
        self._is_of_no_use = False

    async def attach(self, epoch: int) -> Attached:
        """Become the owner: nothing that was said before counts, owners with a lower epoch are not heard."""
        self._epoch = epoch
        self._heard.clear()
        nonce = secrets.token_hex(16)
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                answer = await self._ask_until_answered(nonce)
        except TimeoutError as error:
            raise self.lost("it does not answer") from error
        if isinstance(answer, Refused):
            raise self.lost(f"it belongs to an owner with epoch {answer.epoch}, ours is {epoch}")
        if not isinstance(answer, Attached):
            raise self.lost(f"it answers attach with {answer.ev}")
        return answer

    async def send(self, op: str, payload: bytes | None = None, **facts: object) -> None:
        try:
            if not self._stdio.write(encode({"op": op, "epoch": self._epoch, **facts}, payload)):
                async with asyncio.timeout(SEND_SECONDS):
                    await self._stdio.drain()
        except (ConnectionError, TimeoutError) as error:
            raise self.lost("it does not take what it is sent") from error

    async def receive(self) -> Said:
        """The next frame, checked."""
        while not self._heard:
            self._decode(await self._read())
        said = self._heard.popleft()
        if isinstance(said, Garbled):
            raise self.lost("it could not read what it was sent")
        return said

    @property
    def has_ended(self) -> bool:
        return self._is_of_no_use or self._stdio.has_ended

    async def close(self) -> None:
        self._is_of_no_use = True
        await self._stdio.close()

    def lost(self, why: str) -> SandboxLost:
        """The error to raise, with what the container complained of. Nothing is sent or heard any more."""
        self._is_of_no_use = True
        complaint = self._stdio.complaint
        return SandboxLost(f"the container: {why}" + (f"; its stderr: {complaint}" if complaint else ""))

    async def _ask_until_answered(self, nonce: str) -> Said:
        heard = bytearray()
        while True:
            await self.send("attach", nonce=nonce)
            try:
                async with asyncio.timeout(ASK_AGAIN_SECONDS):
                    return await self._answer_to(nonce, heard)
            except TimeoutError:
                continue

    async def _answer_to(self, nonce: str, heard: bytearray) -> Said:
        """Skips everything before the line with our nonce: we may have joined in the middle of a frame."""
        while True:
            heard += await self._read()
            at = heard.find(nonce.encode())
            end = heard.find(b"\n", at) if at >= 0 else -1
            if end >= 0:
                start = heard.rfind(FRAME_START, 0, at)
                self._decoder = Decoder()
                self._decode(bytes(heard[max(0, start) :]))
                return await self.receive()
            del heard[:-ANSWER_BYTES]

    async def _read(self) -> bytes:
        try:
            data = await self._stdio.read()
        except Unframed as error:
            raise self.lost(str(error)) from error
        if not data:
            raise self.lost("its connection has ended")
        return data

    def _decode(self, data: bytes) -> None:
        try:
            for frame, payload in self._decoder.feed(data):
                self._heard.append(said(frame, payload))
        except WireError as error:
            raise self.lost(str(error)) from error
