"""What a bot that runs for long does now and then: threads expire, and files go that nothing needs."""

import asyncio
import contextlib
import shutil
import time
from pathlib import Path

import structlog

from bot import exporting
from bot.budgets import Budgets
from bot.errors import StoreUnavailable
from bot.folders import thread_folder
from bot.lock import is_free
from bot.store.memory import drop_old_marks
from bot.store.store import Store

log = structlog.get_logger()

EVERY_SECONDS = 3600.0
ORPHAN_SECONDS = 24 * 3600.0
"""A file is on the disk before anything names it; after so long, nothing will."""
COPY_SECONDS = 7 * 24 * 3600.0
"""Where files are kept elsewhere, a copy here goes after so long."""


async def keep_clean(store: Store, retention_days: int, budgets: Budgets) -> None:
    """For as long as it runs. `retention_days` is 0 where nothing expires."""
    while True:
        try:
            await budgets.tidy()
            await clean(store, retention_days)
        except StoreUnavailable as error:
            log.warning("cleaning.put_off", detail=str(error))
        except Exception:
            # Whatever it was, nobody else cleans here; the rest of the bot goes on.
            log.exception("cleaning.put_off")
        await asyncio.sleep(EVERY_SECONDS)


async def clean(store: Store, retention_days: int) -> None:
    while retention_days and (expired := await store.retention.expire(retention_days)):
        log.info("threads.expired", count=len(expired))
        for thread in expired:
            await asyncio.to_thread(_remove_folder, thread_folder(store.data_dir, thread))
    for thread in await exporting.forget_broken_off(store):
        await asyncio.to_thread(_remove_folder, thread_folder(store.data_dir, thread))
    await drop_old_marks(store.database)
    kept_for = COPY_SECONDS if store.blobs.is_remote else ORPHAN_SECONDS
    now = time.time()
    removed = await store.files.remove_orphans(now - kept_for)
    removed += await store.files.remove_left(now - ORPHAN_SECONDS)
    if removed:
        log.info("files.removed", count=removed)


def _remove_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if folder.exists() and is_free(folder):
            shutil.rmtree(folder)
