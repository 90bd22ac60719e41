"""What the model reads of a cell that was run: everything, or nothing that comes from people's data."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from bot.clip import clip
from bot.execution import Artifact, Execution, Outcome
from bot.transcript import DataMode

TEXT_CHARACTERS = 16_000
"""Of one cell's result: more would push the rest of the thread out of a model's window."""

_OUTCOMES = {
    Outcome.OK: "ok",
    Outcome.RAISED: "failed",
    Outcome.TIMED_OUT: "stopped, it ran too long: do it in smaller or faster steps",
    Outcome.OUT_OF_MEMORY: "stopped, it needed more memory than there is: work on smaller parts",
    Outcome.INTERRUPTED: "stopped by a person",
    Outcome.LOST: "lost, the container went away: it may have run or not, so look before you repeat it",
}


def for_model(code: str, execution: Execution, data: DataMode) -> str:
    """The result of one cell as text, at most `TEXT_CHARACTERS` of it.

    In schema mode nothing of what the cell wrote is in it, and a name only if it stands in the code.
    """
    return _shape_only(code, execution) if data == "schema" else _everything(execution)


def _everything(execution: Execution) -> str:
    around = [
        *execution.notes,
        _list("Files written", execution.changed_files),
        _list("Files removed", execution.removed_files),
        _variables_gone(execution, ", ".join(execution.lost_variables or ())),
        _list("People get with your answer", map(_described, execution.artifacts)),
    ]
    head = _head(execution)
    tail = clip(_lines(around), TEXT_CHARACTERS // 4)
    output = clip(execution.text.strip("\n"), TEXT_CHARACTERS - len(head) - len(tail) - 2)
    return _lines([head, output, tail])


def _shape_only(code: str, execution: Execution) -> str:
    """Outcome, kind and place of an error, sizes. Output and messages could hold values, and so could the
    names of files: one may be written for each customer."""
    names = sorted({*execution.changed_files, *(artifact.name for artifact in execution.artifacts)})
    written = [
        name if name in code else f"(name not shown){PurePosixPath(name).suffix[:6]}" for name in names
    ]
    shapes = re.findall(r"\b\d+ rows x \d+ columns\b", execution.text)
    return _lines(
        [
            _head(execution),
            _error_place(execution),
            f"It printed {len(execution.text):,} characters, which people see and you don't.",
            _list("Shapes of the tables shown", shapes[:10]),
            _list("Files and charts made", written[:40]),
            _variables_gone(execution, "all of them"),
        ]
    )


def _head(execution: Execution) -> str:
    return f"[{_OUTCOMES[execution.outcome]}, {execution.seconds:.1f} s]"


def _error_place(execution: Execution) -> str:
    if execution.error is None:
        return ""
    lines = re.findall(r"(?:Cell In.*?|<ipython-input[^>]*>.*?), line (\d+)", execution.error.traceback)
    name = execution.error.name if re.fullmatch(r"\w{1,60}", execution.error.name) else "an exception"
    return f"{name} in line {lines[-1]}" if lines else name


def _variables_gone(execution: Execution, names: str) -> str:
    if execution.lost_variables is None:
        return ""
    return f"Python had to be started again. Variables that are gone: {names or 'all of them'}. Files are still there."


def _described(artifact: Artifact) -> str:
    alt_text = f": {artifact.alt_text}" if artifact.alt_text else ""
    return f"{artifact.name} ({artifact.size_bytes:,} bytes){alt_text}"


def _list(title: str, items: Iterable[str]) -> str:
    text = "; ".join(items)
    return f"{title}: {text}" if text else ""


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)
