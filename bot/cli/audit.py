"""`plotline audit`: who did what, where and when."""

import argparse
import json

from bot.cli import listing
from bot.cli.ending import Code, Ended
from bot.cli.operating import since
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError
from bot.store.audit import Event


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    known = [str(each) for each in Event]
    if arguments.event not in ("", *known):
        raise Ended(Code.USAGE, f"There is no event {arguments.event!r}, only: {', '.join(known)}.")
    try:
        async with open_store(settings) as store:
            rows = await store.audit.entries(
                since=since(arguments),
                event=arguments.event,
                team=arguments.team,
                thread=arguments.thread,
                user=arguments.user,
                limit=arguments.limit,
            )
    except BotError as error:
        raise ended(error, settings) from error
    shown = {
        "at": [listing.when(row.at) for row in rows],
        "event": [row.kind for row in rows],
        "by": [row.user for row in rows],
        "where": [row.thread or row.team for row in rows],
        "facts": [json.dumps(row.facts, ensure_ascii=False) if row.facts else "" for row in rows],
    }
    listing.show([listing.facts(row) for row in rows], shown, as_json=arguments.json)
    return Code.OK
