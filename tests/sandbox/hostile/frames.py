"""Frames on the kernel's own connection to process 1, made by the code that runs in the kernel."""

import re

from bot.execution import Execution
from sandbox.session import BoxSession
from tests.sandbox.hostile.case import OK, RAISED, TIMED_OUT, Case

SAY = """
import json, os, stat, time
for fd in range(3, 1024):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode): break
    except OSError: pass
def raw(data):
    while data: data = data[os.write(fd, data):]
def say(ev, payload=None, **facts):
    size = {} if payload is None else {"n": len(payload)}
    raw(json.dumps({"ev": ev, **facts, **size}).encode() + b"\\n" + (payload or b""))
PNG = b"\\x89PNG\\r\\n\\x1a\\n"
"""
ENDED = "its connection was closed or misused"


async def _plain_artifacts(_: BoxSession, done: Execution) -> None:
    for artifact in done.artifacts:
        assert re.fullmatch(r"[^/\x00-\x1f\ud800-\udfff]{1,255}", artifact.name)
        assert len(artifact.alt_text) < 10_000
        assert artifact.media_type in {"image/png", "text/plain", "application/octet-stream"}


CASES = [
    Case("line-of-garbage", SAY + "raw(b'garbage\\n'); time.sleep(1)", RAISED, text=ENDED, keeps=False),
    Case("line-without-end", SAY + "raw(b'x' * 30_000_000)", RAISED, text=ENDED, keeps=False),
    Case("line-that-is-no-object", SAY + "raw(b'[1, 2]\\n'); time.sleep(1)", RAISED, text=ENDED, keeps=False),
    Case("deep-json", SAY + "raw(b'[' * 1_000_000 + b'\\n'); time.sleep(1)", RAISED, text=ENDED, keeps=False),
    Case(
        "large-number",
        SAY + "raw(b'{\"ev\": ' + b'9' * 1_000_000 + b'}\\n'); time.sleep(1)",
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    Case(
        "payload-without-end",
        SAY + 'raw(b\'{"ev": "display", "n": 1e99}\\n\'); time.sleep(1)',
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    Case(
        "payload-below-nothing",
        SAY + 'raw(b\'{"ev": "display", "n": -1}\\n\'); time.sleep(1)',
        RAISED,
        text=ENDED,
        keeps=False,
    ),
    Case(
        # What comes next is taken for its payload.
        "payload-that-does-not-come",
        SAY + 'raw(b\'{"ev": "display", "n": 30000000}\\n\')',
        TIMED_OUT,
        seconds=1,
        keeps=False,
    ),
    Case(
        "no-such-frames",
        SAY
        + """
for ev in (
    'attached', 'ready', 'pong', 'file_data', 'file_end', 'put_done', 'job_done', 'net', 'garbled', 'died', 'x', 5,
    None, [], {},
):
    say(ev, b'x', id=1, cell='c', nonce='n', epoch=10**9, status='ok', conn=1, do='open')
""",
        OK,
        keeps=True,
    ),
    Case(
        "done-before-it-is",
        SAY
        + """
print('early'); say('done', ok=True, names=['forged'])
while True: time.sleep(0.01)
""",
        OK | TIMED_OUT,
        seconds=1,
    ),
    Case(
        # It knows the name of its cell, and goes on: the next one runs in another kernel.
        "done-before-it-is-by-name",
        SAY
        + """
say("done", ok=True, cell=get_ipython().send.__self__._cell, names=["canary"])
while True: time.sleep(0.01)
""",
        next_seconds=9,
        slow=True,
    ),
    Case(
        # What really ends it comes when the next one is waiting already.
        "done-too-early-by-name",
        SAY
        + """
say("done", ok=True, cell=get_ipython().send.__self__._cell, names=["canary"])
time.sleep(1)
print("later")
""",
        noisy=True,
    ),
    Case("done-twice", SAY + "for _ in range(100): say('done', ok=True)", OK | RAISED),
    Case(
        "done-of-other-cells",
        SAY
        + r"""
for cell in ('c', 'save:1', '', None, 5, [], '\ud800'): say('done', ok=True, cell=cell)
print('went on')
""",
        OK,
        text="went on",
    ),
    Case(
        "up-again",
        SAY + "for _ in range(100_000): say('up')",
        OK | TIMED_OUT,
        seconds=6,
        # Interrupted in the middle of a frame, it has ended its own connection.
        keeps=None,
        slow=True,
    ),
    Case(
        "up-for-ever-between-cells",
        SAY
        + """
import threading
def go():
  while True: say('up')
threading.Thread(target=go, daemon=True).start()
""",
        OK | RAISED,
    ),
    Case(
        "names-without-end",
        SAY
        + r"""
say('done', ok=True, names=['n' * 100_000 + str(n) for n in range(15)] + [5, None, ['x'], '\ud800'])
""",
        OK,
    ),
    Case(
        "displays-of-wrong-kinds",
        SAY
        + """
good = {"kind": "display", "display_id": None, "parts": [["image/png", 8]], "name": "n", "alt": "a", "saved_as": None}
wrongs = [
    {"kind": 5}, {"kind": "replace"}, {"display_id": []}, {"display_id": "x" * 10_000},
    {"parts": 5}, {"parts": []}, {"parts": [["image/png", -8], ["image/png", 16]]},
    {"parts": [["image/png", 8]] * 1000}, {"parts": [[5, 8]]}, {"parts": [["image/png", True]]},
    {"parts": [["image/png", 10**30]]},
    {"parts": [["x" * 5000, 8]]}, {"parts": {"image/png": 8}},
    {"name": 5}, {"name": "x" * 100_000}, {"alt": []}, {"alt": "x" * 1_000_000},
    {"saved_as": 5}, {"saved_as": "x" * 100_000},
]
for wrong in wrongs:
    say("display", PNG, **{**good, **wrong})
say("display", PNG, **good)
print("said")
""",
        text="said",
        keeps=True,
        after=_plain_artifacts,
    ),
    Case(
        "displays-of-wrong-types",
        SAY
        + """
wrongs = [
    ("../../etc/x", "image/png"), ("a\\0b\\n\\x1b[2J", "text/html; charset=<script>"), ("\\ud800", "\\ud800"), ("", ""),
    ("C:\\\\x" * 50, "application/x-executable"), ("x" * 4000, "image/svg+xml"),
]
for name, kind in wrongs:
    data = PNG + name.encode("utf-8", "replace")
    facts = dict(kind="display", display_id=None, name=name, alt=name, saved_as="../../etc/passwd")
    say("display", data, parts=[[kind, len(data)]], **facts)
""",
        keeps=True,
        after=_plain_artifacts,
    ),
    Case(
        "displays-of-nothing",
        SAY + "for _ in range(100_000): say('display')",
        OK | TIMED_OUT,
        seconds=6,
        keeps=None,
        slow=True,
    ),
    Case(
        "errors-of-wrong-kinds",
        SAY
        + r"""
for wrong in (5, None, [], {}, '\ud800', '\0\x1b[2J'): say('error', name=wrong, message=wrong, traceback=wrong)
""",
        keeps=True,
    ),
    Case(
        "errors-without-end",
        SAY
        + """
for n in range(100): say('error', name='E', message='m' * 100_000, traceback='t' * 1_000_000)
""",
        OK | TIMED_OUT,
        seconds=20,
        keeps=None,
        slow=True,
    ),
    Case(
        "clears-of-wrong-kinds",
        SAY + "for wait in (5, None, [], 'x', True): say('clear', wait=wait)",
        keeps=True,
    ),
    Case(
        "clears-without-end",
        SAY + "for _ in range(100_000): say('clear', wait=False)",
        OK | TIMED_OUT,
        seconds=6,
        keeps=None,
        slow=True,
    ),
    Case(
        "marks-of-wrong-kinds",
        SAY
        + """
for mark in (-1, 10**4000, 1.5, None, [], '1', True): say('clear', wait=True, mark=mark)
print('seen')
""",
        text="seen",
        keeps=True,
    ),
    Case(
        "frames-between-cells",
        SAY
        + """
import threading
def go():
    while True:
        say("done", ok=True, names=["forged"])
        say("display", PNG, kind="display", parts=[["image/png", 8]], name="n", alt="", display_id=None, saved_as=None)
        time.sleep(0.001)
threading.Thread(target=go, daemon=True).start()
time.sleep(0.2)
""",
        OK | RAISED,
        noisy=True,
    ),
    Case(
        "a-child-that-speaks-on",
        SAY
        + """
if os.fork() == 0:
  os.setsid()
  while True: say('up'); time.sleep(0.001)
""",
        left=1,
    ),
    Case(
        "questions-taken-away",
        SAY
        + """
import socket, threading
def take():
    s = socket.socket(fileno=os.dup(fd))
    while True: s.recv(65536)
threading.Thread(target=take, daemon=True).start()
""",
        OK | RAISED | TIMED_OUT,
        next_seconds=9,
        slow=True,
    ),
]
