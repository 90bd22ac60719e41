"""A terminal as a town: whoever sits there asks with `plotline ask`, and the bot runs for as long as it answers."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.program.serving import Serving
from tests.program.talk import File, Talk


@dataclass
class ConsoleTown:
    env: dict[str, str] = field(default_factory=lambda: {"LOG_LEVEL": "info"})
    serving: Serving | None = None
    """Says where it lives, and with which settings."""
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    """The process that answers in a thread, or did so last."""
    _given: int = 0

    def is_listening(self) -> bool:
        return True

    async def ask(self, text: str, *files: File, who: str = "anna") -> Talk:
        talk = Talk(f"talk-{len(self.running) + 1}")
        await self._ask(talk, text, files)
        return talk

    async def follow_up(self, talk: Talk, text: str, *files: File, who: str = "anna") -> None:
        await self.running[talk.first].wait()
        await self._ask(talk, text, files)

    def read(self, talk: Talk) -> list[str]:
        said = self._said(talk).read_text("utf-8")
        return [said] if said else []

    def files(self, talk: Talk) -> dict[str, bytes]:
        folder = self._home / "plotline-out" / talk.first
        return {each.name: each.read_bytes() for each in folder.iterdir()} if folder.is_dir() else {}

    def refused(self, talk: Talk) -> list[str]:
        return self.read(talk)

    async def stop(self, talk: Talk) -> None:
        """As Ctrl-C does it."""
        self.running[talk.first].send_signal(signal.SIGINT)

    async def kill(self, talk: Talk) -> None:
        process = self.running[talk.first]
        process.kill()
        await process.wait()

    async def _ask(self, talk: Talk, text: str, files: tuple[File, ...]) -> None:
        arguments = ["ask", text, "--thread", talk.first]
        for name, content in files:
            arguments += ["--file", str(self._written(name, content))]
        assert self.serving
        with self._said(talk).open("ab") as out, self.serving.log.open("ab") as log:
            self.running[talk.first] = await self.serving.program(*arguments, stdout=out, stderr=log)

    def _written(self, name: str, content: bytes) -> Path:
        """Files of one name lie in different folders."""
        self._given += 1
        path = self._home / "given" / str(self._given) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return path

    def _said(self, talk: Talk) -> Path:
        return self._home / f"{talk.first}.txt"

    @property
    def _home(self) -> Path:
        assert self.serving
        return self.serving.folder


@asynccontextmanager
async def console_town() -> AsyncIterator[ConsoleTown]:
    town = ConsoleTown()
    try:
        yield town
    finally:
        for process in town.running.values():
            if process.returncode is None:
                process.kill()
            await process.wait()
