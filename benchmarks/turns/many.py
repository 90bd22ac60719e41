"""A thousand turns of five steps, over a hundred threads of as many people: how many go through in a second.

They are asked beforehand; taking them in is measured by itself, as part of `started`. The five steps: who asks, the
prompt, the reply, the output, and its post, which is recorded by the turn's end.
"""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import func, select

from benchmarks.figure import Figure, on_this_machine
from benchmarks.turns.opened import POSTGRES, SQLITE, Bot, ask, bot_on, check, kinds, thread
from benchmarks.turns.worker import begun, go
from bot.desk import Desk
from bot.store.store import Store
from bot.store.tables import steps, turns

TURNS, THREADS, STEPS = 1000, 100, 5
WORKERS = {SQLITE: 1, POSTGRES: 2}
"""Processes."""
TARGETS = {SQLITE: "≥ 60 turns/s", POSTGRES: "≥ 100 turns/s"}
LOOK_SECONDS = 0.2


async def figures() -> list[Figure]:
    return [
        on_this_machine(f"turns.many.{kind}", await a_second(kind), "turns/s", TARGETS[kind])
        for kind in kinds()
    ]


async def a_second(kind: str) -> float:
    async with bot_on(kind) as bot, bot.desk() as desk:
        await _asked(desk)
        await _worked_on(bot, desk.store, WORKERS[kind])
        await check(desk.store, TURNS)
        recorded = await _count(desk.store, select(func.count()).select_from(steps))
        if recorded + TURNS < TURNS * STEPS:
            raise RuntimeError("these turns had fewer steps")
        # By the store's own record: from the first beginning to the last end.
        spent = func.max(turns.c.ended_at) - func.min(turns.c.began_at)
        return TURNS / await _count(desk.store, select(spent))


async def _asked(desk: Desk) -> None:
    for number in range(TURNS):
        await ask(desk, thread(number % THREADS), f"U{number % THREADS}")


async def _worked_on(bot: Bot, store: Store, workers: int) -> None:
    left = select(func.count()).select_from(turns).where(turns.c.state != "ended")
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(begun(bot)) for _ in range(workers)]
        for process in processes:
            go(process)
        while await _count(store, left):  # noqa: ASYNC110  # other processes end them
            await asyncio.sleep(LOOK_SECONDS)


async def _count(store: Store, query: object) -> float:
    return float(await store.database.read(lambda connection: connection.scalar(query)) or 0)  # type: ignore[call-overload]
