"""Works on turns, one after the other in a thread, several at once in all, until it is told to end.

claim ─▶ take ─▶ end        `bot.engine.taking`; a turn whose worker died is claimed like any other
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from bot.engine import alive, lease
from bot.engine.bell import Bell
from bot.engine.lease import LEASE_SECONDS, RENEW_SECONDS, Lease
from bot.errors import Fenced, StoreUnavailable
from bot.journal import nobody_else
from bot.stopping import Stop
from bot.store.claiming import Bounds, Claimant, Claimed
from bot.store.turns import Turns

log = structlog.get_logger()

TAKEOVERS = 3
"""A turn on which so many workers have died is not tried again: it may be what they died of."""
LOOK_SECONDS = 1.0
"""With other machines, bells can be missed: then the store is looked at as often as this."""
LOOK_ALONE_SECONDS = 30.0
LEAST_SECONDS = 0.01
COUNT_DEAD_SECONDS = 1.0
"""How often is looked who has died."""
TRY_AGAIN_SECONDS = 5.0
DRAIN_SECONDS = 20.0

Check = Callable[[], Awaitable[None]]
Take = Callable[[Claimed, Stop, Check], Awaitable[None]]
"""Takes a turn to its end; the last argument raises `Fenced` once the turn is not the worker's any more."""


@dataclass(slots=True)
class _Running:
    claimed: Claimed
    stop: Stop
    lease: Lease | None
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Worker:
    name: str
    turns: Turns
    bell: Bell
    bounds: Bounds
    platforms: tuple[str, ...]
    take: Take
    give_up: Callable[[Claimed], Awaitable[None]]
    """Says in the thread that a turn is not tried again, and ends it."""
    data_dir: Path
    with_leases: bool
    """On several machines: else whoever has died is known by a lock."""
    _running: dict[str, _Running] = field(default_factory=dict[str, _Running])
    _draining: asyncio.Event = field(default_factory=asyncio.Event)
    _dead: Collection[str] = ()
    _counted_dead_at: float = -COUNT_DEAD_SECONDS

    @property
    def running(self) -> int:
        return len(self._running)

    async def work(self) -> None:
        """Until `drain`, or until it is cancelled. Turns that are still running then are left for others."""
        renewing = asyncio.create_task(self._renew_all()) if self.with_leases else None
        try:
            while not self._draining.is_set():
                await self._look()
            await self._finish()
        finally:
            tasks = [running.task for running in self._running.values() if running.task]
            for task in (*tasks, *([renewing] if renewing else [])):
                task.cancel()
            await asyncio.gather(*tasks, *([renewing] if renewing else []), return_exceptions=True)

    async def drain(self) -> None:
        """Begin nothing more; what runs may end, for a while."""
        self._draining.set()
        self.bell.ring_here()

    async def _look(self) -> None:
        try:
            await self._stop_some()
            await self._claim_some()
            due = await self.turns.next_due(self.name)
        except StoreUnavailable as error:
            log.warning("worker.waits", detail=str(error))
            due = TRY_AGAIN_SECONDS
        except Exception:
            # Whatever it was, nobody else would work here.
            log.exception("worker.stumbled")
            due = TRY_AGAIN_SECONDS
        most = LOOK_SECONDS if self.with_leases else LOOK_ALONE_SECONDS
        await self.bell.wait(most if due is None else min(most, max(due, LEAST_SECONDS)))

    async def _claim_some(self) -> None:
        claimed = None
        while not self._draining.is_set():
            newest = await self.turns.claim(await self._claimant())
            if newest is None:
                break
            claimed = newest
            self._begin(newest)
        if claimed and len(self._running) >= self.bounds.worker:
            # There may be more to do, for others.
            await self.bell.ring()

    async def _claimant(self) -> Claimant:
        claimant = Claimant(self.name, self.bounds, self.platforms, working_on=tuple(self._running))
        if self.with_leases:
            return replace(claimant, lease_seconds=LEASE_SECONDS)
        if time.monotonic() - self._counted_dead_at >= COUNT_DEAD_SECONDS:
            others = await self.turns.workers() - {self.name}
            self._dead = await alive.dead(self.data_dir, others, with_others=False) if others else []
            self._counted_dead_at = time.monotonic()
        return replace(claimant, dead=self._dead)

    def _begin(self, claimed: Claimed) -> None:
        running = _Running(claimed, Stop(), None)
        if self.with_leases:
            running.lease = Lease(claimed.id, lambda: self._renewed(running), LEASE_SECONDS)
        self._running[claimed.id] = running
        running.task = asyncio.get_running_loop().create_task(self._run(running))

    async def _run(self, running: _Running) -> None:
        claimed = running.claimed
        log_of = log.bind(thread=claimed.thread, turn=claimed.id, epoch=claimed.epoch)
        try:
            if claimed.takeovers > 2 * TAKEOVERS:
                # They died of giving up as well.
                log_of.error("turn.ended_without_a_word", takeovers=claimed.takeovers)
                await self.turns.end(claimed.hold, "error")
            elif claimed.takeovers > TAKEOVERS:
                log_of.error("turn.given_up", takeovers=claimed.takeovers)
                await self.give_up(claimed)
            else:
                await self._take_patiently(running)
        except Fenced as error:
            log_of.info("turn.fenced", detail=str(error))
        except Exception:
            # What a turn could not handle itself. Somebody else may fare better; after a few of these it is given up.
            log_of.exception("turn.broke")
            with contextlib.suppress(StoreUnavailable):
                await self.turns.break_off(claimed.hold, after_seconds=2.0**claimed.takeovers)
        finally:
            if self._running.get(claimed.id) is running:
                del self._running[claimed.id]
            self.bell.ring_here()

    async def _take_patiently(self, running: _Running) -> None:
        """A store that went away comes back: what was done before is recorded, and goes on from there."""
        check = running.lease.check if running.lease else nobody_else
        while True:
            try:
                return await self.take(running.claimed, running.stop, check)
            except StoreUnavailable as error:
                log.warning("turn.waits", turn=running.claimed.id, detail=str(error))
                running.claimed = replace(running.claimed, has_begun=True)
                await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _stop_some(self) -> None:
        for turn, why in (await self.turns.stops(list(self._running))).items():
            if turn in self._running and not self._running[turn].stop.is_set():
                self._running[turn].stop.set_for(why)

    async def _renewed(self, running: _Running) -> bool:
        claimed = running.claimed
        return bool(await self.turns.renew(self.name, {claimed.id: claimed.epoch}, LEASE_SECONDS))

    async def _renew_all(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew_some(list(self._running.values()))
            except StoreUnavailable as error:
                log.warning("leases.not_renewed", detail=str(error))
            except Exception:
                log.exception("leases.not_renewed")

    async def _renew_some(self, all_of_them: Sequence[_Running]) -> None:
        epochs = {running.claimed.id: running.claimed.epoch for running in all_of_them}
        if not epochs:
            return
        asked_at = lease.now()
        kept = await self.turns.renew(self.name, epochs, LEASE_SECONDS)
        for running in all_of_them:
            if running.claimed.id in kept and running.lease:
                running.lease.renewed(asked_at)
            elif running.task and not running.task.done():
                log.info("turn.fenced", turn=running.claimed.id, epoch=running.claimed.epoch)
                running.task.cancel()

    async def _finish(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        while self._running and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(StoreUnavailable):
                await self._stop_some()
            await self.bell.wait(min(left, LOOK_SECONDS))
        unfinished = list(self._running.values())
        tasks = [running.task for running in unfinished if running.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for running in unfinished:
            with contextlib.suppress(StoreUnavailable):
                await self.turns.give_back(running.claimed.hold)
        self._running.clear()
