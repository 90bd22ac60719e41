"""The Thread port on a terminal. Where stdout is none, only the answer is written, as it came."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.live import Live

from adapters.console import out, render
from adapters.console.inbound import local_path
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.execution import Artifact, Execution
from bot.messages import (
    Above,
    Attachment,
    CellFinished,
    CellStarted,
    Message,
    Noted,
    Output,
    ThreadId,
    Update,
    Writing,
)

CHUNK_BYTES = 1024 * 1024


class ConsoleThread:
    """`folder` gets copies of the artifacts; a quiet console shows nothing at all."""

    def __init__(self, id: ThreadId, console: Console, folder: Path, locale: str = "en") -> None:  # noqa: A002  # as in the port
        self.id = id
        self.saved: dict[str, Path] = {}
        """Where the copies of posted artifacts lie, by name."""
        self._console = console
        self._folder = folder
        self._locale = locale
        self._posted: set[str] = set()
        self._moving = render.Moving()
        self._kept = ""
        self._code = ""

    async def introduce(self, message: Message) -> Message:
        return message

    async def above(self, message: Message) -> Above:
        return Above()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        if self._console.quiet or not self._console.is_terminal:
            yield
            return
        self._moving = render.Moving()
        with Live(self._moving, console=self._console, transient=True, refresh_per_second=10):
            yield

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        try:
            await asyncio.to_thread(_copy, local_path(attachment), to, limit_bytes)
        except OSError as error:
            raise PlatformUnavailable(f"{attachment.url}: {error}") from error

    async def progress(self, update: Update) -> None:
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
                self._say(render.cell(self._code, execution))
                self._moving.doing = ""

    @property
    def can_ask(self) -> bool:
        # Whoever sits here waits for the answer: what is refused stays so.
        return False

    async def ask(self, text: str, question: str) -> None:
        raise PlatformUnavailable("nobody is asked on a terminal")

    async def settle(self, text: str, question: str) -> None:
        """Nobody was asked."""

    async def post(self, output: Output, key: str) -> None:
        if key in self._posted:
            return
        text = self._not_shown_yet(output.text)
        self._moving.text = self._moving.doing = ""
        try:
            if text:
                self._say(render.answer(text), text)
            await self._post_files(output.artifacts)
        except OSError as error:
            raise PlatformUnavailable(str(error)) from error
        self._posted.add(key)

    async def post_execution(self, execution: Execution) -> None:
        """A cell that nobody comments: what it put out, and its files."""
        if execution.text:
            self._say(render.output(execution.text), execution.text.removesuffix("\n"))
        await self._post_files(execution.artifacts)

    async def _post_files(self, artifacts: Sequence[Artifact]) -> None:
        for artifact in artifacts:
            path = await asyncio.to_thread(out.save, artifact, self._folder)
            self.saved[artifact.name] = path
            line = render.artifact(artifact, path, self._locale)
            self._say(line, line.plain)

    def _keep_text(self) -> None:
        """The text so far stays on the screen; what comes next is another one."""
        text, self._moving.text = self._moving.text.strip(), ""
        if text and self._console.is_terminal:
            self._kept = text
            self._say(render.answer(text))

    def _not_shown_yet(self, text: str) -> str:
        """Of a turn that was stopped, the text may begin with what stands above its last cell."""
        kept, self._kept = self._kept, ""
        return text.removeprefix(kept).strip() if kept and f"{text}\n".startswith(f"{kept}\n") else text

    def _say(self, pretty: RenderableType, plain: str | None = None) -> None:
        if self._console.is_terminal:
            self._console.print(pretty)
        elif plain is not None and not self._console.quiet:
            self._console.file.write(f"{plain}\n")
            self._console.file.flush()


def _copy(source: Path, target: Path, limit_bytes: int) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        left = limit_bytes
        while chunk := reading.read(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise AttachmentRefused(str(source), sentence="attachment_over_limit")
            writing.write(chunk)
