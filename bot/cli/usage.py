"""`plotline usage`: what was used, and what it cost."""

import argparse

from bot.cli import listing
from bot.cli.ending import Code
from bot.cli.operating import since
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        async with open_store(settings) as store:
            rows = await store.reports.usage(
                arguments.by, since=since(arguments), team=arguments.team, user=arguments.user
            )
    except BotError as error:
        raise ended(error, settings) from error
    shown = {
        arguments.by: [row.whose or "(deleted)" for row in rows],
        "turns": [str(row.turns) for row in rows],
        "tokens read": [f"{row.input_tokens:,}" for row in rows],
        "written": [f"{row.output_tokens:,}" for row in rows],
        "USD": [f"{row.cost_usd:.2f}" + (" + ?" if row.unpriced_tokens else "") for row in rows],
        "sandbox s": [f"{row.sandbox_seconds:.0f}" for row in rows],
    }
    listing.show([listing.facts(row) for row in rows], shown, as_json=arguments.json)
    return Code.OK
