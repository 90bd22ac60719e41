"""Floods, and text that is not for people."""

from bot.execution import Execution
from sandbox.session import BoxSession
from tests.sandbox.hostile.case import LOST, OK, OUT_OF_MEMORY, RAISED, TIMED_OUT, Case


async def _few_artifacts(_: BoxSession, done: Execution) -> None:
    assert len(done.artifacts) <= 64


CASES = [
    Case(
        "stdout",
        r"""
line = 'x' * 99 + '\n'
import sys
for _ in range(100_000): sys.stdout.write(line)
""",
        text="bytes left out",
        note=r"^Of the output [\d,]+ bytes in the middle were left out\.$",
        seconds=30,
        keeps=True,
    ),
    Case(
        "stderr-for-ever",
        """
import sys
while True: print('x' * 10_000, file=sys.stderr)
""",
        TIMED_OUT,
        seconds=1.5,
        text="bytes left out",
        keeps=True,
    ),
    Case(
        "from-a-subprocess",
        "import subprocess\nsubprocess.run('yes | head -c 100000000; yes | head -c 50000000 >&2', shell=True)",
        text="bytes left out",
        seconds=30,
        keeps=True,
        slow=True,
    ),
    Case(
        "one-line-of-a-gigabyte",
        """
import os
block = b'x' * 2**20
for _ in range(1024): os.write(1, block)
""",
        text="bytes left out",
        seconds=60,
        keeps=True,
        slow=True,
    ),
    Case(
        "byte-by-byte",
        """
import os
for _ in range(80_000): os.write(1, b'x')
""",
        TIMED_OUT | OK,
        text="^x{1000}",
        seconds=10,
        keeps=True,
        slow=True,
    ),
    Case(
        "from-a-thread-between-cells",
        """
import threading
def go():
  while True: print('x' * 1000)
threading.Thread(target=go, daemon=True).start()
""",
        noisy=True,
    ),
    Case(
        "from-a-process-between-cells",
        "import subprocess; subprocess.Popen(['yes'], start_new_session=True)",
        noisy=True,
        left=1,
        keeps=True,
    ),
    Case(
        "displays",
        r"""
from IPython.display import Image, display
for n in range(100_000): display(Image(data=b'\x89PNG\r\n\x1a\n%d' % n))
""",
        TIMED_OUT | OK,
        note="displays were too many and left out",
        seconds=8,
        keeps=True,
        slow=True,
        after=_few_artifacts,
    ),
    Case(
        "displays-from-a-thread-between-cells",
        r"""
import threading
from IPython.display import Image
def go():
  while True: display(Image(data=b'\x89PNG\r\n\x1a\n'))
threading.Thread(target=go, daemon=True).start()
""",
        noisy=True,
    ),
    Case(
        "updates",
        """
h = display('a', display_id=True)
for n in range(20_000): h.update(n)
""",
        TIMED_OUT | OK,
        seconds=8,
        keeps=True,
        slow=True,
    ),
    Case(
        "clearings",
        """
from IPython.display import clear_output
for n in range(5_000): clear_output(); print(n, end='')
""",
        TIMED_OUT | OK,
        seconds=8,
        keeps=True,
        slow=True,
    ),
    Case(
        "clearings-for-ever",
        """
from IPython.display import clear_output
while True: clear_output()
""",
        TIMED_OUT,
        seconds=3,
        keeps=True,
        slow=True,
    ),
    Case(
        "tracebacks",
        """
ip = get_ipython()
for n in range(300):
  try: raise ValueError(n)
  except ValueError: ip.showtraceback()
raise KeyError('the last one')
""",
        RAISED,
        text="the last one",
        keeps=True,
    ),
    Case(
        "large-tracebacks",
        """
ip = get_ipython()
for n in range(60):
  try: raise ValueError('x' * 10**6)
  except ValueError: ip.showtraceback()
""",
        keeps=True,
    ),
    Case("large-message", "raise ValueError('x' * 10**8)", RAISED, keeps=True),
    Case("large-name-of-an-error", "raise type('E' * 10**7, (Exception,), {})()", RAISED, keeps=True),
    Case(
        "endless-recursion",
        """
def f(): return f()
f()
""",
        RAISED,
        text="RecursionError",
        keeps=True,
    ),
    Case(
        "many-causes",
        """
e = None
for n in range(3000):
  try: raise ValueError(n) from e
  except ValueError as new: e = new
raise e
""",
        RAISED,
        seconds=20,
    ),
    Case(
        "large-group",
        "raise ExceptionGroup('g', [ExceptionGroup('h', [ValueError(n)]) for n in range(3000)])",
        RAISED,
    ),
    Case("large-value", "'x' * 50_000_000", text="x{1000}", seconds=20, keeps=True),
    Case(
        "large-text-display",
        "display({'text/plain': 'x' * 50_000_000, 'text/html': '<b>'}, raw=True)",
        text="bytes left out",
        keeps=True,
    ),
    Case(
        "large-image",
        r"""
from IPython.display import Image
display(Image(data=b'\x89PNG\r\n\x1a\n' + bytes(40_000_000), format='png'))
""",
        text="too large",
        keeps=True,
    ),
    Case(
        "large-title",
        """
import matplotlib.pyplot as plt
plt.plot([1]); plt.gca().set_title('x' * 20_000); plt.gca().set_axis_off()
plt.gcf().savefig = None
""",
        OK | RAISED | OUT_OF_MEMORY,
        gvisor=LOST,
        seconds=40,
    ),
    Case(
        "large-display-id",
        "display({'image/png': b'\\x89PNG\\r\\n\\x1a\\n'}, raw=True, display_id='x' * 1_000_000)",
        keeps=True,
    ),
    Case(
        "display-id-that-is-none",
        r"""
for i in (5, ['a'], {}, b'x', '\ud800', ''):
  try: display({'image/png': b'\x89PNG\r\n\x1a\n'}, raw=True, display_id=i)
  except Exception as e: print(e)
""",
        OK,
        keeps=True,
    ),
    Case(
        "strange-displays",
        """
class Evil:
    def __str__(self): return "\\ud800\\0\\x1b[2J"
    def __repr__(self): raise SystemExit
    _repr_html_ = _repr_png_ = _repr_svg_ = lambda self: self
    def _repr_mimebundle_(self, **_): return {5: 6, "image/png": "no base64!", "text/html": self, None: None}
for data in ({"image/png": 7}, {"text/plain": Evil()}, {"image/svg+xml": b"\\xff"}, {5: 6}, {"": ""}, "no dict"):
    try: display(data, raw=True)
    except Exception as error: print(type(error).__name__)
display(Evil())
""",
        OK | RAISED,
        keeps=True,
    ),
    Case(
        "bytes-of-all-kinds",
        r"""
import os
os.write(1, bytes(range(256)) * 50)
os.write(2, b'\xff\xfe\x00\xed\xa0\x80')
""",
        keeps=True,
    ),
    Case(
        "characters-cut-in-two",
        r"""
import os
for _ in range(20_000): os.write(1, b'\xf0\x9f'); os.write(1, b'\x98\x80')
""",
        seconds=20,
        slow=True,
    ),
    Case(
        "terminal-escapes",
        "print('\\x1b]0;title\\x07\\x1b[2J\\x1b[31mred\\x1b[0m\\r\\x08\\x08\\u202egnp.exe\\u2066\\0')",
        text="red",
        keeps=True,
    ),
    Case(
        "halves-of-characters",
        "print('\\ud800\\udfff'); raise ValueError('\\udcff\\ud800')",
        RAISED,
        keeps=True,
    ),
    Case(
        "lines-of-markup",
        r"""
print('```\n<script>alert(1)</script> @everyone <!channel> [chart.png](http://example.org) [chart.png]\n' * 50)
""",
        keeps=True,
    ),
    Case(
        "marks-of-its-own",
        r"""
import os
for n in range(2000): os.write(1, b'\0\x1a[plotline %d]\x1a\0' % n)
print('seen')
os.write(1, b'\0\x1a[plotline ')
""",
        text="seen",
        keeps=True,
    ),
]
