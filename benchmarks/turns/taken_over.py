"""A worker is killed in the middle of a turn: until another one, which shares only the store with it, goes on."""

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.figure import Figure, on_this_machine
from benchmarks.turns.opened import POSTGRES, Bot, ask, bot_on, check, kinds, thread
from benchmarks.turns.worker import begun, go, said

TIMES = 3


async def figures() -> list[Figure]:
    if POSTGRES not in kinds():
        return []
    async with bot_on(POSTGRES) as bot:
        spent = [await _seconds(bot, number) for number in range(TIMES)]
    # The worst: leases are renewed once a second, and somebody may have died at any moment of it.
    return [on_this_machine("turns.taken_over.worst", max(spent), "s", "≤ 5 s")]


async def _seconds(bot: Bot, number: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.Event()
        elsewhere = replace(bot, folder=Path(folder))
        async with (
            begun(bot, answers=False) as dying,
            elsewhere.worker(began=taken.set) as worker,
            bot.desk() as desk,
        ):
            go(dying)
            await ask(desk, thread(f"over-{number}"))
            await said(dying, "began")
            working = asyncio.create_task(worker.work())
            dying.kill()
            killed = time.perf_counter()
            await taken.wait()
            spent = time.perf_counter() - killed
            await worker.drain()
            await working
            await check(desk.store, number + 1)
    return spent
