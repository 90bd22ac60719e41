"""A sandbox for one figure: of a deployment of its own, whose boxes are gone afterwards."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bot.config import Settings, machine_bytes
from bot.execution import Execution, Outcome
from bot.limits import Limits, for_memory
from bot.messages import ThreadId
from bot.store.store import Store
from sandbox.pool import DockerSandbox
from sandbox.session import BoxSession


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a bot is told. Each `opened()` is what another process of it would be."""

    folder: Path
    runtime: str = "runc"
    image: str = field(default_factory=lambda: Settings().sandbox_image)
    limits: Limits = field(default_factory=lambda: for_memory(machine_bytes()))
    name: str = field(default_factory=lambda: f"benchmark-{uuid.uuid4().hex[:8]}")

    @asynccontextmanager
    async def opened(self, warm: int = 0) -> AsyncIterator[DockerSandbox]:
        async with (
            Store.opened(self.folder) as store,
            DockerSandbox(
                image=self.image,
                runtime=self.runtime,
                data_dir=self.folder,
                blobs=store.blobs,
                sessions=store.sessions,
                limits=self.limits,
                deployment=self.name,
                warm=warm,
            ) as sandbox,
        ):
            yield sandbox

    @asynccontextmanager
    async def of_its_own(self) -> AsyncIterator[Self]:
        """Nothing of it is left afterwards."""
        try:
            yield self
        finally:
            if containers := self.containers():
                docker("rm", "-f", *containers)

    async def settled(self, sandbox: DockerSandbox, boxes: int = 1) -> None:
        """Waits until as many are ready as were wanted, and all others are gone."""
        await sandbox.until_warm()
        while len(self.containers()) > boxes:  # noqa: ASYNC110  # the engine sets no Event of ours
            await asyncio.sleep(0.1)

    def containers(self) -> list[str]:
        return docker("ps", "-aq", "--no-trunc", "-f", f"label=plotline.deployment={self.name}").split()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def has_gvisor() -> bool:
    return "runsc" in docker("info", "-f", "{{json .Runtimes}}")


async def run(session: BoxSession, code: str, *, outcome: Outcome = Outcome.OK) -> Execution:
    """Raises unless it ends as expected: a figure of something that failed is none."""
    execution = await session.run(code, cell_id=uuid.uuid4().hex, seconds=60)
    if execution.outcome is not outcome:
        raise RuntimeError(f"{execution.outcome}: {execution.text}")
    return execution


def thread(name: object) -> ThreadId:
    return ThreadId(f"bench:T1/{name}")
