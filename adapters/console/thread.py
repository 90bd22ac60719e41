"""The Thread port on a terminal."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from adapters.console import out, render
from adapters.console.inbound import local_path
from adapters.console.screen import Screen
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.execution import Artifact, Execution
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update


class ConsoleThread:
    """`folder` gets copies of the artifacts; a quiet console shows nothing at all."""

    def __init__(self, id: ThreadId, console: Console, folder: Path, locale: str = "en") -> None:  # noqa: A002  # as in the port
        self.id = id
        self.saved: dict[str, Path] = {}
        """Where the copies of posted artifacts lie, by name."""
        self._screen = Screen(console)
        self._folder = folder
        self._locale = locale
        self._posted: set[str] = set()

    async def introduce(self, message: Message) -> Message:
        return message

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        return Above()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        with self._screen.moving():
            yield

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        try:
            await asyncio.to_thread(_copy, local_path(attachment), to, limit_bytes)
        except OSError as error:
            raise PlatformUnavailable(f"{attachment.url}: {error}") from error

    async def progress(self, update: Update) -> None:
        self._screen.show(update)

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
        try:
            self._screen.answer(output.text)
            await self._post_files(output.artifacts)
        except OSError as error:
            raise PlatformUnavailable(str(error)) from error
        self._posted.add(key)

    async def whisper(self, text: str, key: str) -> None:
        await self.post(Output(text), key)

    async def post_execution(self, execution: Execution) -> None:
        """A cell that nobody comments: what it put out, and its files."""
        if execution.text:
            self._screen.say(render.output(execution.text), execution.text.removesuffix("\n"))
        await self._post_files(execution.artifacts)

    async def _post_files(self, artifacts: Sequence[Artifact]) -> None:
        for artifact in artifacts:
            path = await asyncio.to_thread(out.save, artifact, self._folder)
            self.saved[artifact.name] = path
            line = render.artifact(artifact, path, self._locale)
            self._screen.say(line, line.plain)


def _copy(source: Path, target: Path, limit_bytes: int) -> None:
    if source.stat().st_size > limit_bytes:
        raise AttachmentRefused(str(source), sentence="attachment_over_limit")
    shutil.copyfile(source, target)
