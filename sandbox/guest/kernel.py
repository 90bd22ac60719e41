"""The process in which cells run: waits for one, runs it in IPython, says how it ended.

It shares its memory with whatever the cell does, so nothing it says is trusted; process 1 keeps time and measure.
"""

import builtins
import gc
import io
import mmap
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, NoReturn

from sandbox.guest import variables
from sandbox.guest.jobs import packages
from sandbox.guest.kernel_process import BROKEN
from sandbox.guest.marks import mark
from sandbox.guest.preload import draw_one
from sandbox.guest.processes import make_killable
from sandbox.guest.shell import Shell, make_shell
from sandbox.wire import Decoder, Frame, encode

OUTPUT_BUFFER = 64 * 1024
READ_BYTES = 1024 * 1024
NAMES = 1000
NAME_CHARACTERS = 100
QUIET_SECONDS = 0.002
"""After a cell, before anything is done that nobody waits for."""

# Bound before any code runs: what it does to these modules, it does to itself.
_dup2, _exit, _getpid, _set_blocking, _write = os.dup2, os._exit, os.getpid, os.set_blocking, os.write
_sigmask, _set_handler = signal.pthread_sigmask, signal.signal
_settrace, _setprofile = sys.settrace, sys.setprofile
_all, _callable, _map = all, callable, map


class Control:
    """The connection to process 1."""

    def __init__(
        self, connection: socket.socket, output: int, begun: mmap.mmap, flush: Callable[[], None]
    ) -> None:
        """`output` is where text goes, `flush` what sends it there; `begun` is shared with process 1."""
        self._begun = begun
        self._receive, self._send_all = connection.recv, connection.sendall
        self._output = output
        self._flush = flush
        self._cell: object = None
        """The name of the cell that everything is said of."""
        self._marks = 0
        self._sending = threading.Lock()
        self._process = os.getpid()
        self._decoder = Decoder()
        coming = select.poll()
        coming.register(connection, select.POLLIN)
        self._poll = coming.poll

    def begin(self, request: Frame) -> None:
        """Before anything of it is done: process 1 never asks for it again."""
        self._cell = request.get("cell")
        self._begun[:] = request["request"].encode()

    def end(self, frame: Frame) -> None:
        """Of the cell: all its text stands before this, and what is written later is the next one's."""
        with self._sending:
            self._flush()
            self._send_all(encode({"ev": "done", **frame, "cell": self._cell}))

    def send(self, frame: Frame, payload: bytes | None = None) -> None:
        """Behind all text that was written before."""
        # A child that the code forked must not speak for the kernel.
        if _getpid() == self._process:
            with self._sending, _uninterrupted():
                self._flush()
                self._marks += 1
                _write(self._output, mark(self._marks))
                self._send_all(encode({**frame, "cell": self._cell, "mark": self._marks}, payload))

    def wait(self, seconds: float) -> None:
        """Until something comes, or so long."""
        self._poll(seconds * 1000)

    def receive(self) -> tuple[Frame, bytes]:
        while True:
            for request in self._decoder.feed(self._receive(READ_BYTES) or _gone()):
                return request


def run(connection: socket.socket, writing: int, begun: mmap.mmap, *, is_first: bool) -> NoReturn:
    """`writing` becomes standard output and standard error. Nobody waits for the first kernel of a box kept ready."""
    os.setsid()
    standard = _Standard(writing)
    # Not before the container's own streams are closed here: its processes can open what a killable one has.
    make_killable()
    control = Control(connection, writing, begun, standard.flush)
    shell = make_shell(control.send)
    os.chdir("/workspace")
    # As in a notebook: modules of one's own lie in the working directory.
    sys.path.insert(0, "")
    sys.path.append(str(packages.site()))
    sys.argv = [""]
    interruptions = _Interruptions()
    essential = _Essential()
    # The first cell then finds everything as later ones do.
    shell.is_well()
    shell.display_formatter.format(None)
    if is_first:
        draw_one()
    gc.collect()
    gc.freeze()
    control.send({"ev": "up"})
    kernel = os.getpid()
    while True:
        frame, code = control.receive()
        standard.mend()
        control.begin(frame)
        try:
            with interruptions:
                ended = _do(shell, str(frame.get("kind")), code)
        except (KeyboardInterrupt, OSError):
            ended = {"ok": False}
        if _getpid() != kernel:
            standard.flush()
            _exit(0)
        _settrace(None)
        _setprofile(None)
        essential.mend_builtins()
        shell.user_ns["__builtins__"] = builtins
        control.end({**ended, "names": _cut(shell.names)})
        # Whoever waits for the cell goes first.
        control.wait(QUIET_SECONDS)
        essential.mend()
        standard.mend()
        if not shell.is_well():
            _exit(BROKEN)


def _do(shell: Shell, kind: str, code: bytes) -> dict[str, Any]:
    """Run a cell; or save the session's variables, or bring them back: see `variables`."""
    if kind == "save":
        return {"ok": True, "not_kept": _cut(variables.save(shell.user_ns, shell.user_ns_hidden))}
    if kind == "load":
        return {"ok": True, "not_kept": _cut(variables.load(shell.user_ns))}
    return shell.run(code.decode("utf-8", "replace"))


class _Standard:
    """Standard output and error are one stream, so that what is written stays in its order."""

    def __init__(self, writing: int) -> None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for good
        self._spare = writing
        os.set_inheritable(writing, False)
        self._point_there()
        self._open()

    def mend(self) -> None:
        """Whatever the last cell did to them, the next one finds them as they should be."""
        self._point_there()
        _set_blocking(self._spare, True)
        if not (_is_open(self._out) and _is_open(self._error)):
            self._open()
        for stream in (self._out, self._error):
            vars(stream).clear()
        sys.stdout, sys.stderr = self._out, self._error

    def flush(self) -> None:
        for name in ("stdout", "stderr"):
            # Closed, gone, or of the cell's own making: it may do anything.
            with suppress(BaseException):
                getattr(sys, name).flush()
        with suppress(ValueError):
            self._out.flush()

    def _point_there(self) -> None:
        _dup2(self._spare, 1)
        _dup2(self._spare, 2)

    def _open(self) -> None:
        stream = io.BufferedWriter(io.FileIO(1, "w", closefd=False), OUTPUT_BUFFER)
        self._out = io.TextIOWrapper(stream, "utf-8", "replace", line_buffering=True)
        self._error = io.TextIOWrapper(stream, "utf-8", "replace", line_buffering=True)
        for name, value in (("stdout", self._out), ("stderr", self._error)):
            setattr(sys, name, value)
            setattr(sys, f"__{name}__", value)


def _is_open(stream: io.TextIOWrapper) -> bool:
    try:
        return not stream.closed
    except ValueError:
        # It was detached from what it wrote to.
        return False


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Half a frame would be the end of this kernel."""
    before = _sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        _sigmask(signal.SIG_SETMASK, before)


class _Interruptions:
    """SIGINT raises KeyboardInterrupt while a cell runs, and does nothing else."""

    def __enter__(self) -> None:
        _sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        # Python's own: no frame of ours stands in the traceback.
        _set_handler(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        while True:
            try:
                _set_handler(signal.SIGINT, _nothing)
            except KeyboardInterrupt:
                continue
            return


class _Essential:
    """Nothing goes on without these functions: what is gone, or cannot be called any more, is put back."""

    def __init__(self) -> None:
        self._own = [
            (vars(module), {name: value for name, value in vars(module).items() if callable(value)})
            for module in (builtins, os, sys)
        ]

    def mend(self) -> None:
        for now, own in self._own:
            _mend(now, own)

    def mend_builtins(self) -> None:
        _mend(*self._own[0])


def _mend(now: dict[str, Any], own: dict[str, Any]) -> None:
    if not _all(_map(_callable, _map(now.get, own))):
        now |= {name: value for name, value in own.items() if not _callable(now.get(name))}


def _nothing(*_: object) -> None:
    """What a signal does between cells."""


def _cut(names: Iterable[str]) -> list[str]:
    """As many as are told, and as much of each."""
    return [name[:NAME_CHARACTERS] for name in islice(names, NAMES)]


def _gone() -> NoReturn:
    os._exit(0)
