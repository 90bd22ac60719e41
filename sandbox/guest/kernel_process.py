"""The kernel as process 1 sees it: a child that may say and do anything."""

import contextlib
import fcntl
import mmap
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from typing import NoReturn

from sandbox.guest import processes
from sandbox.guest.marks import mark, unmarked
from sandbox.guest.outgoing import Outgoing
from sandbox.wire import Decoder, Frame, WireError, encode

LINE_BYTES = 3 * 1024 * 1024
"""Two lists of a thousand names fit, in any script."""
DISPLAY_BYTES = 32 * 1024 * 1024
READ_BYTES = 1024 * 1024
DRAINED_BYTES = 16 * READ_BYTES
"""At once, so that a flood does not keep us from everything else."""
HELD_BACK_BYTES = 64 * 1024
MOST_MARKS = 10**12
PIPE_BYTES = 1024 * 1024
STANDARD_ERROR = 2
CUT_OFF = 98
"""The exit code of a kernel whose connection was closed from within."""
BROKEN = 97
"""The exit code of a kernel that can run no more cells, whatever a cell has done to its Python."""
COMPLAINT_CHARACTERS = 300
REQUEST_CHARACTERS = 16
_F_SETPIPE_SZ = 1031


class KernelProcess:
    def __init__(self, number: int) -> None:
        """Forks. Of our descriptors the child keeps none but those that it needs."""
        self.number = number
        self.is_up = False
        self._was_cut_off = False
        self.names: list[str] = []
        """Of variables, as it said last."""
        ours, theirs = socket.socketpair()
        self.output, writing = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.output, _F_SETPIPE_SZ, PIPE_BYTES)
        self._begun = mmap.mmap(-1, REQUEST_CHARACTERS)
        """Shared with it: that it begins with something wakes nobody."""
        self._request = ""
        self.pid = os.fork()
        if self.pid == 0:
            _become_kernel(theirs, writing, self._begun, is_first=number == 1)
        theirs.close()
        os.close(writing)
        os.set_blocking(self.output, False)
        self._control = ours
        self.to_kernel = Outgoing(ours.fileno())
        self._decoder = Decoder(LINE_BYTES, DISPLAY_BYTES)
        self._text = bytearray()
        self._next_mark = 1

    @property
    def control(self) -> int:
        return self._control.fileno()

    def request(self, frame: Frame, payload: bytes) -> None:
        """It answers with frames that carry the cell of this one, the last of them `done`."""
        # Code that ran before cannot say beforehand that it has begun with this one.
        self._request = secrets.token_hex(REQUEST_CHARACTERS // 2)
        self.to_kernel.send(encode({**frame, "request": self._request}, payload))

    @property
    def has_begun(self) -> bool:
        """With the last request, as it says itself: from then on, nobody knows what was run of it."""
        return self._begun[:] == self._request.encode()

    def interrupt(self) -> None:
        """The kernel and what it started in its own group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def cut_off(self) -> None:
        """End it, unless it is ending by itself: its connection is of no use any more."""
        self._was_cut_off = self._was_cut_off or processes.is_alive(self.pid)
        self.kill()

    def ended_how(self, status: int) -> str:
        by_us = self._was_cut_off and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if by_us or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == CUT_OFF):
            return "its connection was closed or misused"
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == BROKEN:
            return "the code broke its interpreter"
        return processes.ended_how(status)

    def received(self) -> Iterator[tuple[Frame, bytes]]:
        """What it said by now. Raises `WireError` once it is of no use: it said nonsense, or nothing more can come."""
        try:
            data = self._control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise WireError("its connection broke") from error
        if not data:
            raise WireError("it closed its connection")
        yield from self._decoder.feed(data)

    def written(self) -> bytes:
        """What was written by now to its standard output, which all its children share."""
        self._read_output()
        return self._cut(len(self._text))

    def written_before(self, number: object) -> bytes:
        """Only what stands before this mark, which came with a frame."""
        self._read_output()
        if type(number) is not int or not 0 < number < MOST_MARKS:
            return self._cut(len(self._text))
        self._next_mark = number + 1
        return self._cut(self._text.find(mark(number)))

    def written_so_far(self) -> bytes:
        """Only what stands before the next mark, if there is one: its frame comes at once."""
        self._read_output()
        found = self._text.find(mark(self._next_mark))
        # Code can write such a mark as well: it only keeps its own output back, and not much of it.
        return self._cut(found if len(self._text) - found < HELD_BACK_BYTES else len(self._text))

    def _cut(self, end: int) -> bytes:
        """All of it, where the end was not found."""
        end = len(self._text) if end < 0 else end
        text = bytes(self._text[:end])
        del self._text[:end]
        return unmarked(text)

    def _read_output(self) -> None:
        while len(self._text) < DRAINED_BYTES:
            try:
                data = os.read(self.output, READ_BYTES)
            except BlockingIOError:
                return
            self._text += data
            if len(data) < READ_BYTES:
                return

    def close(self) -> None:
        self._control.close()
        os.close(self.output)


def forget_descriptors(*kept: int) -> None:
    """In a child that has just been forked: the host's streams and whatever else is open are none of its business."""
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > STANDARD_ERROR and int(entry) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry))


def reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in {signal.SIGCHLD, *processes.IGNORED}:
        signal.signal(number, signal.SIG_DFL)
    # As in any Python: what they stand for comes as an exception.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)


def _become_kernel(control: socket.socket, writing: int, begun: mmap.mmap, *, is_first: bool) -> NoReturn:
    # Bound before any code runs, which may take them away: nothing of this child may reach what process 1 does.
    end, write = os._exit, os.write
    try:
        reset_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        forget_descriptors(control.fileno(), writing)
        from sandbox.guest import kernel  # process 1 itself never needs it

        kernel.run(control, writing, begun, is_first=is_first)
    except OSError:
        # The code has closed what we speak through.
        end(CUT_OFF)
    except BaseException as error:
        with contextlib.suppress(BaseException):
            complaint = f"{type(error).__name__}: {error}"[:COMPLAINT_CHARACTERS]
            write(writing, f"{complaint}\n".encode("utf-8", "replace"))
    finally:
        end(BROKEN)
