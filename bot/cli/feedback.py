"""`plotline feedback`: what people thought of answers."""

import argparse

from bot.cli import listing
from bot.cli.ending import Code
from bot.cli.operating import since
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError

THUMBS = {"good": "👍", "bad": "👎"}


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        async with open_store(settings) as store:
            rows = await store.feedback.newest(
                since=since(arguments),
                value=arguments.value,
                team=arguments.team,
                thread=arguments.thread,
                user=arguments.user,
                limit=arguments.limit,
            )
    except BotError as error:
        raise ended(error, settings) from error
    shown: dict[str, list[str]] = {
        "at": [listing.when(row.at) for row in rows],
        "": [THUMBS[row.value] for row in rows],
        "by": [row.user for row in rows],
        "turn": [row.turn for row in rows],
        "thread": [str(row.thread) for row in rows],
    }
    listing.show([listing.facts(row, "text") for row in rows], shown, as_json=arguments.json)
    return Code.OK
