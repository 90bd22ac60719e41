"""From what somebody says in a thread where nothing runs to the beginning of its turn, in a worker that is idle."""

import asyncio
import statistics
import time

from benchmarks.figure import Figure, on_this_machine
from benchmarks.turns.opened import POSTGRES, SQLITE, ask, bot_on, check, kinds, thread

TIMES = 300
THREADS = 20
UNTIL_IDLE_SECONDS = 0.02
TARGETS = {SQLITE: ("≤ 10 ms", "≤ 50 ms"), POSTGRES: ("≤ 20 ms", "≤ 100 ms")}


async def figures() -> list[Figure]:
    found: list[Figure] = []
    for kind in kinds():
        spent = await measured(kind)
        middle, worst = statistics.median(spent), statistics.quantiles(spent, n=100)[-1]
        for name, value, target in zip(("p50", "p99"), (middle, worst), TARGETS[kind], strict=True):
            found.append(on_this_machine(f"turns.started.{kind}_{name}", value, "ms", target))
    return found


async def measured(kind: str) -> list[float]:
    """Milliseconds: admitted, stored, the worker woken, claimed, and admitted once more."""
    begun = asyncio.Queue[float]()
    spent = []
    async with (
        bot_on(kind) as bot,
        bot.worker(began=lambda: begun.put_nowait(time.perf_counter())) as worker,
        bot.desk() as desk,
    ):
        working = asyncio.create_task(worker.work())
        for number in range(TIMES + 1):
            asked = time.perf_counter()
            await ask(desk, thread(number % THREADS), f"U{number % THREADS}")
            spent.append((await begun.get() - asked) * 1000)
            while worker.running:  # noqa: ASYNC110  # workers tell nobody that they are idle
                await asyncio.sleep(UNTIL_IDLE_SECONDS)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await check(desk.store, TIMES + 1)
    return spent[1:]
