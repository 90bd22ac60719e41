"""Memory by large and by small steps, and where it does not belong to a process."""

from tests.sandbox.hostile.case import LOST, OK, OUT_OF_MEMORY, RAISED, TIMED_OUT, Case

STARVED = {"ends": OUT_OF_MEMORY, "gvisor": LOST, "slow": True}
CLEAR = "import glob, os\nfor f in glob.glob('/tmp/big*') + glob.glob('/dev/shm/big*'): os.remove(f)"

CASES = [
    Case(
        "one-large-array",
        """
import numpy
numpy.ones(10**14)
""",
        OUT_OF_MEMORY,
        keeps=True,
    ),
    Case(
        "one-large-string",
        "'x' * 10**13",
        OUT_OF_MEMORY,
        # It hands out ten terabytes, and ends when they are written to.
        gvisor=LOST,
        keeps=True,
    ),
    Case(
        "arrays",
        """
import numpy
a = []
while True: a.append(numpy.ones(2_000_000))
""",
        keeps=False,
        **STARVED,
    ),
    Case(
        "bytes",
        """
a = []
while True: a.append(bytes(range(256)) * 400)
""",
        keeps=False,
        **STARVED,
    ),
    Case(
        "one-growing-string",
        """
s = b'x'
while True: s += s
""",
        keeps=None,
        **STARVED,
    ),
    Case(
        "many-small-objects",
        """
a = []
while True: a.append([bytes(500)])
""",
        seconds=30,
        keeps=False,
        **STARVED,
    ),
    Case(
        "mapped",
        """
import mmap
a = []
while True:
  m = mmap.mmap(-1, 2**24, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
  m.write(b'x' * 2**24); a.append(m)
""",
        keeps=False,
        **STARVED,
    ),
    Case(
        "mapped-and-shared",
        """
import mmap
a = []
while True:
  m = mmap.mmap(-1, 2**24); m.write(b'x' * 2**24); a.append(m)
""",
        keeps=False,
        **STARVED,
    ),
    Case(
        "file-in-memory",
        """
import os
f = os.memfd_create('x')
while True: os.write(f, b'x' * 2**20)
""",
        OUT_OF_MEMORY | RAISED,
        gvisor=LOST,
        slow=True,
    ),
    Case(
        # 64 MB each, and the rest of the memory is for processes.
        "all-that-is-in-memory",
        """
for place in ("/tmp/big", "/dev/shm/big", "/workspace/big"):
    try:
        with open(place, "wb") as file:
            while True: file.write(bytes(2**20))
    except OSError as error: print(error.strerror)
import os; os.remove("/workspace/big")
a = []
while True: a.append(bytes(range(256)) * 40000)
""",
        tidies=CLEAR,
        keeps=False,
        **STARVED,
    ),
    Case(
        "segments-that-outlive-everybody",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
made = 0
for _ in range(10):
    number = libc.shmget(0, 2**26, 0o1600)
    if number < 0: break
    made += 1
    place = libc.shmat(number, None, 0)
    ctypes.memset(place, 1, 2**26)
print("made", made)
""",
        text="^made 0$",
        keeps=True,
    ),
    Case(
        "queues-that-outlive-everybody",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(sum(libc.msgget(0, 0o1600) >= 0 for _ in range(1000)), sum(libc.semget(0, 100, 0o1600) >= 0 for _ in range(1000)))
""",
        text="^0 0$",
        keeps=True,
    ),
    Case(
        "files-without-content",
        """
import os
made = 0
try:
    for folder in ("/tmp", "/dev/shm"):
        os.mkdir(f"{folder}/big")
        for made in range(40_000): os.close(os.open(f"{folder}/big/{made}", os.O_CREAT))
except OSError as error: print(error.strerror)
print("few")
""",
        text="No space left on device\nfew",
        gvisor=LOST | TIMED_OUT,
        gvisor_text="few",
        seconds=20,
        tidies="import shutil; shutil.rmtree('/tmp/big', True); shutil.rmtree('/dev/shm/big', True)",
        keeps=True,
        slow=True,
    ),
    Case(
        "in-a-subprocess",
        r"""
import subprocess, sys
print(subprocess.run([sys.executable, '-c', 'a = []\nwhile 1: a.append(bytearray(20_000_000))']).returncode)
""",
        text="^-9$",
        note="because memory ran out",
        keeps=True,
        gvisor=LOST | OUT_OF_MEMORY | RAISED,
        slow=True,
    ),
    Case(
        # Each smaller than process 1, none more likely to be chosen than it.
        "in-many-processes",
        """
import os, time
for _ in range(60):
    if os.fork() == 0:
        try: open("/proc/self/oom_score_adj", "w").write("500")
        except OSError: pass
        kept = [bytearray(b"x" * 2**20) for _ in range(30)]
        time.sleep(1000)
time.sleep(3)
""",
        OK | OUT_OF_MEMORY | RAISED,
        gvisor=LOST,
        slow=True,
    ),
    Case(
        "deep-recursion",
        """
import sys
sys.setrecursionlimit(10**9)
def f(): f()
f()
""",
        RAISED | OUT_OF_MEMORY,
        gvisor=LOST,
    ),
    Case(
        "pipes",
        """
import os, fcntl
made = []
try:
    while True:
        pair = os.pipe(); made.append(pair)
        try: fcntl.fcntl(pair[1], 1031, 2**20)
        except OSError: pass
        os.set_blocking(pair[1], False)
        try:
            while True: os.write(pair[1], bytes(65536))
        except BlockingIOError: pass
except OSError as error: print(error.strerror)
for pair in made: os.close(pair[0]), os.close(pair[1])
""",
        OK | OUT_OF_MEMORY,
        gvisor=LOST | TIMED_OUT,
        slow=True,
    ),
]
