"""How long files take on their way into a box and out of it, and a whole session into a new one."""

import os
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.figure import MIB, Figure, on_this_machine
from benchmarks.sandbox.opened import Deployment, run, thread
from sandbox.session import BoxSession

TIMES = 7
RESTORED = 3
WRITE = """
import os
with open("out-{number}", "wb") as file:
    file.write(os.urandom({size}))
"""
NOTHING = "pass"
STATE = """
import numpy as np, pandas as pd
for number in range(5):
    np.random.default_rng(number).integers(256, size=10 * 1024 * 1024, dtype="u1").tofile(f"file-{number}")
for number in range(25):
    globals()[f"table_{number}"] = pd.DataFrame({"a": range(1000), "b": [str(each) for each in range(1000)]})
    globals()[f"value_{number}"] = {"number": number, "words": ["some", "words"] * 10}
"""
CHECK = """
import os
assert sum(os.path.getsize(f"file-{number}") for number in range(5)) == 50 * 1024 * 1024
assert all(len(globals()[f"table_{number}"]) == 1000 for number in range(25))
assert all(globals()[f"value_{number}"]["number"] == number for number in range(25))
"""


async def figures() -> list[Figure]:
    return [*await moved(), await restored()]


async def moved() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder)).of_its_own() as deployment,
            deployment.opened() as sandbox,
            sandbox.session(thread("files")) as session,
        ):
            return [await into(session, Path(folder)), await out_of(session)]


async def into(session: BoxSession, folder: Path) -> Figure:
    """As an attachment goes in: it lies in the workspace, and in the store."""
    source, spent = folder / "20 MB", []
    for number in range(TIMES):
        source.write_bytes(os.urandom(20 * MIB))
        started = time.perf_counter()
        await session.put(f"in-{number % 2}", source)
        spent.append((time.perf_counter() - started) * 1000)
    return on_this_machine("sandbox.files.20_MB_in", statistics.median(spent), "ms", "≤ 100 ms")


async def out_of(session: BoxSession) -> Figure:
    """As a file goes out that a cell wrote: it lies in the store. The cell's own time is not counted."""
    spent = []
    for number in range(TIMES):
        started = time.perf_counter()
        execution = await run(session, WRITE.format(number=number % 2, size=20 * MIB))
        spent.append((time.perf_counter() - started - execution.seconds) * 1000)
        if execution.artifacts[0].path.stat().st_size != 20 * MIB:
            raise RuntimeError("the file did not come out")
    return on_this_machine("sandbox.files.20_MB_out", statistics.median(spent), "ms", "≤ 100 ms")


async def restored() -> Figure:
    """50 MB in five files and 50 variables, saved and put away, in a box that was kept ready."""
    spent = []
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        deployment = await stack.enter_async_context(Deployment(Path(folder)).of_its_own())
        sandbox = await stack.enter_async_context(deployment.opened(warm=1))
        for number in range(RESTORED):
            name = thread(f"restored-{number}")
            async with sandbox.session(name) as session:
                await run(session, STATE)
            # As it is when it has been idle for long.
            if not await sandbox._put_away(name):
                raise RuntimeError("the session is not put away")
            await deployment.settled(sandbox)
            started = time.perf_counter()
            async with sandbox.session(name) as session:
                lost = session.lost_variables
                await run(session, NOTHING)
                spent.append(time.perf_counter() - started)
                await run(session, CHECK)
            if lost:
                raise RuntimeError(f"not restored: {lost}")
            await sandbox.end(name)
    return on_this_machine("sandbox.files.restore", statistics.median(spent), "s", "≤ 2 s")
