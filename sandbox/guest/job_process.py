"""A job in a child of its own: look at a file, and answer with bytes. See `sandbox.guest.jobs`."""

import contextlib
import importlib
import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sandbox.guest.kernel_process import STANDARD_ERROR, forget_descriptors, reset_signals
from sandbox.guest.processes import make_killable

READ_BYTES = 1024 * 1024
DETAIL_CHARACTERS = 300
_OK, _FAILED = b"+", b"-"


@dataclass(slots=True)
class JobProcess:
    """Its answer is a sign and then bytes: the output, or what went wrong."""

    id: int
    name: str
    args: dict[str, Any]
    payload: bytes
    deadline: float
    """On the monotonic clock."""
    max_bytes: int
    pid: int = field(init=False)
    output: int = field(init=False)
    """A descriptor to read from."""
    status: str | None = field(default=None, init=False)
    """`timed_out` or `too_large` once it is killed for that."""
    _answer: bytearray = field(default_factory=bytearray, init=False)

    def start(self) -> None:
        """Raises `OSError` where there is no room for a process."""
        self.output, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.output, False)
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self.output)
            os.close(writing)
            raise
        if self.pid == 0:
            _do_job(self.name, self.args, self.payload, writing)
        os.close(writing)
        self.payload = b""

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def read(self) -> None:
        while True:
            try:
                data = os.read(self.output, READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                return
            self._answer += data
            if len(self._answer) > self.max_bytes + 1:
                # Whoever else holds its pipe may write without end.
                self.kill("too_large")
                self._answer.clear()
                return

    def kill(self, status: str) -> None:
        self.status = self.status or status
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> tuple[dict[str, object], bytes]:
        """The frame for the host, once the process is gone."""
        self.read()
        os.close(self.output)
        sign, rest = bytes(self._answer[:1]), bytes(self._answer[1:])
        status = self.status or ("ok" if sign == _OK else "failed")
        detail = "" if status == "ok" else rest[: 4 * DETAIL_CHARACTERS].decode("utf-8", "replace")
        frame = {"ev": "job_done", "id": self.id, "status": status, "detail": detail[:DETAIL_CHARACTERS]}
        return frame, rest if status == "ok" else b""


def _close_standard() -> None:
    """What process 1 writes there, the host reads: it is nothing for the libraries of jobs."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(STANDARD_ERROR + 1):
        os.dup2(nothing, standard)
    os.close(nothing)


def _do_job(name: str, args: dict[str, Any], payload: bytes, writing: int) -> NoReturn:
    try:
        reset_signals()
        forget_descriptors(writing)
        _close_standard()
        os.setsid()
        # Its descriptors are open to all processes of the box from now on.
        make_killable()
        with open(writing, "wb") as answer:
            try:
                job = importlib.import_module(f"sandbox.guest.jobs.{name}")
                answer.write(_OK + job.run(args, payload))
            except Exception as error:  # decoders of strangers' files raise anything
                answer.write(_FAILED + f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
    finally:
        os._exit(0)
