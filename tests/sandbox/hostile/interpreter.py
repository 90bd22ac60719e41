"""The kernel's own Python, turned against it: everything in its process is the code's to change."""

from tests.sandbox.hostile.case import LOST, OK, OUT_OF_MEMORY, RAISED, TIMED_OUT, Case

BROKEN = "Python ended itself"

CASES = [
    Case(
        "builtins-replaced",
        """
import builtins
for n in ('print', 'open', 'len', 'isinstance', 'str'): setattr(builtins, n, None)
""",
        OK | RAISED,
    ),
    Case(
        "builtins-emptied",
        """
import builtins
for n in list(vars(builtins)): delattr(builtins, n)
""",
        RAISED | OK | TIMED_OUT,
        seconds=2,
    ),
    Case("import-deleted", "import builtins; del builtins.__import__", OK | RAISED),
    Case(
        "json-replaced",
        """
import json
json.dumps = json.loads = None
""",
        RAISED | OK,
    ),
    Case(
        "json-that-lies",
        """
import json
json.dumps = lambda *a, **k: '{"ev": "done", "ok": true}'
""",
        OK | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "os-replaced",
        """
import os
os.write = os.read = os.dup2 = None
""",
        RAISED | OK,
    ),
    Case(
        "os-that-lies",
        """
import os
os.getpid = lambda: 1
""",
        TIMED_OUT | OK,
        seconds=1,
    ),
    Case(
        "os-emptied",
        """
import os
vars(os).clear()
""",
        RAISED | OK | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "sys-emptied",
        """
import sys
sys.modules.clear(); sys.path[:] = []; sys.meta_path[:] = []
""",
        RAISED | OK | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "sys-deleted",
        """
import sys
for n in list(vars(sys)):
  delattr(sys, n)
""",
        RAISED | OK | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "socket-replaced",
        """
import socket
socket.socket.recv = socket.socket.sendall = None
""",
        OK | RAISED,
    ),
    Case(
        "threading-replaced",
        """
import threading, signal
threading.Lock = signal.pthread_sigmask = signal.signal = None
""",
        OK | RAISED,
    ),
    Case(
        "shell-broken",
        """
ip = get_ipython()
ip.run_cell = ip.showtraceback = ip.run = ip.send = None
""",
        OK | RAISED,
    ),
    Case(
        "shell-transformed",
        """
get_ipython().input_transformers_cleanup.append(lambda lines: 1 / 0)
get_ipython().ast_transformers.append(5)
""",
        OK | RAISED,
    ),
    Case(
        "shell-events",
        """
def no(*a): raise SystemExit
for n in ('pre_execute', 'pre_run_cell', 'post_execute', 'post_run_cell'): get_ipython().events.register(n, no)
""",
        OK | RAISED,
    ),
    Case(
        "shell-hooks",
        """
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: 1 / 0)
1 / 0
""",
        RAISED,
    ),
    Case("namespace-emptied", "get_ipython().user_ns.clear()", OK | RAISED, forgets=True),
    Case(
        "namespace-of-strange-names",
        "globals().update({5: 6, None: 7, '': 8, ' ': 9, '\\ud800': 10, 'x\\0y': 11})",
        keeps=True,
    ),
    Case(
        "audit-hook",
        """
import sys
def no(name, args):
  if name in ('compile', 'exec', 'import', 'open'): raise RuntimeError(name)
sys.addaudithook(no)
""",
        OK | RAISED,
    ),
    Case(
        "trace",
        """
import sys, threading
def t(*a): raise SystemExit
sys.settrace(t); threading.settrace(t)
""",
        OK | RAISED,
    ),
    Case(
        "trace-that-waits",
        """
import sys, time
def t(*a): time.sleep(0.001); return t
sys.settrace(t)
""",
        OK | RAISED | TIMED_OUT,
        seconds=1,
    ),
    Case(
        "profile",
        """
import sys
sys.setprofile(lambda *a: 1 / 0)
""",
        OK | RAISED,
    ),
    Case(
        "monitoring",
        """
import sys
m = sys.monitoring; m.use_tool_id(3, 'x')
def no(*a): raise SystemExit
m.register_callback(3, m.events.PY_START, no); m.set_events(3, m.events.PY_START)
""",
        OK | RAISED,
    ),
    Case(
        "at-exit",
        """
import atexit
@atexit.register
def f():
  while True: pass
""",
        keeps=True,
    ),
    Case(
        "at-exit-and-exit",
        """
import atexit, sys
@atexit.register
def f():
  while True: pass
sys.exit()
""",
        RAISED,
        keeps=True,
    ),
    Case(
        "import-hooks",
        """
import sys
class F:
  def find_spec(self, *a): raise SystemExit
sys.meta_path.insert(0, F()); sys.path_hooks.insert(0, F())
""",
        OK | RAISED,
    ),
    Case(
        "modules-of-the-same-names",
        """
for n in ('json', 'os', 'socket', 'numpy', 'IPython', 'sitecustomize', 'sandbox'):
  open(f'/workspace/{n}.py', 'w').write('raise SystemExit')
""",
        keeps=True,
    ),
    Case(
        "exception-hooks",
        """
import sys, threading
def h(*a):
  while True: pass
sys.excepthook = sys.unraisablehook = threading.excepthook = sys.displayhook = h
1
""",
        TIMED_OUT | OK,
        seconds=1,
    ),
    Case(
        "locks-held",
        "get_ipython().send.__self__._sending.acquire()",
        TIMED_OUT,
        seconds=1,
        keeps=False,
    ),
    Case(
        "kernels-own-objects",
        """
control = get_ipython().send.__self__
vars(control._flush.__self__).clear()
vars(control._decoder).clear()
vars(control).clear()
""",
        OK | RAISED | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "kernels-own-modules",
        """
import sys
for name in [name for name in sys.modules if name.startswith("sandbox")]:
    vars(sys.modules[name]).clear()
""",
        OK | RAISED | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "kernels-own-frames",
        """
import sys
f = sys._getframe()
while f:
  for n in list(f.f_locals):
    try: f.f_locals[n] = None
    except Exception: pass
  f = f.f_back
""",
        OK | RAISED | TIMED_OUT,
        forgets=True,
        seconds=2,
    ),
    Case(
        "memory-overwritten",
        """
import ctypes
ctypes.memset(id(None), 0, 16)
""",
        RAISED,
        text="signal SIG",
        keeps=False,
    ),
    Case(
        "integers-overwritten",
        """
import ctypes
ctypes.memset(id(1) + 24, 7, 4)
""",
        OK | RAISED | TIMED_OUT,
        seconds=2,
    ),
    Case(
        "threads-killed-by-exceptions",
        """
import ctypes, threading
main = threading.main_thread().ident
ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(SystemExit))
""",
        OK | RAISED,
    ),
    Case(
        "exceptions-from-a-thread-for-ever",
        """
import ctypes, threading, time
main = ctypes.c_ulong(threading.main_thread().ident)
def go():
  while True:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(main, ctypes.py_object(KeyError)); time.sleep(0.0005)
threading.Thread(target=go, daemon=True).start()
time.sleep(0.1)
""",
        OK | RAISED,
        noisy=True,
    ),
    Case(
        "interrupts-from-a-thread",
        """
import _thread, threading, time
def go():
  while True: _thread.interrupt_main(); time.sleep(0.001)
threading.Thread(target=go, daemon=True).start()
time.sleep(1)
""",
        OK | RAISED,
        tidies="import os\nwhile True: os._exit(0)",
    ),
    Case(
        "error-that-cannot-be-shown",
        """
class E(Exception):
  def __str__(self): raise SystemExit
  __repr__ = __str__
raise E
""",
        RAISED,
        keeps=True,
    ),
    Case(
        "error-that-takes-for-ever-to-show",
        """
class E(Exception):
  def __str__(self):
    while True: pass
raise E
""",
        TIMED_OUT,
        seconds=1,
    ),
    Case(
        "error-that-is-too-much-to-show",
        """
class E(Exception):
  def __str__(self): return 'x' * 10**9
raise E
""",
        RAISED | OUT_OF_MEMORY,
        gvisor=LOST,
        slow=True,
    ),
    Case(
        "error-of-a-strange-kind",
        """
class M(type):
  def __getattribute__(cls, name): raise SystemExit
  def __instancecheck__(c, o): return True
class E(Exception, metaclass=M):
  __class__ = property(lambda self: int)
  __traceback__ = property(lambda s: 1 / 0)
raise E
""",
        RAISED,
    ),
    Case(
        "error-with-a-loop-of-causes",
        """
a, b = ValueError(), KeyError()
a.__cause__, b.__cause__, a.__context__ = b, a, a
raise a
""",
        RAISED,
        keeps=True,
    ),
    Case(
        "error-without-a-name",
        r"""
E = type('', (Exception,), {'__module__': None, '__qualname__': '\ud800'})
raise E('\0')
""",
        RAISED,
        keeps=True,
    ),
    Case("base-exceptions", "raise BaseException('x')", RAISED, keeps=True),
    Case("generator-exit", "raise GeneratorExit", RAISED, keeps=True),
    Case("keyboard-interrupt", "raise KeyboardInterrupt", RAISED, keeps=True),
    Case(
        "value-that-ends-everything",
        """
import os
class V:
  def __repr__(self): os._exit(7)
V()
""",
        RAISED,
        text="exit code 7",
        keeps=False,
    ),
    Case(
        "values-that-lie",
        """
class V:
  def __getattr__(self, n): return self
  def __call__(self, *a, **k): return self
  def __repr__(self): return 5
  def __iter__(self): return iter(self)
V()
""",
        OK | RAISED,
    ),
    Case(
        "finaliser-that-raises",
        """
class D:
  def __del__(self): raise SystemExit
d = D(); d.me = d; del d
import gc; gc.collect()
""",
        keeps=True,
    ),
    Case("variables-many", "globals().update({f'v{n}': n for n in range(20_000)})", keeps=None),
    Case(
        "variables-of-long-names",
        """
globals().update({chr(0x20000 + n) * 200: n for n in range(3000)}); globals()['x' * 10**6] = 1
""",
        keeps=None,
    ),
    Case("code-too-deep", "eval('(' * 5000 + ')' * 5000)", RAISED | OUT_OF_MEMORY, keeps=True),
    Case(
        "code-too-large",
        "exec('x = 1\\n' * 2_000_000)",
        OK | OUT_OF_MEMORY | TIMED_OUT | RAISED,
        gvisor=LOST,
        seconds=20,
        slow=True,
    ),
    Case("no-code", "\0", RAISED, keeps=True),
    Case("code-of-strange-characters", "x = '\u202e\u2066\ufeff'\ny = 1 \u2028 + 2", RAISED, keeps=True),
    Case(
        "recursion-in-c",
        """
import sys
sys.setrecursionlimit(10**9)
x = []
for _ in range(10**6): x = [x]
repr(x)
""",
        RAISED,
    ),
    Case(
        "recursion-limit-of-nothing",
        """
import sys
sys.setrecursionlimit(30)
""",
        OK | RAISED,
    ),
    Case(
        "threads-that-write-on",
        """
import threading, time
def go():
  n = 0
  while True: n += 1; print('tick', n); time.sleep(0.01)
threading.Thread(target=go, daemon=True).start()
""",
        noisy=True,
        keeps=True,
    ),
    Case(
        "tasks-that-go-on",
        """
import asyncio
async def go():
  while True: print('tick'); await asyncio.sleep(0)
t = asyncio.ensure_future(go())
await asyncio.sleep(0.05)
""",
        noisy=True,
        keeps=True,
    ),
    Case(
        "loop-closed",
        """
import asyncio
l = asyncio.get_event_loop_policy(); get_ipython().loop_runner = None
await asyncio.sleep(0)
""",
        OK | RAISED,
    ),
    Case(
        "alarm-for-later",
        """
import signal
signal.setitimer(signal.ITIMER_REAL, 0.2)
""",
        OK | RAISED,
    ),
    Case(
        "collector-off",
        """
import gc
gc.disable(); gc.freeze(); gc.callbacks.append(lambda *a: 1 / 0); gc.set_threshold(1)
""",
        keeps=True,
    ),
    Case(
        "warnings-as-errors",
        """
import warnings
warnings.simplefilter('error'); warnings.showwarning = None
""",
        keeps=True,
    ),
    Case(
        "environment-emptied",
        """
import os
os.environ.clear(); os.environ['PYTHONSTARTUP'] = '/etc/passwd'; os.environ['MPLBACKEND'] = 'nothing'
""",
        keeps=True,
    ),
    Case(
        "locale",
        """
import locale, os
os.environ['LC_ALL'] = 'C'; os.environ['PYTHONIOENCODING'] = 'ascii'
locale.setlocale(locale.LC_ALL, 'C')
print('ü€')
""",
        text="ü€",
        keeps=True,
    ),
]
