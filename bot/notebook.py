"""A thread's work as something that runs elsewhere: a notebook, a script, a page of Markdown. Pure.

Files of people lie beside it under the names that the code uses. Where a later file took an earlier one's name, a cell
before the question puts it there, so that running it all from the top gives the same each time.
"""

import base64
import io
import json
import re
import tokenize
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import nbformat
from nbformat import v4

from bot.execution import CellError, Outcome
from bot.sentences import say

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
FAILED = "raises-exception"
"""The tag with which a notebook goes on after a cell that is known to fail."""
PLACED = "plotline-files"
"""The tag of cells that put files where the code looks for them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that a cell has shown or left."""

    name: str
    media_type: str
    data: bytes | None = None
    """Not to be decoded. None where it is not kept any more, or no image."""


@dataclass(frozen=True, slots=True)
class Cell:
    code: str
    outcome: Outcome
    text: str = ""
    """As `Execution.text`: `[name]` on a line of its own stands for what was shown there."""
    error: CellError | None = None
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A question with what was done for it."""

    asker: str
    asked_at: datetime
    question: str
    files: tuple[str, ...] = ()
    """That came with it."""
    placing: str = ""
    """Code that puts them where they are looked for, if they do not lie there from the start."""
    cells: tuple[Cell, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What came of running all cells once more, from the first to the last, in a sandbox that nobody had used."""

    at: datetime
    ran: int
    of: int
    differ: tuple[int, ...] = ()
    """Numbers of cells that put out something else than in the thread."""
    broke: int | None = None
    """The number of the first cell that ended in another way than in the thread."""
    why: str = ""
    """The name of the error, or how it ended."""

    @property
    def is_good(self) -> bool:
        return self.broke is None and self.ran == self.of


@dataclass(frozen=True, slots=True)
class Work:
    thread: str
    parts: tuple[Part, ...]
    locale: str = "en"
    stamp: Stamp | None = None
    """None where it was not run again."""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions of what the code imports, in the sandbox that it was run in last."""

    @property
    def cells(self) -> list[Cell]:
        return [cell for part in self.parts for cell in part.cells]


def to_ipynb(work: Work) -> str:
    """JSON. Valid by nbformat's schema."""
    count = 0
    cells = [v4.new_markdown_cell(_head(work))]
    for part in work.parts:
        cells.append(v4.new_markdown_cell(_question(part, work.locale)))
        if part.placing:
            cells.append(v4.new_code_cell(part.placing, metadata={"tags": [PLACED]}))
        for cell in part.cells:
            count += 1
            metadata = {"tags": [FAILED]} if cell.outcome is not Outcome.OK else {}
            outputs = list(_outputs(cell))
            cells.append(
                v4.new_code_cell(cell.code, execution_count=count, outputs=outputs, metadata=metadata)
            )
        if part.answer:
            cells.append(v4.new_markdown_cell(part.answer))
    for number, each in enumerate(cells):
        each["id"] = f"plotline-{number}"
    notebook = v4.new_notebook(cells=cells, metadata=_metadata(work))
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


def to_py(work: Work) -> str:
    """A script with `# %%` before each cell, as several editors read notebooks."""
    parts = [_as_comment(_head(work)), DISPLAY]
    for part in work.parts:
        parts.append(_as_comment(_question(part, work.locale)))
        if part.placing:
            parts.append(f"# %%\n{part.placing}")
        parts += [f"# %%\n{_script(cell)}" for cell in part.cells]
        if part.answer:
            parts.append(_as_comment(part.answer))
    return "\n\n".join(parts) + "\n"


def to_md(work: Work) -> str:
    """What was shown is named; see `pictures` for what lies beside it."""
    parts = [_head(work)]
    for number, part in enumerate(work.parts, 1):
        parts.append(_question(part, work.locale))
        for cell in part.cells:
            parts.append(_fenced(cell.code, "python"))
            parts += _page_outputs(cell, number)
        if part.answer:
            parts.append(part.answer)
    return "\n\n".join(parts) + "\n"


def pictures(work: Work) -> dict[str, bytes]:
    """What a page of Markdown shows, by the names that it has there."""
    return {
        _picture_name(number, shown.name): shown.data
        for number, part in enumerate(work.parts, 1)
        for cell in part.cells
        for shown in cell.shown
        if shown.data and shown.media_type in IMAGES
    }


def requirements(work: Work) -> str:
    """Versions, a line each, as pip reads them."""
    return "".join(f"{name}=={version}\n" for name, version in sorted(work.packages.items()))


# The head


def _head(work: Work) -> str:
    locale = work.locale
    lines = [f"# {say(locale, 'notebook_title')}", stamped(work)]
    files = [name for part in work.parts for name in part.files]
    if files:
        lines.append(say(locale, "notebook_files", names=", ".join(f"`{name}`" for name in files)))
    if work.packages:
        named = ", ".join(f"{name} {version}" for name, version in sorted(work.packages.items()))
        lines.append(say(locale, "notebook_packages", python=work.python, packages=named))
    return "\n\n".join(lines)


def stamped(work: Work) -> str:
    """What came of running it once more."""
    stamp, locale = work.stamp, work.locale
    if stamp is None:
        return say(locale, "notebook_not_run")
    facts: dict[str, str | int] = {"date": f"{stamp.at:%Y-%m-%d}", "ran": stamp.ran, "of": stamp.of}
    if stamp.broke is not None:
        return say(locale, "notebook_broke", **facts, number=stamp.broke, why=stamp.why)
    if stamp.differ:
        numbers = ", ".join(map(str, stamp.differ))
        return say(locale, "notebook_differs", **facts, numbers=numbers)
    return say(locale, "notebook_ran", **facts)


def _metadata(work: Work) -> dict[str, Any]:
    stamp = work.stamp
    ran = stamp and {
        "at": stamp.at.isoformat(),
        "good": stamp.is_good,
        "cells": stamp.of,
        "ran": stamp.ran,
        "differ": list(stamp.differ),
        "broke": stamp.broke,
    }
    return {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", **({"version": work.python} if work.python else {})},
        "plotline": {"thread": work.thread, "run_again": ran, "packages": dict(work.packages)},
    }


def _question(part: Part, locale: str) -> str:
    files = ", ".join(f"`{name}`" for name in part.files)
    by = f"**{_plain(part.asker)}**, {part.asked_at:%Y-%m-%d %H:%M}"
    with_files = f" · {files}" if files else ""
    asked = part.question.strip() or say(locale, "notebook_only_files")
    return f"## {by}{with_files}\n\n" + "\n".join(f"> {line}" for line in asked.splitlines())


def _plain(name: str) -> str:
    """A name that somebody chose freely, so that it is no Markdown."""
    return re.sub(r"[\s*_`\[\]<>#|\\]+", " ", name).strip()


# Outputs


def _outputs(cell: Cell) -> Iterator[Any]:
    for text, shown in _pieces(cell):
        if text:
            yield v4.new_output("stream", name="stdout", text=text)
        if shown and shown.data:
            yield v4.new_output(
                "display_data",
                data={
                    shown.media_type: base64.b64encode(shown.data).decode("ascii"),
                    "text/plain": f"[{shown.name}]",
                },
            )
    if cell.error:
        yield v4.new_output(
            "error",
            ename=cell.error.name,
            evalue=cell.error.message,
            traceback=cell.error.traceback.splitlines(),
        )


def _page_outputs(cell: Cell, number: int) -> list[str]:
    parts: list[str] = []
    for text, shown in _pieces(cell):
        if text.strip():
            parts.append(_fenced(text.rstrip("\n"), ""))
        if shown:
            parts.append(f"![{_plain(shown.name)}]({_picture_name(number, shown.name)})")
    if cell.error:
        parts.append(_fenced(cell.error.traceback.rstrip("\n"), ""))
    return parts


def _picture_name(number: int, name: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", name)
    return f"pictures/{number}-{plain}"


def _pieces(cell: Cell) -> Iterator[tuple[str, Shown | None]]:
    """Text, each time with the image that follows it; images that the text does not name come last."""
    images = {each.name: each for each in cell.shown if each.data and each.media_type in IMAGES}
    text = cell.text
    if cell.error and cell.error.traceback.strip():
        before, found, after = text.rpartition(cell.error.traceback.strip("\n"))
        text = before + after.lstrip("\n") if found else text
    said: list[str] = []
    for line in text.splitlines(keepends=True):
        name = line.rstrip("\n")
        shown = images.pop(name[1:-1], None) if name.startswith("[") and name.endswith("]") else None
        if shown:
            yield "".join(said), shown
            said = []
        else:
            said.append(line)
    if said:
        yield "".join(said), None
    for shown in images.values():
        yield "", shown


# A script

DISPLAY = """\
# %%
try:
    from IPython.display import display
except ImportError:
    display = print"""


def _script(cell: Cell) -> str:
    """A cell as plain Python: what a notebook alone knows becomes a comment, and a failing one is caught."""
    code = _without_magics(cell.code)
    if code is None:
        return "\n".join(f"# {line}".rstrip() for line in cell.code.splitlines())
    if cell.outcome is Outcome.OK:
        return code
    caught = _indented(code)
    if caught is None or cell.outcome is not Outcome.RAISED:
        why = f"# It ended as {cell.outcome} in the thread, so it is left out here.\n"
        return why + "\n".join(f"# {line}".rstrip() for line in cell.code.splitlines())
    return f"try:\n{caught}\nexcept Exception as error:\n    print(type(error).__name__, error)"


def _without_magics(code: str) -> str | None:
    """None where the whole cell is none of Python's."""
    if code.lstrip().startswith("%%"):
        return None
    lines = [
        re.sub(r"^(\s*)(?=[%!?])", r"\1pass  # ", line) if re.match(r"\s*[%!?]", line) else line
        for line in code.splitlines()
    ]
    for candidate in (code, "\n".join(lines)):
        if _compiles(candidate):
            return candidate
    return None


def _indented(code: str) -> str | None:
    """One step to the right, but for lines in the midst of a string. None where that cannot be told."""
    inside: set[int] = set()
    depth, began = 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "STRING":
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
            elif kind in {"FSTRING_START", "TSTRING_START"}:
                began = began if depth else token.start[0]
                depth += 1
            elif kind in {"FSTRING_END", "TSTRING_END"}:
                depth -= 1
                if not depth:
                    inside.update(range(began + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return None
    lines = [
        line if number in inside or not line.strip() else f"    {line}"
        for number, line in enumerate(code.splitlines(), 1)
    ]
    caught = "\n".join(lines)
    return caught if _compiles(f"try:\n{caught}\nfinally:\n    pass") else None


def _compiles(code: str) -> bool:
    """As a script. More than that parses, and runs in a notebook: an `await` at the top, say."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _as_comment(text: str) -> str:
    lines = [f"# {line}".rstrip() for line in text.splitlines()]
    return "\n".join(["# %% [markdown]", *lines])


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def placing(moves: Mapping[str, str], copies: Mapping[str, str]) -> str:
    """Code that first gives older files other names, then puts new ones in their place."""
    if not (moves or copies):
        return ""
    lines = ["import os, shutil"] if moves else ["import shutil"]
    for old, new in moves.items():
        lines.append(f"if os.path.exists({json.dumps(old)}):")
        lines.append(f"    os.replace({json.dumps(old)}, {json.dumps(new)})")
    lines += [f"shutil.copyfile({json.dumps(source)}, {json.dumps(to)})" for source, to in copies.items()]
    return "\n".join(lines)


def imported(code: str) -> list[str]:
    """The names of modules that the code imports, without what lies beneath them."""
    found = re.findall(r"^\s*(?:from\s+(\w+)[\w.]*\s+import\b|import\s+(.+))", code, re.MULTILINE)
    names: list[str] = []
    for whole, several in found:
        names += [whole] if whole else re.findall(r"(?:^|,)\s*(\w+)", several)
    return names
