"""What a step of a turn costs beyond its effect: it is recorded, in its own transaction, before the next begins."""

import statistics

from benchmarks.figure import Figure, milliseconds, on_this_machine
from benchmarks.turns.opened import ask, bot_on, kinds, thread
from bot.engine import taking
from bot.journal import Journal, nobody_else
from bot.store.claiming import Bounds, Claimant

TIMES = 300
RESULT: dict[str, object] = {
    "kind": "reply",
    "text": "All together it is 42. " * 20,
    "usage": {"input": 1000, "output": 100},
}


async def figures() -> list[Figure]:
    return [
        on_this_machine(f"turns.steps.{kind}", statistics.median(await measured(kind)), "ms", "≤ 3 ms")
        for kind in kinds()
    ]


async def measured(kind: str) -> list[float]:
    async with bot_on(kind) as bot, bot.desk() as desk:
        turn = await ask(desk, thread(1))
        claimed = await desk.store.turns.claim(Claimant("bench", Bounds(1, 1, 1), only=turn))
        assert claimed
        journal = await taking.journal_of(claimed, desk.store, nobody_else)
        return [await milliseconds(lambda: _step(journal)) for _ in range(TIMES)]


async def _step(journal: Journal) -> None:
    async def effect(_name: str) -> dict[str, object]:
        return RESULT

    await journal.next("reply", effect)
