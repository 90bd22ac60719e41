"""`plotline threads`: which there are."""

import argparse

from bot.checks import shown_size
from bot.cli import listing
from bot.cli.ending import Code
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        async with open_store(settings) as store:
            rows = await store.reports.threads(
                team=arguments.team, user=arguments.user, limit=arguments.limit
            )
    except BotError as error:
        raise ended(error, settings) from error
    shown: dict[str, list[str]] = {
        "thread": [str(row.id) for row in rows],
        "used": [listing.when(row.used_at) for row in rows],
        "turns": [str(row.turns) for row in rows],
        "files": [shown_size(row.files_bytes) for row in rows],
        "": ["expired" if row.expired_at else "has a container" if row.container else "" for row in rows],
    }
    listing.show([listing.facts(row) for row in rows], shown, as_json=arguments.json)
    return Code.OK
