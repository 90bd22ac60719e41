"""`plotline turns`: what was asked, and what became of it."""

import argparse

from bot.cli import listing, local
from bot.cli.ending import Code
from bot.cli.operating import since
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError
from bot.messages import ThreadId
from bot.store.audit import Event
from bot.store.reports import TurnRow

CONTENT = ("question", "answer")
SHOWN_CHARACTERS = 200


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        async with open_store(settings) as store:
            rows = await store.reports.turns(
                thread=arguments.thread,
                team=arguments.team,
                user=arguments.user,
                state=arguments.state,
                since=since(arguments),
                limit=arguments.limit,
            )
            if arguments.content:
                await store.audit.note(
                    Event.LOOKED,
                    thread=ThreadId(arguments.thread) if arguments.thread else None,
                    team=arguments.team,
                    user=local.operator(settings),
                    command="turns --content",
                    turns=len(rows),
                )
    except BotError as error:
        raise ended(error, settings) from error
    hidden = () if arguments.content else CONTENT
    shown = {
        "asked": [listing.when(row.asked_at) for row in rows],
        "turn": [row.id for row in rows],
        "by": [row.user for row in rows],
        "state": [row.outcome or row.state for row in rows],
        "seconds": [_seconds(row) for row in rows],
    }
    if arguments.content:
        shown["content"] = [f"{_short(row.question)}\n▸ {_short(row.answer)}" for row in rows]
    listing.show([listing.facts(row, *hidden) for row in rows], shown, as_json=arguments.json)
    return Code.OK


def _seconds(row: TurnRow) -> str:
    return f"{row.ended_at - row.asked_at:.1f}" if row.ended_at else ""


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
