"""What the bot has to say → what a terminal shows."""

import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from bot.execution import Artifact, Execution, Outcome
from bot.sentences import size

PREVIEW = 60
"""Characters of a cell's code that are shown for it."""
SPARE_LINES = 3
"""Of the terminal's height, left free below an answer that is still being written."""


def visible(text: str) -> str:
    """Without the characters that steer a terminal: what is shown may come from anybody's file."""
    return "".join(each for each in text if each in "\n\t" or unicodedata.category(each) != "Cc")


def answer(text: str) -> Markdown:
    # Addresses are spelled out: a link says where it leads.
    return Markdown(visible(text), hyperlinks=False)


def output(text: str) -> Text:
    return Text(visible(text.removesuffix("\n")))


def cell(code: str, execution: Execution) -> Text:
    """One line for a cell that has run."""
    ok = execution.outcome is Outcome.OK
    line = Text.assemble(
        ("✓ " if ok else "✗ ", "green" if ok else "red"),
        (f"{execution.seconds:.1f} s  {preview(code)}", "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
    return line if ok else line.append(f"  {_reason(execution)}", "red")


def artifact(each: Artifact, path: Path, locale: str) -> Text:
    """A file, where it lies, and what it shows for those who cannot see it."""
    line = Text.assemble((each.name, "bold"), f"  {size(locale, each.size_bytes)}  {visible(str(path))}")
    return line.append(f"\n  {visible(each.alt_text)}", "dim") if each.alt_text else line


def preview(code: str) -> str:
    """The first line that does something."""
    lines = [visible(line).strip() for line in code.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("#", "import ", "from ", "%"))]
    first = (telling or [line for line in lines if line] or [""])[0]
    return first if len(first) <= PREVIEW else f"{first[: PREVIEW - 1]}…"


def _reason(execution: Execution) -> str:
    error = execution.error
    if execution.outcome is not Outcome.RAISED or error is None:
        return execution.outcome.replace("_", " ")
    message = (error.message.splitlines() or [""])[0]
    return visible(f"{error.name}: {message}"[:PREVIEW])


@dataclass(slots=True)
class Moving:
    """What changes at the foot of the screen: the end of the text being written, what is being done, how long."""

    text: str = ""
    doing: str = ""
    since: float = field(default_factory=time.monotonic)
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.text:
            lines = console.render_lines(answer(self.text), options, pad=False)
            for line in lines[-max(1, console.height - SPARE_LINES) :]:
                yield from line
                yield Segment.line()
        seconds = int(time.monotonic() - self.since)
        self._spinner.update(
            text=Text(f"{seconds} s  {self.doing}", "dim", no_wrap=True, overflow="ellipsis")
        )
        yield self._spinner
