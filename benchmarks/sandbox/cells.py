"""How long a cell takes in a session that is up, and how soon one that does not end is stopped."""

import asyncio
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from benchmarks.figure import Figure, against, milliseconds, on_this_machine
from benchmarks.reference import kernel_round_trip, local_kernel
from benchmarks.sandbox.opened import Deployment, run, thread
from bot.execution import Outcome
from sandbox.session import BoxSession

WARM_CELLS = 300
UNCOUNTED = 20
LOOPS = 7
STUCK_LOOPS = 3
LOOP = "while True: pass"
STUCK = "sum(iter(int, 1))"
"""A loop in C, which never looks for signals."""


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder)).of_its_own() as deployment,
            deployment.opened() as sandbox,
            sandbox.session(thread("cells")) as session,
        ):
            return [await warm(session), await interrupted(session), await stuck(session)]


async def warm(session: BoxSession) -> Figure:
    ours, theirs = [], []
    async with local_kernel() as kernel:
        for number in range(WARM_CELLS + UNCOUNTED):
            cell = uuid.uuid4().hex
            one = await milliseconds(lambda cell=cell: session.run("1+1", cell_id=cell, seconds=10))  # type: ignore[misc]
            other = await kernel_round_trip(kernel, "1+1")
            if number >= UNCOUNTED:
                ours.append(one)
                theirs.append(other)
    return against("sandbox.cells.warm", ours, "local ipykernel `1+1`", theirs, "≤ 0.25")


async def interrupted(session: BoxSession) -> Figure:
    """A loop in Python is stopped on somebody's request; its variables are still there in the next cell."""
    await run(session, "kept = 42")
    spent = [await _stopped(session, LOOP, "assert kept == 42") for _ in range(LOOPS)]
    return on_this_machine("sandbox.cells.interrupt", statistics.median(spent), "ms", "≤ 150 ms")


async def stuck(session: BoxSession) -> Figure:
    """One in C does not listen: its process is ended, another one runs the next cell; files are still there."""
    await run(session, "open('kept', 'w').write('42')")
    check = "assert open('kept').read() == '42'"
    spent = [await _stopped(session, STUCK, check) / 1000 for _ in range(STUCK_LOOPS)]
    return on_this_machine("sandbox.cells.stuck", statistics.median(spent), "s", "≤ 3.5 s")


async def _stopped(session: BoxSession, code: str, check: str) -> float:
    """Milliseconds from the request to the end of another cell."""
    running = asyncio.ensure_future(run(session, code, outcome=Outcome.INTERRUPTED))
    await asyncio.sleep(0.5)
    started = time.perf_counter()
    await session.interrupt()
    await running
    await run(session, check)
    return (time.perf_counter() - started) * 1000
