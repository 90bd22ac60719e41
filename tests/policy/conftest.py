"""Budgets on stores of both kinds, by a clock of the tests' own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.budgets import Budgets
from bot.messages import ThreadId
from bot.rules import BudgetLimits
from bot.store.budgets import Accounts
from bot.store.claiming import Bounds, Claimant
from bot.store.fence import Hold
from bot.store.store import Store
from bot.store.switches import Switches
from bot.store.turns import NewTurn
from bot.store.usage import Payer

VIENNA = ZoneInfo("Europe/Vienna")
NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)
MANY = Bounds(999, 999, 999)
UNBOUNDED = dict.fromkeys(BudgetLimits.model_fields, None) | {
    "slack_cooldown_seconds": 0,
    "discord_cooldown_seconds": 0,
}


def limits(**some: float) -> BudgetLimits:
    """These, and no others."""
    return BudgetLimits.model_validate(UNBOUNDED | some)


@dataclass
class Bank:
    """What several workers and gateways share: each has a connection of its own to the same store."""

    stores: list[Store]
    now: datetime = NOON

    @property
    def store(self) -> Store:
        return self.stores[0]

    def budgets(self, number: int = 0, /, **some: float) -> Budgets:
        database = self.stores[number].database
        return Budgets(Accounts(database), Switches(database), limits(**some), VIENNA, lambda: self.now)

    def later(self, **some: float) -> None:
        self.now += timedelta(**some)

    async def turn(self, payer: Payer) -> Hold:
        """It is taken in, and runs."""
        store = self.store
        await store.turns.add(NewTurn(payer.turn, payer.turn, payer.thread, payer.user, "question", {}))
        claimed = await store.turns.claim(Claimant("w1", MANY, only=payer.turn))
        assert claimed
        return claimed.hold


@pytest.fixture
async def bank(address: str, tmp_path: Path) -> AsyncIterator[Bank]:
    async with AsyncExitStack() as stack:
        opened = [Store.opened(tmp_path, address) for _ in range(3)]
        yield Bank([await stack.enter_async_context(each) for each in opened])


def payer(turn: str = "m1", *, user: str = "U1", thread: str = "slack:T1/C1/1") -> Payer:
    return Payer(turn, ThreadId(thread), user)
