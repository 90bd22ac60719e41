"""Twenty people at once, on whatever this machine has: the last of them against plain Pythons without any container."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.reference import CHART, local_chart
from benchmarks.sandbox.opened import Deployment, run, thread
from sandbox.pool import DockerSandbox

PEOPLE = 20
TIMES = 2


async def figures() -> list[Figure]:
    ours, theirs = [], []
    for _ in range(TIMES):
        theirs.append(await local_pythons())
        ours.append(await new_threads())
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    reference = f"{PEOPLE} fresh local Pythons, two at a time: {statistics.median(theirs):.2f} s"
    value = round(statistics.median(ours), 2)
    return [Figure("sandbox.at_once.20_charts", value, "s", reference, round(ratio, 3), "≤ 1.0")]


async def new_threads() -> float:
    """Seconds until all have their charts: each in a thread of its own, which nothing was kept ready for but one."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder)).of_its_own() as deployment,
            deployment.opened(warm=deployment.limits.warm) as sandbox,
        ):
            await sandbox.until_warm()
            started = time.perf_counter()
            await asyncio.gather(*(_chart(sandbox, number) for number in range(PEOPLE)))
            return time.perf_counter() - started


async def local_pythons() -> float:
    turn = asyncio.Semaphore(2)

    async def one() -> None:
        async with turn:
            await local_chart()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(PEOPLE)))
    return time.perf_counter() - started


async def _chart(sandbox: DockerSandbox, number: int) -> None:
    async with sandbox.session(thread(number)) as session:
        execution = await run(session, CHART)
    if not execution.artifacts:
        raise RuntimeError("there is no picture")
