"""IPython, set up for a box: no history, no colours, no terminal, and rich displays as frames."""

import ast
import builtins
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

from sandbox.guest import figures, images
from sandbox.guest.display import Shown

TRACEBACK_CHARACTERS = 20_000
MESSAGE_CHARACTERS = 2_000
NAME_CHARACTERS = 200
HOME = f"{Path(__file__).parents[1]}/"
"""Where our own code lies."""
PLAIN = frozenset([bool, int, str])
"""Kinds of values that are shown as Python writes them, and nothing else."""
PARSED = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FIRST_WORD = re.compile(r"\s*([^\W\d]\w*)")
SPECIAL = frozenset(["exit", "quit", "In"])
NOBODY_TYPES = "input() cannot be answered here: nobody is at a keyboard. Put the value into the code."


def make_shell(send: Callable[..., None]) -> "Shell":
    """`send(frame, payload)` takes what is shown and what goes wrong."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryAccessor.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    config.InteractiveShell.separate_in = ""
    # The values of earlier last lines would keep large tables alive.
    config.InteractiveShell.cache_size = 0
    os.environ |= {"MPLBACKEND": f"module://{figures.BACKEND}", "PLOTLY_RENDERER": "plotly_mimetype"}
    shell: Shell = Shell.instance(config=config)
    shell.send = send
    shell.display_pub.shown = shown = Shown(send)

    objects = shell.display_formatter.ipython_display_formatter
    objects.for_type_by_name("matplotlib.figure", "Figure", lambda figure: figures.show(figure, shown))
    objects.for_type_by_name("PIL.Image", "Image", lambda image: images.show(image, shown))
    builtins.input = _nobody_types
    return shell


class Publisher(DisplayPublisher):
    """What `display()` shows."""

    shown: Shown

    def publish(self, data: dict[str, Any], metadata: Any = None, **facts: Any) -> None:  # IPython's
        transient = facts.get("transient") or {}
        self.shown.show(data, display_id=transient.get("display_id"), update=bool(facts.get("update")))

    def clear_output(self, wait: bool = False) -> None:
        self.shown.clear(wait)


class LastValue(DisplayHook):
    """The value of a cell's last line."""

    exec_result: ExecutionResult | None = None

    def quiet(self) -> bool:
        """A semicolon at the end says that the value is of no interest."""
        code = self.shell.history_manager.last
        return ";" in code and bool(self.semicolon_at_end_of_expression(code))

    def __call__(self, result: Any = None) -> None:  # anything at all
        if result is None or self.quiet():
            return
        if type(result) in PLAIN:
            # Asking all formatters what they make of it takes as long as running most cells.
            print(repr(result))
            return
        data, _ = self.compute_format_data(result)
        self.shell.display_pub.shown.show(data)


class NoHistory(HistoryManager):
    """It would grow with every cell."""

    last = ""
    """The code that runs now."""

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        self.last = source

    def store_output(self, *_: object) -> None:
        """Nobody asks for it."""


class Shell(InteractiveShell):
    display_pub_class = Publisher
    displayhook_class = LastValue
    send: Callable[..., None]
    # No traits, as in IPython's own classes: to look for whom to tell of each change takes longer than most cells.
    execution_count = 1
    last_execution_succeeded = True
    last_execution_result: ExecutionResult | None = None

    @property
    def names(self) -> Iterator[str]:
        """What the code has defined, hidden names left out."""
        hidden = self.user_ns_hidden
        for name in list(self.user_ns):
            if isinstance(name, str) and name[:1] != "_" and name not in hidden:
                yield name

    def run(self, code: str) -> dict[str, Any]:
        """How the cell ended: ok, and whether it failed for want of memory."""
        self._memory_error = self._has_told = False
        try:
            result = self.run_cell(code, store_history=True)
            error = result.error_before_exec or result.error_in_exec
            is_ok = bool(result.success)
        except BaseException as raised:  # hooks and errors of the code's own making
            is_ok, error = False, raised
        try:
            figures.show_open(self.display_pub.shown)
        except Exception:  # drawing runs the code's own objects
            self.showtraceback()
            is_ok = False
        if error is not None and not self._has_told:
            self._tell(type(error), error, "")
        return {"ok": is_ok, "memory_error": self._memory_error}

    def is_well(self) -> bool:
        """Whether a cell can still run here, whatever the last one has done to Python."""
        # What it says to this is for nobody, its complaints of what was broken off included.
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                return bool(self.run_cell("None", silent=True).success)
        except BaseException:  # that is the question
            return False

    def transform_cell(self, raw_cell: str) -> str:
        """Looking for magics takes longer than running most cells: what is Python already has none."""
        if self._is_python(raw_cell):
            return raw_cell if raw_cell.endswith("\n") else f"{raw_cell}\n"
        return str(super().transform_cell(raw_cell))

    def should_run_async(self, raw_cell: str, *, transformed_cell: Any = None, **facts: Any) -> bool:
        """Compiling it once more tells it, too; without these letters nothing is waited for."""
        text = transformed_cell or raw_cell
        return ("await" in text or "async" in text) and super().should_run_async(
            raw_cell, transformed_cell=transformed_cell, **facts
        )

    def _is_python(self, code: str) -> bool:
        """And nothing that IPython reads in another way: `ls`, `exit` or a prompt that was copied."""
        first = FIRST_WORD.match(code)
        if first and (first[1] in SPECIAL or first[1] in self.magics_manager.magics["line"]):
            return False
        try:
            compile(code, "", "exec", PARSED)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return False
        return True

    def init_history(self) -> None:
        self.history_manager = NoHistory(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        kind, error, trace = super()._get_exc_info(exc_tuple)
        return kind, error, _without_ours(trace)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException | None, stb: Any) -> None:
        text = self.InteractiveTB.stb2text(stb)
        if len(text) > TRACEBACK_CHARACTERS:
            half = TRACEBACK_CHARACTERS // 2
            text = f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"
        self._tell(etype, evalue, text)

    def _tell(self, kind: type[BaseException], error: BaseException | None, traceback: str) -> None:
        """Without a traceback where it could not be made."""
        self._has_told = True
        self._memory_error = issubclass(kind, MemoryError)
        # Past what its class may make of the attribute.
        name = type.__dict__["__name__"].__get__(kind)[:NAME_CHARACTERS]
        message = _message(error)
        traceback = traceback or f"{name}: {message}" if message else traceback or name
        self.send({"ev": "error", "name": name, "message": message, "traceback": traceback})

    def _tee(self, channel: str) -> AbstractContextManager[None]:
        """IPython would keep all that is ever written: a flood would take all memory."""
        return nullcontext()

    def system(self, cmd: str) -> None:
        """`!command`, with its output where the cell's goes and not on a terminal of its own."""
        done = subprocess.run(self.var_expand(cmd, depth=1), shell=True, check=False)  # noqa: S602  # it is what was asked for
        self.user_ns["_exit_code"] = done.returncode

    def enable_gui(self, gui: str | None = None) -> None:
        """There is none."""


def _message(error: BaseException | None) -> str:
    try:
        return str(error)[:MESSAGE_CHARACTERS]
    except BaseException:  # an exception of the code's own making
        return ""


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """What lies between the code and what it called is for nobody to read."""
    while trace and _is_ours(trace):
        trace = trace.tb_next
    here = trace
    while here:
        while here.tb_next and _is_ours(here.tb_next):
            here.tb_next = here.tb_next.tb_next
        here = here.tb_next
    return trace


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(HOME)


def _nobody_types(_prompt: object = "") -> str:
    raise EOFError(NOBODY_TYPES)
