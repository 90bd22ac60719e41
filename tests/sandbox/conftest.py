"""Real containers: a sandbox of a deployment of its own, whose containers end with the test."""

import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.execution import Execution
from bot.limits import MIB, Limits
from bot.messages import ThreadId
from bot.store.store import Store
from sandbox.pool import DockerSandbox
from sandbox.session import BoxSession
from tests.stores import prepare

IMAGE = "plotline-sandbox:core"
THREAD = ThreadId("test:T1/C1/1")
LIMITS = Limits(idle_seconds=120, memory_bytes=512 * MIB, workspace_bytes=64 * MIB)


@dataclass
class Deployment:
    """A data directory and an engine. Each `opened()` is what another process would be."""

    data_dir: Path
    runtime: str = "runc"
    limits: Limits = LIMITS
    name: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:10]}")

    @asynccontextmanager
    async def opened(self, warm: int = 0) -> AsyncIterator[DockerSandbox]:
        async with (
            Store.opened(prepare(self.data_dir)) as store,
            DockerSandbox(
                image=IMAGE,
                runtime=self.runtime,
                data_dir=store.data_dir,
                blobs=store.blobs,
                sessions=store.sessions,
                limits=self.limits,
                deployment=self.name,
                warm=warm,
            ) as sandbox,
        ):
            yield sandbox

    @asynccontextmanager
    async def session(self, thread: ThreadId = THREAD) -> AsyncIterator[BoxSession]:
        async with self.opened() as sandbox, sandbox.session(thread) as session:
            yield session

    def containers(self) -> list[str]:
        wanted = ["-f", f"label=plotline.deployment={self.name}"]
        return docker("ps", "-aq", "--no-trunc", *wanted).split()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


async def run(session: BoxSession, code: str, *, seconds: float = 30, cell: str | None = None) -> Execution:
    return await session.run(code, cell_id=cell or uuid.uuid4().hex, seconds=seconds)


@pytest.fixture(params=["runc", pytest.param("runsc", marks=pytest.mark.gvisor)])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param not in docker("info", "-f", "{{json .Runtimes}}"):
        pytest.skip(f"the engine does not know {request.param}")
    return str(request.param)


@pytest.fixture
def deployment(tmp_path: Path, runtime: str) -> Iterator[Deployment]:
    made = Deployment(tmp_path, runtime)
    yield made
    if containers := made.containers():
        docker("rm", "-f", *containers)


@pytest.fixture
async def session(deployment: Deployment) -> AsyncIterator[BoxSession]:
    async with deployment.session() as opened:
        yield opened


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """A file on the host."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write
