"""Loops, signals, forks and threads."""

from bot.execution import Execution
from sandbox.session import BoxSession
from tests.sandbox.hostile.case import LOST, OK, OUT_OF_MEMORY, RAISED, TIMED_OUT, Case


async def _a_job_can_be_done(session: BoxSession, _: Execution) -> None:
    profile = await session.profile("put.txt")
    assert profile.kind == "text", profile.text


FORK = "import os, signal, subprocess, sys, threading, time\n"

CASES = [
    Case("loop", "while True: pass", TIMED_OUT, seconds=0.5, keeps=True),
    Case(
        "loop-in-sleep",
        """
import time
while True: time.sleep(1000)
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=True,
    ),
    Case(
        "loop-in-await",
        """
import asyncio
await asyncio.Event().wait()
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=True,
    ),
    Case(
        "loop-in-a-subprocess",
        "!while :; do :; done",
        TIMED_OUT,
        seconds=0.5,
        keeps=True,
    ),
    Case(
        "loop-in-c",
        """
import itertools
sum(itertools.repeat(0))
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=False,
    ),
    Case(
        "loop-that-catches-everything",
        """
while True:
  try:
    while True: pass
  except BaseException: pass
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=False,
    ),
    Case(
        "loop-with-signals-ignored",
        FORK
        + """
for n in range(1, 64):
  try: signal.signal(n, signal.SIG_IGN)
  except (OSError, ValueError): pass
while True: pass
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=False,
    ),
    Case(
        "loop-with-signals-blocked",
        FORK
        + """
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
while True: pass
""",
        TIMED_OUT,
        seconds=0.5,
        keeps=False,
    ),
    Case(
        # Not asked again: the next cell must be one that a person can stop.
        "signals-blocked-for-later",
        FORK + "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); signal.signal(2, signal.SIG_IGN)",
        keeps=True,
    ),
    Case(
        "stopped-by-itself",
        FORK + "os.kill(os.getpid(), signal.SIGSTOP)",
        TIMED_OUT,
        seconds=0.5,
        keeps=False,
    ),
    Case("deep-wait", FORK + "os.waitpid(-1, 0) if os.fork() else time.sleep(1000)", TIMED_OUT, seconds=0.5),
    Case(
        "fork-bomb",
        FORK + "while True: os.fork()",
        RAISED | OK | TIMED_OUT | OUT_OF_MEMORY,
        gvisor=LOST,
        seconds=3,
        slow=True,
    ),
    Case(
        "fork-bomb-that-never-fails",
        FORK
        + """
while True:
  try: os.fork()
  except OSError: pass
""",
        TIMED_OUT,
        gvisor=LOST | RAISED,
        seconds=2,
        slow=True,
    ),
    Case(
        "fork-bomb-in-a-shell",
        "!bomb() { bomb | bomb & }; bomb",
        OK | TIMED_OUT | RAISED,
        gvisor=LOST,
        noisy=True,
        left=32,
        seconds=3,
        slow=True,
    ),
    Case(
        # Each of them starts the next one and ends: whoever is killed has gone already.
        "fork-bomb-that-runs-away",
        FORK
        + """
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                if os.fork(): os._exit(0)
            except OSError: pass
time.sleep(1)
""",
        OK | RAISED,
        gvisor=LOST | TIMED_OUT,
        left=32,
        slow=True,
    ),
    Case(
        "fork-bomb-after-the-cell",
        FORK
        + """
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    while True:
        try: os.fork()
        except OSError: pass
""",
        gvisor=LOST,
        left=512,
        slow=True,
    ),
    Case(
        "leftovers-few",
        FORK + "for _ in range(5): subprocess.Popen(['sleep', '1000'], start_new_session=True)",
        keeps=True,
        left=5,
    ),
    Case(
        "leftovers-many",
        FORK + "for _ in range(60): subprocess.Popen(['sleep', '1000'], start_new_session=True)",
        keeps=True,
        note=r"^60 processes that the code left running were ended\.$",
    ),
    Case(
        "leftovers-that-are-dead",
        FORK
        + """
for _ in range(100):
  if os.fork() == 0: os._exit(0)
""",
        gvisor=RAISED | LOST,
        after=_a_job_can_be_done,
    ),
    Case(
        "leftover-that-kills-everybody",
        FORK
        + """
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(0.05)
        os.kill(-1, signal.SIGKILL)
time.sleep(1)
""",
        RAISED,
        text="signal SIGKILL",
        keeps=False,
    ),
    Case(
        "leftover-that-stops-everybody",
        FORK
        + """
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(0.05)
        os.kill(-1, signal.SIGSTOP)
time.sleep(100)
""",
        TIMED_OUT,
        seconds=1,
        keeps=False,
    ),
    Case(
        "thread-bomb",
        FORK + "while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
        RAISED,
        gvisor=LOST | TIMED_OUT,
        text="can't start new thread",
        after=_a_job_can_be_done,
        slow=True,
    ),
    Case(
        "threads-that-spin-on",
        FORK
        + """
def spin():
  while True: pass
for _ in range(20): threading.Thread(target=spin, daemon=True).start()
""",
    ),
    Case("kill-all", "!kill -9 -1", RAISED, text="signal SIGKILL", keeps=False),
    Case("kill-all-others", FORK + "subprocess.Popen(['sleep', '1000']); os.kill(-1, 9)", keeps=True),
    Case(
        "kill-oneself",
        FORK + "os.kill(0, 9)",
        RAISED,
        text="Python ended itself: signal SIGKILL",
        keeps=False,
    ),
    Case(
        "kill-process-1",
        FORK
        + """
for number in range(1, 65):
    try: os.kill(1, number)
    except (OSError, ValueError) as error: print(number, error)
time.sleep(0.2)
print(os.listdir("/proc/1/task"))
""",
        text=r"\['1'\]\n$",
        keeps=True,
    ),
    Case(
        "kill-process-1-again-and-again",
        FORK
        + """
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for number in (signal.SIGCHLD, signal.SIGCONT, signal.SIGSEGV, signal.SIGALRM, signal.SIGIO, signal.SIGRTMIN):
        try: os.kill(1, number)
        except PermissionError: pass
""",
        keeps=True,
    ),
    Case("exit", "import sys; sys.exit(3)", RAISED, keeps=True),
    Case("exit-at-once", FORK + "os._exit(0)", RAISED, text="Python ended itself: exit code 0", keeps=False),
    Case("abort", FORK + "os.abort()", RAISED, text="signal SIGABRT", keeps=False),
    Case(
        "segfault",
        "import ctypes; ctypes.string_at(0)",
        RAISED,
        text="signal SIGSEGV",
        keeps=False,
    ),
    Case(
        "segfault-in-every-child",
        FORK
        + """
import ctypes
for _ in range(30):
  if os.fork() == 0: ctypes.string_at(0)
while True:
  try: os.wait()
  except ChildProcessError: break
""",
        keeps=True,
    ),
    Case(
        "limits-of-its-own",
        """
import resource as r
r.setrlimit(r.RLIMIT_NOFILE, (0, 0)); r.setrlimit(r.RLIMIT_FSIZE, (0, 0))
""",
    ),
    Case(
        "processor-limit-of-its-own",
        """
import resource as r
r.setrlimit(r.RLIMIT_CPU, (1, 1))
while True: pass
""",
        RAISED,
        gvisor=TIMED_OUT,
        seconds=5,
        keeps=False,
        slow=True,
    ),
    Case(
        "children-that-speak-for-the-kernel",
        """
import os
for _ in range(3): os.fork()
print(end='')
""",
        keeps=True,
    ),
]
