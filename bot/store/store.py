"""All of the store, opened at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bot.blobs import Blobs
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.database import PATIENCE_SECONDS, Database, sqlite_url
from bot.store.feedback import Feedback
from bot.store.files import Files
from bot.store.notes import Notes
from bot.store.reports import Reports
from bot.store.retention import Retention
from bot.store.sessions import Sessions
from bot.store.steps import Steps
from bot.store.transcripts import Transcripts
from bot.store.turns import Turns

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    blobs: Blobs
    turns: Turns
    steps: Steps
    transcripts: Transcripts
    sessions: Sessions
    notes: Notes
    files: Files
    retention: Retention
    approvals: Approvals
    audit: Audit
    feedback: Feedback
    reports: Reports
    data_dir: Path
    """For files that are passing through, and for what stays on this machine."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, data_dir: Path, url: str = "", files_url: str = "", *, patience_seconds: float = PATIENCE_SECONDS
    ) -> AsyncIterator[Self]:
        """Without `url`, SQLite in the data directory; without `files_url`, files there too.

        Raises `StoreUnavailable`.
        """
        blobs = Blobs(data_dir, _remote(files_url, patience_seconds))
        opening = Database.opened(url or sqlite_url(data_dir), patience_seconds=patience_seconds)
        async with opening as database:
            files = Files(database, blobs)
            yield cls(
                database,
                blobs,
                Turns(database),
                Steps(database, files),
                Transcripts(database, blobs),
                Sessions(database, files),
                Notes(database),
                files,
                Retention(database, files),
                Approvals(database),
                Audit(database),
                Feedback(database),
                Reports(database),
                data_dir,
            )


def _remote(files_url: str, patience_seconds: float) -> "ObjectStore | None":
    if not files_url:
        return None
    from obstore.store import from_url  # noqa: PLC0415  # only where files are elsewhere

    if files_url.startswith("file:"):
        return from_url(files_url)
    return from_url(files_url, retry_config={"retry_timeout": timedelta(seconds=patience_seconds)})
