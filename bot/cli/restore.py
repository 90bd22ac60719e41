"""`plotline restore`: make a store from a backup."""

import argparse
import asyncio
import sys

from bot import backups, moving
from bot.backups import BackupRefused
from bot.cli import local, results
from bot.cli.ending import Code, Ended
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    is_embedded = not (settings.database_url or settings.files_url)
    try:
        if is_embedded:
            facts = await asyncio.to_thread(backups.restore, arguments.folder, settings.data_dir)
        else:
            async with open_store(settings) as store:
                facts = await moving.into(store, arguments.folder)
    except BackupRefused as error:
        raise Ended(Code.FAILED, str(error)) from error
    except BotError as error:
        raise ended(error, settings) from error
    except OSError as error:
        raise Ended(Code.FAILED, f"The backup could not be restored: {local.reason(error)}.") from error
    if arguments.json:
        results.write({"status": "ok", "folder": str(settings.data_dir), **facts})
    else:
        where = str(settings.data_dir) if is_embedded else "The store that the settings name"
        closed = f" {facts['ended']} questions that were open then are ended." if facts["ended"] else ""
        sys.stdout.write(f"{where}: the database and {facts['files']} files.{closed}\n")
    return Code.OK
