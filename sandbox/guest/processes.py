"""The other processes of this box, as process 1 sees and ends them."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

ROUNDS = 200
"""Something that forks faster than it is killed is killed again and again: in the end it finds no moment to fork."""
CROWDED = 0.75
"""Of all processes and threads that a box may have."""
KILLED_FIRST = "900"
"""Of 1000; the container as a whole has 500."""
IGNORED = signal.valid_signals() - {
    *(signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD),
    # What goes wrong in process 1 itself should show.
    *(
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGABRT,
        signal.SIGSYS,
        signal.SIGTRAP,
    ),
}
"""By process 1: nobody has to tell it anything in that way."""
COUNTED_BYTES = 4096
_PROC = Path("/proc")
_COUNTERS = Path("/sys/fs/cgroup")
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def others(but: Collection[int] = ()) -> list[int]:
    """All but process 1 and `but`, those that have ended and were not waited for left out."""
    numbers = (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())
    return [number for number in numbers if number != 1 and number not in but and not _is_over(number)]


def is_crowded() -> bool:
    """Whether threads, or processes that nobody waits for, leave little room for new ones, as far as can be seen."""
    most, now = _counted("pids.max", "pids/pids.max"), _counted("pids.current", "pids/pids.current")
    return most is not None and now is not None and now > most * CROWDED


def kill_others(but: Collection[int]) -> bool:
    """Whether none is left but these."""
    for _ in range(ROUNDS):
        found = others(but)
        if not found:
            return True
        for number in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.002)
    return False


def kill_all() -> dict[int, int]:
    """Every process but this one, waited for. Status by process."""
    ended: dict[int, int] = {}
    for _ in range(10 * ROUNDS):
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        ended |= dict(reap())
        if not _has_children():
            break
        time.sleep(0.002)
    return ended


def stop_all() -> None:
    """They use no processor until `continue_all`."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGSTOP)


def continue_all() -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGCONT)


def reap() -> Iterator[tuple[int, int]]:
    """Children that have ended, with their status; adopted orphans among them."""
    while True:
        try:
            number, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not number:
            return
        yield number, status


def make_killable() -> None:
    """This process dies before process 1 does when memory runs out, and its files in /proc are its own again."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(KILLED_FIRST)


def make_untouchable() -> None:
    """Nobody of the same user may look into this process or take its descriptors."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def oom_kills() -> int:
    """How often the kernel has ended a process of this box for want of memory, as far as can be seen."""
    for line in _said("memory.events", "memory/memory.oom_control").splitlines():
        name, _, count = line.partition(b" ")
        if name == b"oom_kill":
            return int(count)
    return 0


def is_alive(child: int) -> bool:
    """Whether this child has not ended, though perhaps nobody has waited for it."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def memory_bytes() -> int | None:
    """What the box uses, as far as can be seen."""
    return _counted("memory.current", "memory/memory.usage_in_bytes")


def ended_how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _counted(*names: str) -> int | None:
    """The number in it; None where there is no bound, or nothing to be seen."""
    with contextlib.suppress(ValueError):
        return int(_said(*names))
    return None


def _said(*names: str) -> bytes:
    """What the first of these files says now that there is, of those in which the kernel counts; else nothing."""
    descriptor = _opened(names)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            return os.pread(descriptor, COUNTED_BYTES, 0)
    return b""


@cache
def _opened(names: tuple[str, ...]) -> int | None:
    """For good: they are read after each cell, and finding one takes longer than reading it."""
    for name in names:
        with contextlib.suppress(OSError):
            return os.open(_COUNTERS / name, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _has_children() -> bool:
    try:
        # WNOWAIT: only looks.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _is_over(number: int) -> bool:
    try:
        stat = (_PROC / str(number) / "stat").read_bytes()
    except OSError:
        return True
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] in {b"Z", b"X"}
