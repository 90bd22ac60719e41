"""One house for all cases of a runtime: a deployment with a neighbour that lives on while the others come and go."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.messages import ThreadId
from sandbox.pool import DockerSandbox
from sandbox.session import BoxSession
from tests.sandbox.conftest import Deployment, run

LOOP = "package"
everywhere = pytest.mark.parametrize(
    "house", ["runc", pytest.param("runsc", marks=pytest.mark.gvisor)], indirect=True, scope="package"
)
"""For tests that hold on every runtime: those of one share its house."""
SECRET = "the neighbour's own"
QUICK_SECONDS = {"runc": 2.0, "runsc": 4.0}
"""For a small cell, on a machine that is busy with somebody else's attack."""
GONE_SECONDS = 20


@dataclass
class House:
    deployment: Deployment
    sandbox: DockerSandbox
    neighbour: BoxSession
    residents: list[BoxSession] = field(default_factory=list[BoxSession])
    """Others whose containers stay from test to test."""
    _threads: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def runtime(self) -> str:
        return self.deployment.runtime

    @asynccontextmanager
    async def session(self) -> AsyncIterator[BoxSession]:
        thread = ThreadId(f"test:T1/C1/{next(self._threads)}")
        try:
            async with self.sandbox.session(thread) as session:
                yield session
        finally:
            await self.sandbox.end(thread)

    async def disturb_nobody(self) -> None:
        """The neighbour still has its variable, answers at once, and sees no more than it did."""
        began = time.monotonic()
        done = await run(self.neighbour, "print(secret, sorted(os.listdir()), threading.active_count())")
        seconds = time.monotonic() - began

        assert done.text == f"{SECRET} ['own.txt'] 1\n"
        assert (done.notes, done.lost_variables) == ((), None)
        assert seconds < QUICK_SECONDS[self.runtime]

    async def only(self, *sessions: BoxSession) -> None:
        """These sessions and those who live here have a container each, and there are no others."""
        wanted = {each.box.container for each in (self.neighbour, *self.residents, *sessions) if each.box}
        async with asyncio.timeout(GONE_SECONDS):
            while set(await asyncio.to_thread(self.deployment.containers)) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.2)


@dataclass
class Host:
    """What an attack costs the process that we are."""

    most_bytes: int = 0
    """By which it grew at its largest."""
    longest_pause: float = 0
    """Seconds in which nothing else could be done."""


@asynccontextmanager
async def watched() -> AsyncIterator[Host]:
    host = Host()
    before = _memory("VmRSS")
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    ticking = asyncio.create_task(_tick(host))
    try:
        yield host
    finally:
        ticking.cancel()
        host.most_bytes = _memory("VmHWM") - before


async def _tick(host: Host) -> None:
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.02)
        host.longest_pause = max(host.longest_pause, time.monotonic() - began - 0.02)


def _memory(what: str) -> int:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[what].split()[0]) * 1024


FACTS = """
def _facts():
    import json, os
    from io import open
    left, own = [], os.readlink("/proc/self")
    for pid in os.listdir("/proc"):
        if pid.isdigit() and pid not in ("1", own):
            try: stat = open(f"/proc/{pid}/stat").read()
            except OSError: continue
            if stat.rsplit(")", 1)[1].split()[0] not in "ZX": left.append(stat[:40])
    with open("/workspace/put.txt") as file: put = file.read()
    with open("/workspace/facts.json", "w") as file:
        json.dump({"canary": "canary" in globals(), "put": put, "left": left}, file)
_facts()
"""


@dataclass
class Facts:
    canary: bool
    """Whether earlier variables are there."""
    put: str
    """What stands in a file that the host had put there."""
    left: list[str]
    """Processes beside the kernel."""
    lost: list[tuple[str, ...] | None]
    """Variables that were gone by then, as it is told."""


async def facts_of(session: BoxSession, tries: int = 1) -> Facts:
    """What a later cell finds."""
    lost: list[tuple[str, ...] | None] = []
    for _ in range(tries):
        done = await run(session, FACTS)
        lost.append(done.lost_variables)
        for artifact in done.artifacts:
            if artifact.workspace_name == "facts.json":
                return Facts(**json.loads(artifact.path.read_bytes()), lost=lost)
    raise AssertionError(f"{done.outcome}: {done.text[:500]!r}")
