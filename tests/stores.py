"""Stores for tests: made once by the migrations, then copied."""

import asyncio
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from bot.store.database import Database, sqlite_url

NAME = "plotline.db"


def prepare(data_dir: Path) -> Path:
    """An empty store in that directory, unless there is one; whatever opens it has nothing to do."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if not (data_dir / NAME).exists():
        shutil.copyfile(_template(), data_dir / NAME)
    return data_dir


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="plotline-store-"))
    # The caller may have a loop that runs; this needs one of its own.
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(asyncio.run, _make(folder)).result()
    return folder / NAME


async def _make(folder: Path) -> None:
    async with Database.opened(sqlite_url(folder)):
        pass
