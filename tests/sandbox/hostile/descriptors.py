"""What is open in the kernel's process: closed, filled, replaced, read by somebody else."""

from tests.sandbox.hostile.case import LOST, OK, RAISED, TIMED_OUT, Case

ENDED = "Python ended itself: its connection was closed or misused"
FIND = """
import fcntl, os, socket, stat, sys, time
def each(kind):
    for fd in range(3, 1024):
        try:
            if kind(os.fstat(fd).st_mode): yield fd
        except OSError: pass
"""

CASES = [
    Case(
        "standard-closed",
        """
import os
os.close(1); os.close(2); os.close(0)
""",
        keeps=True,
    ),
    Case(
        "all-closed",
        """
import os
os.closerange(3, 4096)
""",
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    Case(
        "all-closed-and-a-loop",
        """
import os
os.closerange(0, 4096)
while True: pass
""",
        RAISED,
        text=ENDED,
        seconds=3,
    ),
    Case(
        "sockets-closed",
        FIND + "for fd in each(stat.S_ISSOCK): os.close(fd)",
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    # The kernel ends between this cell and the next, which says then what was lost.
    Case("pipes-closed", FIND + "for fd in each(stat.S_ISFIFO): os.close(fd)", OK, keeps=True),
    Case(
        "connection-shut",
        FIND + "for fd in each(stat.S_ISSOCK): socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)",
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    Case(
        "garbage-into-everything",
        FIND
        + r"""
for fd in each(lambda mode: True):
  try: os.set_blocking(fd, False); os.write(fd, b'\0garbage\xff\n' * 1000)
  except OSError: pass
""",
        RAISED,
        keeps=False,
    ),
    Case(
        "everything-points-elsewhere",
        FIND
        + """
null = os.open(os.devnull, os.O_RDWR)
for fd in list(each(lambda mode: True)): os.dup2(null, fd)
""",
        RAISED,
        keeps=False,
    ),
    Case(
        "connection-and-output-exchanged",
        FIND
        + """
s, p = next(each(stat.S_ISSOCK)), next(each(stat.S_ISFIFO))
os.dup2(s, 1000); os.dup2(p, s); os.dup2(1000, p)
""",
        RAISED,
        gvisor=TIMED_OUT,
        keeps=False,
    ),
    Case(
        "output-does-not-wait",
        FIND + "os.set_blocking(1, False); [os.set_blocking(fd, False) for fd in each(stat.S_ISFIFO)]",
        keeps=True,
    ),
    Case(
        "output-read-by-itself",
        FIND
        + """
import threading
f = open('/proc/self/fd/1', 'rb', buffering=0)
def steal():
  while f.read(1): pass
threading.Thread(target=steal, daemon=True).start()
time.sleep(0.2)
print('x' * 1000)
f.close()
""",
        OK | RAISED | TIMED_OUT,
        gvisor=LOST,
        seconds=3,
        noisy=True,
    ),
    Case(
        "output-of-one-page",
        FIND
        + """
fcntl.fcntl(1, 1031, 4096)
print('x' * 100_000)
""",
        text="x{1000}",
        keeps=True,
    ),
    Case(
        "output-owned-by-process-1",
        FIND + "fcntl.fcntl(1, fcntl.F_SETOWN, 1); fcntl.fcntl(1, fcntl.F_SETFL, os.O_ASYNC)",
        keeps=True,
    ),
    Case(
        "pipe-without-a-reader",
        """
import os
ours, theirs = os.pipe()
os.close(ours)
os.write(theirs, b"x")
""",
        RAISED,
        text="BrokenPipeError",
        keeps=True,
    ),
    Case(
        "none-left",
        """
import os
kept = []
try:
  while True: kept.append(os.dup(0))
except OSError as e: print(e.strerror)
""",
        text="Too many open files",
        keeps=True,
        tidies="for n in kept: os.close(n)",
    ),
    Case(
        "streams-closed",
        """
import sys
sys.stdout.close(); sys.stderr.close(); sys.__stdout__.close()
""",
        keeps=True,
    ),
    Case(
        "streams-detached",
        """
import sys
sys.stdout.detach(); sys.stderr.detach(); sys.__stdout__ = None
""",
        keeps=True,
    ),
    Case(
        "streams-deleted",
        """
import sys
del sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__, sys.stdin
""",
        OK | RAISED,
        keeps=None,
    ),
    Case(
        "streams-that-raise",
        """
import sys
class S:
  def __getattr__(self, name): raise SystemExit
  def __hash__(self): raise KeyboardInterrupt
  def __eq__(self, other): raise GeneratorExit
sys.stdout = sys.stderr = S()
""",
        OK | RAISED,
        keeps=True,
    ),
    Case(
        "streams-that-wait",
        """
import sys, time
class S:
  def write(self, text): return len(text)
  def flush(self): time.sleep(1000)
sys.stdout = sys.stderr = S()
""",
        TIMED_OUT,
        seconds=1,
    ),
    Case(
        "the-containers-own-streams",
        """
import os
found = set()
def look(pid, fd, mode):
    place = f"/proc/{pid}/fd/{fd}"
    try:
        os.close(os.open(place, mode | os.O_NONBLOCK))
        found.add((pid, fd, os.readlink(place)))
    except OSError: pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    if pid != str(os.getpid()):
        for fd in range(256): look(pid, fd, os.O_RDONLY); look(pid, fd, os.O_WRONLY)
print(sorted(found))
""",
        text=r"^\[\]$",
        seconds=20,
        # Versions before 2023 let anybody open the descriptors of others: `test_hijacking` says what comes of it.
        gvisor_text=r"^\[",
        keeps=True,
    ),
]
