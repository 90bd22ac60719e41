"""What `plotline pause`, `resume`, `block` and `unblock` share."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bot.cli import local, results
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.engine.bell import Bell, LocalBell
from bot.errors import BotError
from bot.store.switches import Switches
from bot.switching import Switching


@asynccontextmanager
async def open_switching(settings: Settings) -> AsyncIterator[Switching]:
    try:
        async with open_store(settings) as store, open_bell(settings) as bell:
            by = f"operator:{local.asker(settings).name}"
            yield Switching(Switches(store.database), store.turns, bell, store.audit, by)
    except BotError as error:
        raise ended(error, settings) from error


def tell(sentence: str, *, as_json: bool, stopped: Sequence[str] | None = None, **facts: object) -> None:
    """`stopped`: threads in which something was."""
    if as_json:
        results.write({"status": "ok", **facts, **({} if stopped is None else {"stopped": stopped})})
        return
    sys.stdout.write(f"{sentence}\n")
    if stopped:
        sys.stdout.write(f"Stopped in: {', '.join(stopped)}\n")


@asynccontextmanager
async def open_bell(settings: Settings) -> AsyncIterator[Bell]:
    """For whoever works on this store."""
    if settings.database_url is None:
        yield LocalBell(settings.data_dir / "bell")
        return
    from bot.engine.postgres_bell import PostgresBell  # noqa: PLC0415  # only with Postgres

    async with PostgresBell.heard(settings.database_url.get_secret_value()) as bell:
        yield bell
