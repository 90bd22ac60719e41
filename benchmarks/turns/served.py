"""`plotline serve` in a process of its own, beside fake platforms, and gone with its boxes afterwards."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sandbox.opened import docker
from bot.config import deployment

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "DOCKER_HOST")


@dataclass(frozen=True, slots=True)
class Served:
    folder: Path
    """Has the data, and the log."""
    env: Mapping[str, str]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"


@asynccontextmanager
async def served(what: Served) -> AsyncIterator[asyncio.subprocess.Process]:
    """As it comes: with all defaults."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {"HOME": str(what.folder), "DATA_DIR": str(what.data_dir), "LANG": "C.UTF-8"}
    env |= {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
    with (what.folder / "log.txt").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"),
            cwd=what.folder,
            env={**env, **what.env},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        if boxes := docker(
            "ps", "-aq", "-f", f"label=plotline.deployment={deployment(what.data_dir)}"
        ).split():
            docker("rm", "-f", *boxes)
