"""
What host and box say to each other, and how it is framed. Standard library only: it is copied into the image.

A frame is one line of JSON, an object; if it has `"n"`, exactly n raw bytes follow the newline. Inside the box, kernel
and process 1 speak to each other in the same framing (`sandbox.guest.kernel`).

Host → box. Each carries `"op"` and `"epoch"`; a frame with a lower epoch than the highest attached is ignored.

    attach   nonce                       the first frame of every connection; answered attached or refused
    ping     id                          answered pong
    exec     cell, seconds, kind (null | save | load); n: code
                                         run a cell, or save the variables to a file in the workspace, or load them
                                         from it; the deadline is kept in the box, host alive or not. A cell that was
                                         started before is not run again: it is recalled
    recall   cell                        the frames of a cell once more, ending in done; or unknown; nothing as long as
                                         it runs, whose frames come by themselves
    interrupt                            SIGINT to the running cell, SIGKILL and a new kernel if that does not help
    reset                                a new kernel at once; files stay
    put      id, name, size, mtime (seconds | null)
                                         then put_data (id; n) until size bytes came; answered put_done
    get      id, name                    answered file (size), file_data (n) …, file_end; or file_error
    list     id                          answered files
    rename   id, name, to                answered renamed
    net      conn, do (data | ack | eof | close), k; n        for a connection of the box: see `sandbox.egress`
    job      id, name, args, seconds, max_bytes; n: input     answered job_done; see `sandbox.guest.jobs`

Box → host. Each carries `"ev"`. Every one of them is hostile to the host.

    ready    boot, kernel                a kernel is up; boot: random name of this supervisor, kernel: 1, 2, …
    attached nonce, epoch, boot, kernel, running (cell | null), remembered (cells)
    refused  nonce, epoch                somebody with a higher epoch owns this box
    garbled                              what came was no frame; nothing more is heard before the next attach
    pong     id
    text     cell; n: UTF-8              what the cell wrote to stdout and stderr, in order
    display  cell, kind (display | update), display_id, parts [[media_type, bytes] …], name, alt,
             saved_as (workspace file that holds the same picture | null); n: the parts, one after the other
    clear    cell, wait                  take back what was shown
    error    cell, name, message, traceback
    done     cell, status (ok | raised | timed_out | out_of_memory | interrupted | died), why, seconds, kernel,
             names (of variables, as far as known), lost (names, when the kernel was replaced | null),
             not_kept (names, after save or load), memory (bytes in use | null),
             cut {text (bytes), displays}, killed (processes left behind), oom_kills,
             files {changed [[name, size, mtime] …], gone [name …], complete},
             replayed (true when recalled), missing (true when recalled output is not complete)
    unknown  cell, was_run               not remembered; was_run: it was started here all the same
    busy     cell                        another cell is running
    died     why, kernel, lost           the kernel ended between two cells
    put_done id, mtime, error (null | full | name | io), detail
    file     id, size / file_data id; n / file_end id / file_error id, error (gone | not_a_file | name | io)
    files    id, files [[name, size, mtime] …], complete
    renamed  id, error
    net      conn, do (open | data | ack | eof | close), k; n     somebody in the box wants out
    job_done id, status (ok | failed | timed_out | too_large), detail; n: output
"""

import json
from collections.abc import Iterator
from typing import Any

Frame = dict[str, Any]

CHUNK_BYTES = 256 * 1024
"""Most payload in a frame of a file transfer."""
LINE_BYTES = 16 * 1024 * 1024
"""Longest JSON line: what a cell changed and removed fits, thousands of names each (`sandbox.guest.workspace`)."""
PAYLOAD_BYTES = 32 * 1024 * 1024
"""Largest payload of any frame: one display."""


class WireError(Exception):
    """The other side does not keep to the framing. The connection is of no use any more."""


# Made before any code runs beside us in the kernel: what it does to the module, it does to itself.
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_decoded = json.JSONDecoder().decode


def encode(frame: Frame, payload: bytes | None = None) -> bytes:
    if payload is None:
        return _encoded(frame).encode() + b"\n"
    return _encoded({**frame, "n": len(payload)}).encode() + b"\n" + payload


class Decoder:
    """Bytes in, in pieces of any size; whole frames out."""

    def __init__(self, line_bytes: int = LINE_BYTES, payload_bytes: int = PAYLOAD_BYTES) -> None:
        self._buffer = bytearray()
        self._head: Frame | None = None
        self._scanned = 0
        self._line_bytes = line_bytes
        self._payload_bytes = payload_bytes

    @property
    def in_mid_frame(self) -> bool:
        """Whether part of a frame has come and the rest has not."""
        return self._head is not None or bool(self._buffer)

    def reset(self) -> None:
        """Forget what has come of an unfinished frame."""
        self._buffer.clear()
        self._head = None
        self._scanned = 0

    def feed(self, data: bytes) -> Iterator[tuple[Frame, bytes]]:
        """The frames that `data` completes, each with its payload (empty where it has none).

        Raises `WireError` for a line that is too long, is not a JSON object or announces an absurd payload.
        """
        self._buffer += data
        while True:
            if self._head is None and not self._take_head():
                return
            head = self._head
            assert head is not None  # noqa: S101  # narrows the type: _take_head has just set it
            size = head.get("n", 0)
            if len(self._buffer) < size:
                return
            with memoryview(self._buffer) as come:
                payload = bytes(come[:size])
            del self._buffer[:size]
            self._head = None
            yield head, payload

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            if self._scanned > self._line_bytes:
                raise WireError(f"a line of more than {self._line_bytes} bytes")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        if len(line) > self._line_bytes:
            raise WireError(f"a line of {len(line)} bytes")
        try:
            head = _decoded(line.decode())
        except (ValueError, RecursionError) as error:
            raise WireError("a line that is not JSON") from error
        if not isinstance(head, dict):
            raise WireError("a line that is not an object")
        size = head.get("n", 0)
        if type(size) is not int or not 0 <= size <= self._payload_bytes:
            raise WireError(f"a payload of {str(size)[:20]} bytes")
        self._head = head
        return True
