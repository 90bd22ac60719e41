"""The real program, as people start it: another process, in a directory and with a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.config import deployment
from tests.cli.terminal import Terminal
from tests.stores import prepare

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "bot"]
SECONDS = 120


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        (line,) = self.stdout.splitlines()
        return json.loads(line)


@dataclass
class Program:
    directory: Path
    env: dict[str, str] = field(default_factory=dict[str, str])

    def run(self, *arguments: str, stdin: str | bytes = "") -> Finished:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        with self.start(*arguments) as running:
            stdout, stderr = running.communicate(data, timeout=SECONDS)
        return Finished(running.returncode, stdout.decode(), stderr.decode())

    @contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.directory,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            try:
                yield running
            finally:
                running.kill()

    @contextmanager
    def terminal(self, *arguments: str) -> Iterator[Terminal]:
        terminal = Terminal([*COMMAND, *arguments], self.directory, self.env)
        try:
            yield terminal
        finally:
            terminal.close()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def boxes(self) -> list[str]:
        """The containers of this test."""
        ours = f"label=plotline.deployment={deployment(Path(self.env['DATA_DIR']))}"
        listed = subprocess.run(
            ["docker", "ps", "-aq", "-f", ours], check=True, capture_output=True, text=True
        )
        return listed.stdout.split()


@pytest.fixture
def plotline(tmp_path: Path) -> Program:
    directory = tmp_path / "here"
    directory.mkdir()
    prepare(tmp_path / "data")
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    return Program(
        directory,
        {
            **kept,
            "HOME": str(tmp_path),
            "DATA_DIR": str(tmp_path / "data"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        },
    )


@pytest.fixture
def boxed(plotline: Program) -> Iterator[Program]:
    """For tests that run code: their containers end with them."""
    yield plotline
    if boxes := plotline.boxes():
        subprocess.run(["docker", "rm", "-f", *boxes], check=True, capture_output=True)
