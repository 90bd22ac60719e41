"""Turn 300 of a thread against turn 3 of another, in our own time: each asks for a cell, and answers."""

import tempfile
from pathlib import Path

from benchmarks.figure import Figure, against, milliseconds
from benchmarks.turns.opened import Answering, Bot, received, thread
from bot.engine import alive
from bot.turn import Parts

EARLY, LATE = 3, 300
TIMES = 60


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        bot = Bot(Path(folder), model=Answering(asks_for_code=True))
        async with bot.store() as store, alive.working(bot.folder) as worker:
            parts = bot.parts(store, worker)
            await _turns(parts, "long", LATE - 1)
            late, early = [], []
            for number in range(TIMES):
                await _turns(parts, f"short-{number}", EARLY - 1)
                early.append(await milliseconds(lambda: _turns(parts, f"short-{number}", 1)))  # noqa: B023
                late.append(await milliseconds(lambda: _turns(parts, "long", 1)))
    return [against("turns.long.turn_300", late, "turn 3", early, "≤ 1.2")]


async def _turns(parts: Parts, name: str, count: int) -> None:
    for _ in range(count):
        await received(parts, thread(name))
