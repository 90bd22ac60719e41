"""A worker as a process of its own, which may be told where to die or to freeze: `begin` starts one.

Its boundaries are the places before and after each of its effects: whatever it asks of the store, the model, the
sandbox and the platform. They are counted from the moment at which it has claimed a turn, and written to a file.
"""

import asyncio
import contextlib
import functools
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from bot import log, models
from bot.blobs import Blobs
from bot.engine import alive, bell, lease, postgres_bell, taking, worker
from bot.engine.serving import worker_for
from bot.limits import MIB, Limits
from bot.messages import ThreadId
from bot.models.endpoint import Endpoint
from bot.ports import Thread
from bot.store.claiming import Bounds
from bot.store.database import Database
from bot.store.store import Store
from bot.turn import Parts
from sandbox.box import Box
from sandbox.container import Engine
from sandbox.pool import DockerSandbox
from tests.chaos.platform import Kind
from tests.chaos.thread import LoopbackThread

LIMITS = Limits(idle_seconds=120, memory_bytes=512 * MIB, workspace_bytes=64 * MIB, warm=0)
BOUNDS = Bounds(worker=4, user=4, everywhere=16)


@dataclass(frozen=True)
class Plan:
    """What a worker is, and what becomes of it."""

    data_dir: Path
    deployment: str
    model_url: str
    platform_url: str
    platform_kind: Kind
    database_url: str = ""
    files_url: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    at: int | None = None
    """The boundary at which it dies, counted from 1."""
    signal: int = signal.SIGKILL
    lease_seconds: float = lease.LEASE_SECONDS
    renew_seconds: float = lease.RENEW_SECONDS
    takeovers: int = worker.TAKEOVERS
    patience_seconds: float = 60
    deliver_again_seconds: float = taking.DELIVER_AGAIN_SECONDS
    try_again_seconds: float = worker.TRY_AGAIN_SECONDS
    clock_jumps: tuple[float, ...] = ()
    """Seconds by which its wall clock is wrong, another one after each step of a turn."""
    bounds: Bounds = BOUNDS
    host: str = "one"

    def dying(self, at: int | None, by: int = signal.SIGKILL) -> "Plan":
        return replace(self, at=at, signal=by)

    @property
    def boundaries(self) -> Path:
        return self.data_dir / "boundaries"


def begin(plan: Plan) -> BaseProcess:
    """A process that works until it is killed."""
    process = _nursery().Process(target=_run, args=(plan,), daemon=True)
    process.start()
    return process


@functools.cache
def _nursery() -> Any:
    """Loads all modules once; workers are forked from it, before it has any thread or loop."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.worker", "openai", "docker", "bot.models.connecting"])
    return context


def _run(plan: Plan) -> None:
    plan.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(plan.data_dir / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    log.configure("info", "text")
    os.environ.update(plan.environment)
    socket.gethostname = lambda: plan.host
    lease.LEASE_SECONDS = worker.LEASE_SECONDS = plan.lease_seconds
    worker.RENEW_SECONDS = plan.renew_seconds
    worker.TAKEOVERS = plan.takeovers
    taking.DELIVER_AGAIN_SECONDS = plan.deliver_again_seconds
    worker.TRY_AGAIN_SECONDS = taking.RECORD_AGAIN_SECONDS = plan.try_again_seconds
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(plan))


async def serve(plan: Plan) -> None:
    boundaries = Boundaries(plan)
    boundaries.stand_everywhere()
    heard = (
        postgres_bell.PostgresBell.heard(plan.database_url)
        if plan.database_url
        else bell.LocalBell.heard(plan.data_dir)
    )
    async with (
        aiohttp.ClientSession() as http,
        Store.opened(
            plan.data_dir, plan.database_url, plan.files_url, patience_seconds=plan.patience_seconds
        ) as store,
        alive.working(plan.data_dir) as name,
        heard as ringing,
        DockerSandbox(
            image="plotline-sandbox:core",
            runtime="runc",
            data_dir=store.data_dir,
            blobs=store.blobs,
            sessions=store.sessions,
            limits=LIMITS,
            deployment=plan.deployment,
        ) as sandbox,
    ):
        model = await models.connect(
            api_key="key",
            base_url=plan.model_url,
            name="fake",
            api="chat",
            memory=plan.data_dir / "endpoints.json",
        )

        def opened(thread: ThreadId, _address: str) -> Thread:
            return LoopbackThread(http, plan.platform_url, plan.platform_kind, thread)

        parts = Parts(model=model, sandbox=sandbox, store=store, worker=name, limits=LIMITS)
        working = worker_for(
            parts, {"loop:": opened}, ringing, plan.bounds, with_leases=bool(plan.database_url)
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _drain_soon, working)
        structlog.get_logger().info("worker.begins", worker=name)
        await working.work()
        await model.close()


_draining: set[asyncio.Task[None]] = set()


def _drain_soon(working: worker.Worker) -> None:
    _draining.add(asyncio.get_running_loop().create_task(working.drain()))


@dataclass
class Boundaries:
    plan: Plan
    passed: int = 0
    counts: bool = False
    has_ended: bool = False
    _true_time: Callable[[], float] = field(default=time.time)

    def stand_everywhere(self) -> None:
        for owner, name in (
            (Endpoint, "reply"),
            (Box, "run"),
            (Engine, "create"),
            (Engine, "start"),
            (Engine, "attach"),
            (Blobs, "add"),
            (LoopbackThread, "send"),
        ):
            self._around(owner, name)
        self._around_writes()

    def cross(self, name: str) -> None:
        if not self.counts:
            return
        self.passed += 1
        with self.plan.boundaries.open("a") as file:
            file.write(json.dumps([os.getpid(), self.passed, name]) + "\n")
        if self.passed == self.plan.at:
            os.kill(os.getpid(), self.plan.signal)

    def _around(self, owner: type, name: str) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        async def between(*arguments: Any, **named: Any) -> Any:
            self.cross(f"before {owner.__name__}.{name}")
            result = await real(*arguments, **named)
            self.cross(f"after {owner.__name__}.{name}")
            return result

        setattr(owner, name, between)

    def _around_writes(self) -> None:
        real = Database.write

        async def write(database: Database, work: Any) -> Any:
            what = work.__qualname__.removesuffix(".<locals>.work")
            # Claims and renewals come by the clock, however far a turn has come.
            by_the_clock = what in {"Turns.claim", "Turns.renew"}
            if not by_the_clock:
                self.cross(f"before {what}")
            result = await real(database, work)
            if what == "Turns.claim" and result is not None:
                self.counts = not self.has_ended
                self.cross(f"after {what}")
            if not by_the_clock:
                self.cross(f"after {what}")
                self._jump()
            if what == "Turns.end":
                # What comes later is only looking back.
                self.has_ended, self.counts = True, False
            return result

        real_one = Database.write_one

        async def write_one(database: Database, statement: Any, given: Any) -> int:
            self.cross("before Turns.end")
            changed = await real_one(database, statement, given)
            self.cross("after Turns.end")
            self._jump()
            self.has_ended, self.counts = True, False
            return changed

        Database.write = write  # type: ignore[method-assign]
        Database.write_one = write_one  # type: ignore[method-assign]  # nothing but a turn's end is one statement

    def _jump(self) -> None:
        if self.counts and self.plan.clock_jumps:
            jump = self.plan.clock_jumps[self.passed % len(self.plan.clock_jumps)]
            time.time = lambda: self._true_time() + jump
