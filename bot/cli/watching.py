"""What a bot that runs for long has beside its work: it says how it is, and keeps its store clean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.cleaning import keep_clean
from bot.cli.budgets import budgets_of
from bot.cli.ending import Code, Ended
from bot.config import Settings
from bot.health import Health, serving
from bot.store.store import Store
from sandbox.pool import DockerSandbox


@asynccontextmanager
async def watched(settings: Settings, store: Store, sandbox: DockerSandbox | None) -> AsyncIterator[Health]:
    """Adapters add their checks to it; `is_draining` is set once nothing new is taken in.

    `sandbox` is None where no code runs, as in a gateway.
    """
    health = Health(store.database)
    if sandbox:
        health.checks["engine"] = sandbox.answers
        health.sessions = lambda: sandbox.alive
    cleaning = asyncio.create_task(keep_clean(store, settings.retention_days, budgets_of(settings, store)))
    try:
        async with AsyncExitStack() as stack:
            if settings.health_port is not None:
                await _serve(stack, health, settings.health_host, settings.health_port)
            yield health
    finally:
        cleaning.cancel()
        await asyncio.gather(cleaning, return_exceptions=True)


async def _serve(stack: AsyncExitStack, health: Health, host: str, port: int) -> None:
    try:
        await stack.enter_async_context(serving(health, host, port))
    except OSError as error:
        raise Ended(
            Code.USAGE, f"HEALTH_PORT cannot be used: {host}:{port} is taken or forbidden."
        ) from error
