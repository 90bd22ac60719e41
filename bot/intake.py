"""START HERE. A message comes in; if there is something to work on, it gets a turn.

    intake ─▶ engine ─▶ turn.take ─▶ uploads      its files: fetched, named, put into the session, looked into
                                  ─▶ prompt       what the model is told of it
                                  ─▶ agent        ask the model (asking), run its code (cells), until it is done
                                  ─▶ answer       the model's Markdown made ready for the thread
                                  ─▶ thread.post

Everything that a turn does is a step in its journal (`bot.journal`), so that it outlives whoever works on it.
"""

import asyncio
import contextlib

from bot.engine import alive
from bot.engine.taking import question, take
from bot.messages import Message
from bot.ports import Thread
from bot.stopping import Stop, Stopped, unless_stopped
from bot.store.claiming import Bounds, Claimant, Claimed
from bot.turn import Parts, TurnResult

WAIT_SECONDS = 0.1
ALONE = Bounds(worker=1, user=1_000, everywhere=1_000)


async def receive(message: Message, thread: Thread, parts: Parts, stop: Stop) -> TurnResult:
    """One turn for this message, worked on here and answered in its thread before this returns.

    Setting `stop` ends it early: the running cell is interrupted, what was done so far is posted. Raises `Fenced` when
    somebody else ended it, `StoreUnavailable`, `CancelledError`.
    """
    store = parts.store
    turn = question(thread.id, message)
    await store.turns.add(turn)
    claimed = await _claimed(turn.id, thread, parts, stop)
    result = None
    try:
        result = await take(claimed, thread, parts, stop)
        return result
    finally:
        if result is None or not result.delivered:
            # Nobody else goes on with it here, whatever kept it from its end.
            await asyncio.shield(_abandon(claimed, parts))


async def _abandon(claimed: Claimed, parts: Parts) -> None:
    await parts.store.turns.end(claimed.hold, "cancelled")
    await parts.store.turns.stop(key=claimed.key)


async def _claimed(turn: str, thread: Thread, parts: Parts, stop: Stop) -> Claimed:
    """Once what others do in the thread has ended. What a process that died has left there is not gone on with."""
    store = parts.store
    while True:
        running = await store.turns.workers()
        if left := await alive.dead(store.data_dir, running, with_others=not store.database.is_sqlite):
            await store.turns.leave_dead(thread.id, left)
        claimed = await store.turns.claim(Claimant(parts.worker, ALONE, only=turn))
        if claimed:
            return claimed
        with contextlib.suppress(Stopped):
            await unless_stopped(stop, asyncio.sleep(WAIT_SECONDS))
