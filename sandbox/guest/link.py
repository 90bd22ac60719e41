"""The host at the other end of our standard streams: whole frames in and out."""

import os
import time
from collections.abc import Iterator

from sandbox.guest.outgoing import Outgoing
from sandbox.wire import Decoder, Frame, WireError, encode

READ_BYTES = 1024 * 1024
UNFINISHED_SECONDS = 2.0
"""A host that died in mid-frame will not send the rest: after so much silence its beginning does not count."""
ATTACH = b'{"op":"attach",'
"""How every host's first frame begins."""


class Link:
    def __init__(self, reading: int, writing: int) -> None:
        """Two descriptors, which become non-blocking."""
        self.reading = reading
        self.out = Outgoing(writing)
        self.epoch = 0
        """Of the owner. Nobody with a lower one is heard."""
        self.heard_at = time.monotonic()
        self.has_ended = False
        self._decoder = Decoder()
        self._lost: bytearray | None = None
        """What has come since we lost the beginning of frames."""
        os.set_blocking(reading, False)

    @property
    def unfinished_seconds_left(self) -> float | None:
        """Until an unfinished frame is dropped."""
        if not self._decoder.in_mid_frame:
            return None
        return max(0.0, self.heard_at + UNFINISHED_SECONDS - time.monotonic())

    def receive(self) -> Iterator[tuple[Frame, bytes]]:
        """What has come by now, as far as it is whole and the owner's."""
        try:
            data = os.read(self.reading, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.has_ended = True
            return
        self.heard_at = time.monotonic()
        for frame, payload in self._frames(data):
            epoch, is_attach = frame.get("epoch"), frame.get("op") == "attach"
            if type(epoch) is not int:
                continue
            if is_attach:
                self.epoch = max(self.epoch, epoch)
            if is_attach or epoch == self.epoch:
                yield frame, payload

    def drop_unfinished(self) -> None:
        self._decoder.reset()

    def send(self, frame: Frame, payload: bytes | None = None) -> None:
        self.out.send(encode(frame, payload))

    def _frames(self, data: bytes) -> Iterator[tuple[Frame, bytes]]:
        try:
            yield from self._decoder.feed(data if self._lost is None else self._from_next_attach(data))
        except WireError:
            # Two hosts wrote at once, say. Only somebody who attaches anew knows where a frame begins.
            self._decoder.reset()
            self._lost = bytearray()
            self.send({"ev": "garbled"})

    def _from_next_attach(self, data: bytes) -> bytes:
        heard = (self._lost or b"") + data
        start = heard.rfind(ATTACH)
        if start < 0:
            self._lost = bytearray(heard[-len(ATTACH) :])
            return b""
        self._lost = None
        return bytes(heard[start:])
