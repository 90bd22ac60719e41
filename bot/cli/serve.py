"""`plotline serve`: the bot itself, until it is told to end.

gateway: platform ─▶ desk ─▶ store     worker: store ─▶ turn ─▶ platform     all: both in one process
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

from bot import log
from bot.cli.budgets import admission_of
from bot.cli.ending import Code
from bot.cli.parts import incidents_of, open_model, parts_of, room_of
from bot.cli.platforms import Platform, connected
from bot.cli.sandbox import open_sandbox
from bot.cli.settings import ended
from bot.cli.stopping import stopped_by_signals
from bot.cli.store import open_store
from bot.cli.switching import open_bell
from bot.cli.watching import watched
from bot.config import Settings
from bot.desk import Desk
from bot.engine import alive
from bot.engine.bell import Bell, LocalBell
from bot.engine.serving import worker_for
from bot.engine.worker import Worker
from bot.errors import BotError
from bot.fitting import Fitting
from bot.health import Health
from bot.house import House
from bot.incidents import Incidents
from bot.store.claiming import Bounds
from bot.store.memory import Memory
from bot.store.store import Store
from bot.turn import Parts
from sandbox.pool import DockerSandbox


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    log.configure(
        settings.log_level if "log_level" in settings.model_fields_set else "info", settings.log_format
    )
    try:
        if arguments.role == "gateway":
            await _serve_gateway(settings)
        else:
            await _serve(settings, listens=arguments.role == "all")
    except BotError as error:
        raise ended(error, settings) from error
    return Code.OK


async def _serve_gateway(settings: Settings) -> None:
    """Takes in and acknowledges."""
    async with open_store(settings) as store, open_bell(settings) as bell:
        incidents = incidents_of(settings, store)
        desk = desk_of(settings, store, bell, incidents, None)
        async with (
            watched(settings, store, None) as health,
            connected(settings, desk, Memory(store.database)) as platforms,
        ):
            _tell_about(platforms, health, incidents, listens=True)
            await _until_told([each.listen() for each in platforms], health, None)


async def _serve(settings: Settings, *, listens: bool) -> None:
    """Does the work; in one process with taking it in, or beside gateways."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(open_model(settings))
        store = await stack.enter_async_context(open_store(settings))
        name = await stack.enter_async_context(alive.working(settings.data_dir))
        incidents = incidents_of(settings, store)
        room = room_of(settings, store, incidents)
        sandbox = await stack.enter_async_context(open_sandbox(settings, store, room, settings.limits.warm))
        parts = parts_of(settings, model, store, sandbox, name, incidents, room)
        health = await stack.enter_async_context(watched(settings, store, sandbox))
        bell = await stack.enter_async_context(_heard_bell(settings))
        desk = desk_of(settings, store, bell, incidents, sandbox)
        fit = Fitting(store, sandbox, settings.limits.cell_seconds)
        platforms = await stack.enter_async_context(connected(settings, desk, Memory(store.database), fit))
        _tell_about(platforms, health, incidents, listens=listens)
        worker = _worker_of(settings, parts, platforms, bell)
        await _until_told([each.listen() for each in platforms] if listens else [], health, worker)


def desk_of(
    settings: Settings, store: Store, bell: Bell, incidents: Incidents, sandbox: DockerSandbox | None
) -> Desk:
    house = House(
        settings.endpoint_host, settings.model_data, settings.retention_days, settings.operator_contact
    )
    admission = admission_of(settings, store)
    return Desk(
        store=store,
        admission=admission,
        bell=bell,
        sandbox=sandbox,
        house=house,
        cell_seconds=settings.limits.cell_seconds,
        tell_rating=incidents.tell,
        approvers=settings.network_approvals,
    )


def _worker_of(settings: Settings, parts: Parts, platforms: list[Platform], bell: Bell) -> Worker:
    limits = settings.limits
    bounds = Bounds(limits.turns, limits.turns_user, limits.turns_everywhere)
    threads = {f"{each.name}:": each.thread for each in platforms}
    return worker_for(parts, threads, bell, bounds, with_leases=settings.database_url is not None)


@asynccontextmanager
async def _heard_bell(settings: Settings) -> AsyncIterator[Bell]:
    opening = open_bell(settings) if settings.database_url else LocalBell.heard(settings.data_dir)
    async with opening as bell:
        yield bell


def _tell_about(platforms: list[Platform], health: Health, incidents: Incidents, *, listens: bool) -> None:
    for each in platforms:
        incidents.announcers[f"{each.name}:"] = each.announce
        if listens:
            health.checks[each.name] = each.is_heard


async def _until_told(listening: list[Awaitable[None]], health: Health, worker: Worker | None) -> None:
    """SIGTERM or Ctrl-C: nothing more is begun, and what runs may end; once more, and it is left for the next start.

    What is said meanwhile is still taken in.
    """
    stop = asyncio.Event()

    async def told() -> None:
        await stop.wait()

    working = [asyncio.ensure_future(worker.work())] if worker else []
    tasks = [*map(asyncio.ensure_future, [*listening, told()]), *working]
    try:
        with stopped_by_signals(stop):
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
            health.is_draining = True
            if worker:
                await worker.drain()
                await asyncio.gather(*working)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
