"""Disk, names, links, and what lies where a file is expected. What the host does with names is in test_names."""

from bot.execution import Execution
from sandbox.session import BoxSession
from tests.sandbox.hostile.case import LOST, OK, RAISED, TIMED_OUT, Case

CLEAR = (
    "import os, shutil\nfor n in os.listdir('/workspace'):\n  if n not in ('put.txt', 'made.txt'):\n"
    "    p = '/workspace/' + n\n    shutil.rmtree(p) if os.path.isdir(p) and not os.path.islink(p) else os.remove(p)"
)
PASSWD = "root:"


async def _nothing_of_the_system(_: BoxSession, done: Execution) -> None:
    for artifact in done.artifacts:
        assert b"root:" not in artifact.path.read_bytes()
    assert not any(artifact.workspace_name == "link.txt" for artifact in done.artifacts)


async def _pages_are_files(_: BoxSession, done: Execution) -> None:
    kinds = {artifact.name: artifact.media_type for artifact in done.artifacts}
    assert kinds == {
        "page.html": "text/html",
        "chart.svg": "image/svg+xml",
        "really.png": "text/plain",
        "really.jpg": "text/plain",
        "chart.html": "text/html",
        "chart (2).svg": "image/svg+xml",
    }
    assert not any(artifact.is_image for artifact in done.artifacts)


async def _no_artifacts(_: BoxSession, done: Execution) -> None:
    assert done.artifacts == ()


async def _few_names(_: BoxSession, done: Execution) -> None:
    assert len(done.artifacts) + sum(len(note) for note in done.notes) < 30_000


CASES = [
    Case(
        "disk-by-size",
        """
with open('big', 'wb') as f:
  while True: f.write(bytes(2**20))
""",
        RAISED,
        text="No space left on device",
        tidies=CLEAR,
        keeps=True,
    ),
    Case(
        "disk-by-inodes",
        """
import os
for n in range(22_000): os.close(os.open(f'.{n}', os.O_CREAT))
""",
        RAISED,
        text="No space left on device",
        # It has no bound on them but memory: not all are looked at then.
        gvisor=OK | LOST | TIMED_OUT,
        seconds=20,
        tidies=CLEAR,
        keeps=True,
        slow=True,
    ),
    Case(
        "disk-by-directories",
        """
import os
for n in range(22_000): os.mkdir(str(n))
""",
        RAISED,
        text="No space left on device",
        # It has no bound on them but memory: not all are looked at then.
        gvisor=OK | LOST | TIMED_OUT,
        seconds=20,
        tidies=CLEAR,
        keeps=True,
        slow=True,
    ),
    Case(
        "many-files-for-people",
        "for n in range(3000): open(f'{n}.txt', 'w').write(str(n))",
        seconds=60,
        tidies=CLEAR,
        keeps=True,
        slow=True,
        after=_few_names,
    ),
    Case(
        "sparse",
        """
open('a', 'w').truncate(2**30)
try: open('b', 'w').truncate(2**40)
except OSError as e: print(e.strerror)
""",
        text="File too large",
        note="Too large or too many to be kept and sent to people: a",
        tidies=CLEAR,
        keeps=True,
    ),
    Case(
        # None is as large as all together may be; read, they are ten times that.
        "sparse-many",
        "for n in range(10): open(str(n), 'w').truncate(60 * 2**20)",
        note="Too large or too many",
        seconds=20,
        tidies=CLEAR,
        keeps=True,
        slow=True,
    ),
    Case(
        "one-file-with-many-names",
        """
import os
open('a', 'wb').write(bytes(20 * 2**20))
for n in range(500): os.link('a', f'b{n}')
""",
        note="Too large or too many",
        seconds=20,
        tidies=CLEAR,
        keeps=True,
        slow=True,
    ),
    Case(
        "deep-directories",
        """
import os
for n in range(3000):
    os.mkdir("d" * 20)
    os.chdir("d" * 20)
open("bottom", "w").close()
os.chdir("/workspace")
""",
        note="Not every file",
        keeps=True,
    ),
    Case(
        "links-out",
        """
import os
os.symlink("/etc/passwd", "link.txt"); os.symlink("/proc/1/environ", "env.txt"); os.symlink("/", "root")
os.symlink("loop", "loop"); os.symlink("/workspace", "again"); os.symlink("/dev/zero", "zero")
""",
        tidies="",
        keeps=True,
        after=_no_artifacts,
    ),
    Case(
        # The list is made, then the file is a link; and the other way round.
        "file-that-becomes-a-link",
        """
import os, threading
def swap():
    while True:
        try:
            open("x", "w").write("mine"); os.rename("x", "link.txt")
            os.symlink("/etc/passwd", "y"); os.rename("y", "link.txt")
        except OSError: pass
threading.Thread(target=swap, daemon=True).start()
for n in range(200): open(f"f{n}.txt", "w").write(str(n))
""",
        OK,
        tidies="",
    ),
    Case(
        "directory-that-becomes-a-link",
        """
import os, threading
os.makedirs("real"); open("real/passwd", "w").write("mine")
def swap():
    while True:
        try:
            os.rename("real", "aside"); os.symlink("/etc", "real"); os.remove("real"); os.rename("aside", "real")
        except OSError: pass
threading.Thread(target=swap, daemon=True).start()
for n in range(200): open(f"f{n}.txt", "w").write(str(n))
""",
        after=_nothing_of_the_system,
    ),
    Case(
        "pipes-sockets-devices",
        """
import os, socket
os.mkfifo("fifo.csv"); socket.socket(socket.AF_UNIX).bind("socket.csv")
for kind in (0o20666, 0o60666):
    try: os.mknod("device", kind, os.makedev(1, 5)); print("MADE")
    except OSError as error: print(error.strerror)
""",
        text="^Operation not permitted\nOperation not permitted\n$",
        keeps=True,
        after=_no_artifacts,
    ),
    Case(
        "file-that-grows-while-it-is-read",
        """
import threading
def grow():
    while True:
        with open("log.txt", "ab") as file:
            file.write(b"x" * 100_000)
            if file.tell() > 30_000_000: file.truncate(0)
threading.Thread(target=grow, daemon=True).start()
import time; time.sleep(0.3)
""",
        tidies="",
    ),
    Case(
        "file-that-nobody-may-open-at-once",
        """
import fcntl
f = open('leased.txt', 'w'); f.write('x'); f.close()
f = open('leased.txt'); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK) if False else None
import signal; signal.signal(signal.SIGIO, signal.SIG_IGN)
import os; fd = os.open('leased.txt', os.O_RDWR)
try: f.close(); fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError as e: print(e.strerror)
""",
        keeps=True,
    ),
    Case("workspace-closed-to-all", "import os; os.chmod('/workspace', 0)", keeps=True),
    Case(
        "directories-closed-to-all",
        """
import os
os.makedirs('a/b'); open('a/b/c', 'w').close(); os.chmod('a/b', 0); os.chmod('a', 0); os.umask(0o777)
open('unreadable.csv', 'w').close()
""",
        note="",
        tidies="import os; os.umask(0o022); os.chmod('/workspace/a', 0o700); os.chmod('/workspace/a/b', 0o700)",
        keeps=True,
    ),
    Case(
        "workspace-emptied-from-below",
        """
import os, shutil
os.makedirs('d/e'); os.chdir('d/e'); shutil.rmtree('/workspace/d')
try: os.rmdir('/workspace')
except OSError as e: print(e.strerror)
""",
        keeps=True,
        tidies="import os; os.chdir('/workspace')",
    ),
    Case(
        "names",
        r"""
import os
made = 0
names = [
    b"n" * 255, "ä".encode() * 127, b"new\nline", b"\x1b[31mred", b"\xff\xfe\xed\xa0\x80", b" ", b"...", b"-rf",
    b"CON.txt", b"a\\b", "\u202egnp.exe".encode(), b'"quoted"', b"<script>.html", b"$(id)", b"{x}", b"\x01\x7f",
]
for name in names:
    open(os.path.join(b"/workspace", name), "wb").write(name); made += 1
deep = b"/".join([b"d" * 250] * 6)
os.makedirs(deep); open(deep + b"/file", "w").close()
print(made)
""",
        text="^16$",
        note="Not every file",
        keeps=True,
    ),
    Case(
        "html-and-svg",
        """
script = "<script>fetch('http://169.254.169.254')</script>"
open("page.html", "w").write(f"<!doctype html><html>{script}")
open("chart.svg", "w").write(f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>{script}</svg>")
open("really.png", "w").write(f"<html>{script}"); open("really.jpg", "w").write(f"<svg>{script}")
from IPython.display import HTML, SVG
display(HTML(f"<p>{script}")); display(SVG(f"<svg xmlns='http://www.w3.org/2000/svg'>{script}</svg>"))
display({"image/png": f"<svg>{script}".encode()}, raw=True)
""",
        keeps=True,
        after=_pages_are_files,
    ),
    Case(
        "half-a-file-of-the-hosts",
        """
import os, threading
def swap():
    while True:
        for name in os.listdir("/workspace"):
            if "incoming" in name:
                try: os.remove("/workspace/" + name); os.symlink("/etc/passwd", "/workspace/" + name)
                except OSError: pass
threading.Thread(target=swap, daemon=True).start()
""",
    ),
    Case(
        "saved-variables-of-its-own",
        "open('/workspace/.plotline-variables', 'wb').write(b'\\xff' * 100)",
        keeps=True,
    ),
    Case(
        "writing-for-ever",
        "while True: open('f.txt', 'w').write('x' * 10**6)",
        TIMED_OUT,
        seconds=1,
        keeps=True,
    ),
]
