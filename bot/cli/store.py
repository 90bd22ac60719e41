"""The store that the settings ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.config import Settings
from bot.store.store import Store


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    database_url = settings.database_url.get_secret_value() if settings.database_url else ""
    async with Store.opened(settings.data_dir, database_url, settings.files_url) as store:
        yield store
