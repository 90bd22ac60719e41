"""Where a box begins: process 1 loads what cells will need, then listens.

`PLOTLINE_PRELOAD` says what to load: `charts` for a box that is kept ready, else only what every cell needs.
`PLOTLINE_IDLE_SECONDS` says when to end without a host. `PLOTLINE_NETWORK` is set where some hosts may be reached.
"""

import contextlib
import fcntl
import gc
import os
import shutil
import signal
import sys
from pathlib import Path

from sandbox.guest import processes, seccomp
from sandbox.guest.jobs import packages
from sandbox.guest.link import Link
from sandbox.guest.preload import preload
from sandbox.guest.relay import Relay
from sandbox.guest.supervisor import Supervisor
from sandbox.guest.workspace import Workspace

FONT_CACHE = Path("/opt/plotline/mpl")
PIPE_BYTES = 1024 * 1024
"""A file that comes or goes then wakes the other side less often."""
HIGH = 100
"""Descriptors from here on are the host's."""


def main() -> None:
    processes.make_untouchable()
    # A descriptor can be made to send some of them: gVisor ends process 1 for it.
    for number in processes.IGNORED:
        signal.signal(number, signal.SIG_IGN)
    reading, writing = _host_streams()
    seccomp.apply()
    _prepare_home()
    preload(os.environ.pop("PLOTLINE_PRELOAD", ""))
    idle_seconds = float(os.environ.pop("PLOTLINE_IDLE_SECONDS", "600"))
    if len(os.listdir("/proc/self/task")) != 1:
        raise SystemExit("something that was loaded has started a thread: nothing may be forked from here")
    gc.collect()
    gc.freeze()
    link = Link(reading, writing)
    relay = None
    if os.environ.pop("PLOTLINE_NETWORK", ""):
        relay = Relay(link)
        os.environ |= {
            "PYTHONPATH": str(packages.site()),
            "PATH": f"{os.environ['PATH']}:{packages.PREFIX}/bin",
        }
    Supervisor(link, Workspace(Path("/workspace")), idle_seconds, relay).run()


def _host_streams() -> tuple[int, int]:
    """Standard input and output, moved to where nothing of Python writes; output then goes to the container's log."""
    reading = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, HIGH)
    writing = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, HIGH)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    for stream in (reading, writing):
        with contextlib.suppress(OSError):
            fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reading, writing


def _prepare_home() -> None:
    """Matplotlib wants to write beside its cache of fonts, which lies in a part of the image that cannot be written."""
    here = Path(os.environ.get("MPLCONFIGDIR", ""))
    if FONT_CACHE.is_dir() and here.is_absolute() and not here.exists():
        shutil.copytree(FONT_CACHE, here)


if __name__ == "__main__":
    try:
        main()
    finally:
        # Without waiting for anything that somebody may have registered.
        sys.stderr.flush()
        os._exit(0)
