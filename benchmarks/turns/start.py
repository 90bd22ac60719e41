"""`plotline serve` with ten thousand threads in its store: until it listens to its platform."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, on_this_machine
from benchmarks.turns.filled import fill
from benchmarks.turns.served import ROOT, Served, served
from tests.program.towns import slack_town

THREADS = 10_000
TIMES = 3
SCRIPT = ROOT / "tests/program/script.md"


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        await fill(Path(folder) / "data", THREADS)
        spent = [await _seconds(Path(folder)) for _ in range(TIMES)]
    return [on_this_machine("turns.start.10_000_threads", statistics.median(spent), "s", "≤ 2 s")]


async def _seconds(folder: Path) -> float:
    async with slack_town() as town:
        started = time.perf_counter()
        async with served(Served(folder, {**town.env, "MODEL_SCRIPT": str(SCRIPT)})):
            await town.slack.sockets.connected.wait()
            return time.perf_counter() - started
