"""How soon a bot that was killed goes on: from its new process being up to a cell's result in the old session."""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, on_this_machine
from benchmarks.sandbox.opened import Deployment, run, thread

TIMES = 5
THREAD = thread("again")


async def figures() -> list[Figure]:
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(TIMES):
            async with Deployment(Path(folder) / str(number)).of_its_own() as deployment:
                await killed(deployment)
                started = time.perf_counter()
                async with deployment.opened() as sandbox, sandbox.session(THREAD) as session:
                    await run(session, "assert kept == 42")
                    spent.append(time.perf_counter() - started)
    return [on_this_machine("sandbox.again.re_attach", statistics.median(spent), "s", "≤ 1 s")]


async def killed(deployment: Deployment) -> None:
    """Another process of this deployment has had a session, and is gone without a word."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(deployment.folder), deployment.name),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    said = await process.stdout.readline()
    process.kill()
    await process.wait()
    if said != b"ready\n":
        raise RuntimeError("there was no session")


async def be_killed(folder: str, name: str) -> None:
    async with Deployment(Path(folder), name=name).opened() as sandbox, sandbox.session(THREAD) as session:
        await run(session, "kept = 42")
        print("ready", flush=True)
        await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(be_killed(*sys.argv[1:]))
