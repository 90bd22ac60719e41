"""`plotline backup`: copy the embedded store to a folder while the bot works."""

import argparse
import asyncio
import sys

from bot import backups
from bot.backups import BackupRefused
from bot.blobs import Blobs
from bot.checks import shown_size
from bot.cli import local, results
from bot.cli.ending import Code, Ended
from bot.config import Settings

ELSEWHERE = (
    "This store is not the embedded one: back up Postgres with pg_dump, and the bucket with its own tools; "
    "docs/operating.md says in which order."
)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    if settings.database_url or settings.files_url:
        raise Ended(Code.USAGE, ELSEWHERE)
    try:
        async with Blobs(settings.data_dir).removing():
            await asyncio.to_thread(backups.database, settings.data_dir, arguments.folder)
            facts = await asyncio.to_thread(backups.files, settings.data_dir, arguments.folder)
    except BackupRefused as error:
        raise Ended(Code.FAILED, str(error)) from error
    except OSError as error:
        raise Ended(Code.FAILED, f"The backup could not be made: {local.reason(error)}.") from error
    if arguments.json:
        results.write({"status": "ok", "folder": str(arguments.folder.absolute()), **facts})
    else:
        missing = f"; {facts['missing']} were not there any more" if facts["missing"] else ""
        size = shown_size(facts["bytes"])
        sys.stdout.write(f"{arguments.folder}: the database and {facts['files']} files, {size}{missing}.\n")
    return Code.OK
