"""What turns have cost: one row for each step that cost something, written with the step."""

import time
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.folders import team_of
from bot.messages import ThreadId
from bot.store.database import Database
from bot.store.steps import Also
from bot.store.tables import usage
from bot.transcript import Usage


@dataclass(frozen=True, slots=True)
class Spent:
    """In one step."""

    model: str = ""
    tokens: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    """None where the price is not known."""
    sandbox_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account it goes."""

    turn: str
    thread: ThreadId
    user: str


def counted(database: Database, payer: Payer, step: str, spent: Spent) -> Also:
    """Writes the row along with the step."""
    row = {
        "turn": payer.turn,
        "step": step,
        "team": team_of(payer.thread),
        "thread": payer.thread,
        "user": payer.user,
        "at": time.time(),
        "model": spent.model,
        "input_tokens": spent.tokens.input_tokens,
        "output_tokens": spent.tokens.output_tokens,
        "cached_tokens": spent.tokens.cached_tokens,
        "cost_usd": spent.cost_usd,
        "sandbox_seconds": spent.sandbox_seconds,
    }

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(database.insert(usage).on_conflict_do_nothing(), row)

    return write
