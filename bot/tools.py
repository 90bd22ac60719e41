"""The tool the model has, and reading what the model asks of it."""

import json
import re
from dataclasses import dataclass

import json_repair

from bot.ports import Tool
from bot.transcript import ToolCall

RUN_PYTHON = Tool(
    name="run_python",
    description=(
        "Run a cell of Python in this thread's notebook. Variables, imports and files stay for later cells. "
        "You get back what it printed, the value of its last line, tracebacks, and the charts and files it made."
    ),
    argument="code",
    argument_description="Python source of the cell, without Markdown fences.",
)


@dataclass(frozen=True, slots=True)
class BadCall:
    """A call that cannot be run; `text` tells the model what to change."""

    text: str


def code_in(call: ToolCall, *, cut_off: bool = False) -> str | BadCall:
    """The code that the model wants to run, however it wrapped it.

    Models write JSON, JSON with small faults, JSON inside Markdown fences, or bare code. With `cut_off` the
    reply ended in mid-sentence: then nothing is guessed, since half a program may do harm.
    """
    if call.name != RUN_PYTHON.name:
        return BadCall(f"There is no tool called {call.name!r}. The only one is {RUN_PYTHON.name}.")
    if cut_off:
        return BadCall("Not run: your reply was cut off at its length limit. Write less code at a time.")
    written = _unfenced(call.arguments)
    code = _from_json(written) if written.startswith(("{", '"')) else written
    if isinstance(code, str) and not code.strip():
        return BadCall("Not run: the code is empty.")
    return _unfenced(code) if isinstance(code, str) else code


def _from_json(written: str) -> str | BadCall:
    try:
        # Not strict: models put real line breaks into JSON strings.
        value = json.loads(written, strict=False)
    except (ValueError, RecursionError) as error:
        if not re.match(r"\{\s*[\"']?code\b", written):
            return written  # a cell that starts with a set, a dict or a string
        value = json_repair.loads(written)
        if not (isinstance(value, dict) and isinstance(value.get("code"), str) and value["code"]):
            return BadCall(f"Not run: the arguments are not valid JSON ({error}).")
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        return str(value["code"])
    return BadCall('Not run: the arguments must be an object like {"code": "print(1)"}.')


def _unfenced(text: str) -> str:
    fenced = re.fullmatch(r"\s*(`{3,}|~{3,})[\w+-]*[ \t]*\n(.*?)\n?\1\s*", text, flags=re.DOTALL)
    return fenced[2] if fenced else text.strip("\n") if text.strip() else ""
