"""What a turn costs beyond the model's and the code's own time: a question, one cell, an answer, in a warm thread."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, on_this_machine
from benchmarks.sandbox.opened import Deployment
from benchmarks.turns.opened import Answering, Bot, received, thread
from bot.engine import alive
from bot.turn import Parts

TURNS = 30
FIRST = 5
"""Before these, nothing is warm."""


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        bot = Bot(Path(folder), model=Answering(asks_for_code=True))
        async with (
            Deployment(bot.folder).of_its_own() as deployment,
            deployment.opened() as sandbox,
            bot.store() as store,
            alive.working(bot.folder) as worker,
        ):
            parts = bot.parts(store, worker, sandbox)
            spent = [await _own_milliseconds(parts) for _ in range(TURNS)][FIRST:]
    return [on_this_machine("turns.own.time", statistics.median(spent), "ms", "≤ 50 ms")]


async def _own_milliseconds(parts: Parts) -> float:
    started = time.perf_counter()
    result = await received(parts, thread("own"))
    whole = time.perf_counter() - started
    return (whole - sum(execution.seconds for _, execution in result.cells)) * 1000
