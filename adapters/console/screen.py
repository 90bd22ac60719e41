"""What a terminal shows of a turn: what is done stays, what goes on moves at its foot.

Where stdout is no terminal, only what is to be kept is written, as it came.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live

from adapters.console import render
from bot.messages import CellFinished, CellStarted, Noted, Update, Writing


class Screen:
    """A quiet console shows nothing at all."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._moving = render.Moving()
        self._kept = ""
        self._code = ""

    @contextmanager
    def moving(self) -> Iterator[None]:
        if self._console.quiet or not self._console.is_terminal:
            yield
            return
        self._moving = render.Moving()
        with Live(self._moving, console=self._console, transient=True, refresh_per_second=10):
            yield

    def show(self, update: Update) -> None:
        match update:
            case Writing(text):
                self._moving.text = text
            case Noted(text):
                self._moving.doing = text
            case CellStarted(_, code):
                self._keep_text()
                self._code = code
                self._moving.doing = render.preview(code)
            case CellFinished(_, execution):
                self.say(render.cell(self._code, execution))
                self._moving.doing = ""

    def answer(self, text: str) -> None:
        text = self._not_shown_yet(text)
        self._moving.text = self._moving.doing = ""
        if text:
            self.say(render.answer(text), text)

    def say(self, pretty: RenderableType, plain: str | None = None) -> None:
        if self._console.is_terminal:
            self._console.print(pretty)
        elif plain is not None and not self._console.quiet:
            self._console.file.write(f"{plain}\n")
            self._console.file.flush()

    def _keep_text(self) -> None:
        """The text so far stays on the screen; what comes next is another one."""
        text, self._moving.text = self._moving.text.strip(), ""
        if text and self._console.is_terminal:
            self._kept = text
            self.say(render.answer(text))

    def _not_shown_yet(self, text: str) -> str:
        """Of a turn that was stopped, the text may begin with what stands above its last cell."""
        kept, self._kept = self._kept, ""
        return text.removeprefix(kept).strip() if kept and f"{text}\n".startswith(f"{kept}\n") else text
