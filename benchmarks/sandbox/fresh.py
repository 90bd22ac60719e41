"""How long somebody waits who begins a thread: with a box kept ready, and without."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, against, milliseconds, on_this_machine
from benchmarks.reference import CHART, docker_run_true, local_chart
from benchmarks.sandbox.opened import Deployment, has_gvisor, run, thread
from sandbox.pool import DockerSandbox

FRESH = 15
COLD = 7
TARGETS = {"runc": "≤ 100 ms", "runsc": "≤ 150 ms"}
NAMES = {"runc": "sandbox.fresh.first_chart", "runsc": "sandbox.fresh.first_chart_gvisor"}


async def figures() -> list[Figure]:
    found = await from_the_pool()
    found.append(await chart("runc"))
    if has_gvisor():
        found.append(await chart("runsc"))
    else:
        print("sandbox.fresh.first_chart_gvisor is left out: this engine does not know runsc.")
    found += [await beside_python(), await nothing_ready()]
    return found


async def from_the_pool() -> list[Figure]:
    """Until a box is there, and until its first cell has answered."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder)).of_its_own() as deployment,
            deployment.opened(warm=1) as sandbox,
        ):
            spent = [await _first(sandbox, number, "1+1") for number in range(FRESH)]
    there, answered = (statistics.median(each) for each in zip(*spent, strict=True))
    return [
        on_this_machine("sandbox.fresh.hand_out", there, "ms", "≤ 5 ms"),
        on_this_machine("sandbox.fresh.first_result", answered, "ms", "≤ 10 ms"),
    ]


async def chart(runtime: str) -> Figure:
    """The first cell of a thread imports, plots, and its picture lies on the host."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder), runtime).of_its_own() as deployment,
            deployment.opened(warm=1) as sandbox,
        ):
            spent = [(await _first(sandbox, number, CHART))[1] for number in range(FRESH)]
    return on_this_machine(NAMES[runtime], statistics.median(spent), "ms", TARGETS[runtime])


async def beside_python() -> Figure:
    """The same chart, by a Python of this machine that has to import what it takes."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Deployment(Path(folder)).of_its_own() as deployment,
            deployment.opened(warm=1) as sandbox,
        ):
            for number in range(COLD):
                theirs.append(await local_chart())
                ours.append((await _first(sandbox, number, CHART))[1])
    return against(
        "sandbox.fresh.chart_beside_python", ours, "a local Python, import and plot", theirs, "≤ 1"
    )


async def nothing_ready() -> Figure:
    """A container is made, started, and runs its first cell."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        async with Deployment(Path(folder)).of_its_own() as deployment, deployment.opened() as sandbox:
            for number in range(COLD):
                theirs.append(await docker_run_true(deployment.image))
                ours.append(await milliseconds(lambda number=number: _first(sandbox, number, "1+1")))  # type: ignore[misc]
    return against("sandbox.fresh.nothing_ready", ours, "`docker run --rm IMAGE true`", theirs, "≤ 3")


async def _first(sandbox: DockerSandbox, number: int, code: str) -> tuple[float, float]:
    """Milliseconds until there is a session, and until its first cell has answered with all it left."""
    await sandbox.until_warm()
    started = time.perf_counter()
    async with sandbox.session(thread(number)) as session:
        there = time.perf_counter()
        execution = await run(session, code)
        answered = time.perf_counter()
    if code == CHART and not [each for each in execution.artifacts if each.path.stat().st_size]:
        raise RuntimeError("there is no picture")
    return (there - started) * 1000, (answered - started) * 1000
