"""`plotline serve` as people start it, in another process, with fake platforms and a script for the model."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from bot.cli import serve
from bot.config import deployment, load

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("script.md")
FINISHING_SECONDS = 10


@dataclass
class Serving:
    folder: Path
    """Holds DATA_DIR and the log."""
    env: dict[str, str]
    may_complain: bool = False
    """Whether something is to go wrong of which operators read in the log."""
    has_platform: bool = True
    """Else there is nothing to serve: whoever asks starts the bot, and it ends with its answer."""
    starts: int = 0
    _running: asyncio.subprocess.Process | None = field(default=None)

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Ends with SIGTERM, unless somebody killed it before."""
        process = await self.start(*arguments)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(40):
                    await process.wait()
            except TimeoutError:
                process.kill()
                raise

    @asynccontextmanager
    async def here(self) -> AsyncIterator[None]:
        """In this process, which is up sooner. Told to end as the other is; what takes too long is not finished."""
        if not self.has_platform:
            yield
            return
        handlers = logging.getLogger().handlers[:]
        with (
            mock.patch.dict(os.environ, self.env, clear=True),
            self.log.open("a") as log,
            contextlib.redirect_stderr(log),
        ):
            serving = asyncio.create_task(serve.run(argparse.Namespace(role="all"), load()))
            try:
                yield
            finally:
                await _ended(serving)
                logging.getLogger().handlers = handlers
                structlog.reset_defaults()

    async def operator(self, *arguments: str) -> str:
        """What `plotline` says to whoever runs the bot, in another process."""
        process = await self.program(
            *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        self.starts += 1
        with self.log.open("ab") as log:
            return await self.program("serve", *arguments, stderr=log, stdout=log)

    async def program(self, *arguments: str, **streams: Any) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "bot", *arguments]
        return await asyncio.create_subprocess_exec(*command, cwd=self.folder, env=self.env, **streams)

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    def logged(self, event: str) -> bool:
        return self.log.exists() and f"event={event}" in self.log.read_text("utf-8")

    async def until_code_runs(self) -> None:
        """Until code that leaves `began.txt` in its workspace, as the script's slow ones do, is at work."""
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(self._began):  # noqa: ASYNC110  # the engine tells nobody
                await asyncio.sleep(0.05)

    def remove_boxes(self) -> None:
        if boxes := self._boxes():
            subprocess.run(["docker", "rm", "-f", *boxes], check=False, capture_output=True)

    def _began(self) -> bool:
        look = ("test", "-e", "/workspace/began.txt")
        ended = [
            subprocess.run(["docker", "exec", box, *look], check=False, capture_output=True)
            for box in self._boxes()
        ]
        return any(each.returncode == 0 for each in ended)

    def _boxes(self) -> list[str]:
        ours = f"label=plotline.deployment={deployment(self.folder / 'data')}"
        listed = subprocess.run(
            ["docker", "ps", "-aq", "-f", ours], check=True, capture_output=True, text=True
        )
        return listed.stdout.split()


def contents(file: Path) -> bytes:
    """What a file of a bot holds that may be at work here; nothing where there is none.

    Read by another process: closing a file takes away every lock that a process has on it. SQLite's would go with them,
    and the next one to close the store would remove its log of changes under the bot.
    """
    read = subprocess.run(["cat", file], check=False, capture_output=True)
    assert read.returncode == 0 or not file.exists(), read.stderr
    return read.stdout


async def _ended(serving: asyncio.Task[int]) -> None:
    # Without a handler the signal would end this process.
    if not serving.done() and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait([serving], timeout=FINISHING_SECONDS)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "DATA_DIR": str(folder / "data"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "MODEL_SCRIPT": str(SCRIPT),
        "OPERATOR_CONTACT": "the lab",
        "LIMITS__WARM": "0",
        "NO_PROXY": "127.0.0.1",
    }
