"""Turns whose budget is used up: what was done is delivered, with the rule, the reset and the contact."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import intake, prices
from bot.engine import taking
from bot.errors import ModelUnavailable, StoreUnavailable
from bot.execution import Receipt
from bot.limits import Limits
from bot.messages import Author, Message, Update
from bot.ports import Model, Request
from bot.spending import REPLY_TOKENS
from bot.stopping import Parked, Stop
from bot.store.audit import Event
from bot.store.budgets import Accounts, Full
from bot.store.claiming import Claimant
from bot.store.fence import Hold
from bot.store.tables import reservations
from bot.transcript import Reply, Usage
from bot.turn import Parts, TurnResult
from bot.visits import Visit, Wish
from tests.fakes.ports import (
    FakeSandbox,
    FakeSession,
    RecordingThread,
    ReplyingModel,
    SilentModel,
    artifact,
    calls,
    printed,
)
from tests.policy.conftest import MANY, NOON, Bank, payer
from tests.policy.test_budgets import used

ANNA = Author("U1", "Anna", "en", "Europe/Vienna")
ROOM = REPLY_TOKENS + 3_000
"""Tokens for one short question and its reply."""


class Turns:
    """One person's thread, with budgets."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.session = FakeSession()
        self.thread = RecordingThread(id="slack:T1/C1/1")
        self.limits: dict[str, float] = {}
        self.stop = Stop()
        self.asked = 0

    def parts(self, model: Model, number: int = 0) -> Parts:
        return Parts(
            model=model,
            sandbox=FakeSandbox(self.session),
            store=self.bank.stores[number],
            worker="w1",
            limits=Limits(),
            contact="the help desk",
            budgets=self.bank.budgets(number, **self.limits),
        )

    def message(self) -> Message:
        self.asked += 1
        return Message(f"m{self.asked}", ANNA, "How many?", NOON)

    async def ask(self, model: Model) -> TurnResult:
        return await intake.receive(self.message(), self.thread, self.parts(model), self.stop)

    async def run(self, *codes: str) -> TurnResult:
        message = self.message()
        await self.bank.store.turns.add(taking.cells(self.thread.id, message, codes))
        claimed = await self.bank.store.turns.claim(Claimant("w1", MANY, only=message.id))
        assert claimed
        return await taking.take(claimed, self.thread, self.parts(ReplyingModel()), self.stop)

    async def used(self, what: str) -> float:
        return await used(self.bank, self.bank.budgets(), "user", what)

    async def reserved(self) -> int:
        async def work(connection: AsyncConnection) -> int:
            return await connection.scalar(select(func.count()).select_from(reservations)) or 0

        return await self.bank.store.database.read(work)


@pytest.fixture
def turns(bank: Bank, tmp_path: Path) -> Turns:
    return Turns(bank)


async def test_a_turn_uses_what_its_steps_have_cost_and_reserves_nothing_any_more(turns: Turns) -> None:
    turns.session.does["1"] = printed("1", seconds=2.5)
    model = ReplyingModel(calls("1", usage=Usage(900, 100)), Reply("One.", usage=Usage(1000, 10)))

    assert (await turns.ask(model)).status == "ok"

    assert await turns.used("tokens") == 2010
    assert await turns.used("seconds") == 2.5
    assert await turns.reserved() == 0


@pytest.mark.parametrize("is_bounded", [True, False])
async def test_what_was_asked_is_in_the_store_before_the_model_reads_it(
    turns: Turns, *, is_bounded: bool
) -> None:
    store, seen = turns.bank.store, list[str]()

    class Looking(ReplyingModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            seen.extend(await store.steps.of("m1"))
            seen.extend(entry.kind for entry in await store.audit.entries())
            return await super().reply(request, on_text)

    parts = turns.parts(Looking(Reply("Seven.")))
    parts = parts if is_bounded else replace(parts, budgets=None)
    result = await intake.receive(turns.message(), turns.thread, parts, turns.stop)

    assert result.status == "ok"
    assert {*seen} == {"introduced", "above", "prompt", Event.ASKED}


@pytest.mark.parametrize("first", [Reply("Seven, and", truncated=True), Reply("")])
async def test_a_reply_that_is_not_the_last_stays_where_the_store_is_away_before_the_next(
    turns: Turns, first: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Accounts.reserve

    async def away(self: Accounts, hold: Hold, step: str, *rest: Any) -> Full | None:
        if step == "reply:2":
            raise StoreUnavailable("gone")
        return await reserve(self, hold, step, *rest)

    monkeypatch.setattr(Accounts, "reserve", away)
    with pytest.raises(StoreUnavailable):
        await turns.ask(ReplyingModel(first, Reply(" more.")))

    assert "reply:1" in await turns.bank.store.steps.of("m1")


async def test_what_was_paid_is_in_the_store_before_anybody_waits_for_the_platform(turns: Turns) -> None:
    seen = list[set[str]]()

    class Slow(RecordingThread):
        async def progress(self, update: Update) -> None:
            for _ in range(100):
                if "output" in (recorded := await turns.bank.store.steps.of("m1")):
                    break
                await asyncio.sleep(0.01)
            seen.append({*recorded})

    class Saying(ReplyingModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            on_text("Sev")
            return await super().reply(request, on_text)

    turns.thread = Slow()
    assert (await turns.ask(Saying(Reply("Seven.")))).status == "ok"
    assert {"reply:1", "output"} <= seen[-1]


async def test_what_is_refused_for_its_budget_is_listed_in_its_order(turns: Turns) -> None:
    turns.limits = {"user_tokens_a_day": 5000}
    await turns.ask(ReplyingModel(Reply("never said")))

    kinds = [entry.kind for entry in await turns.bank.store.audit.entries()]
    assert kinds == [Event.ASKED, Event.ANSWERED]


async def test_without_a_budget_the_model_is_not_asked(turns: Turns) -> None:
    turns.limits = {"user_tokens_a_day": 5000}
    model = ReplyingModel(Reply("never said"))

    result = await turns.ask(model)

    assert result.status == "error"
    assert model.requests == []
    assert turns.thread.answer.text == (
        "Everyone may use 5,000 tokens of the language model a day here, and what is left of yours is not enough "
        "to go on. It begins anew on 2026-11-26 00:00 CET; if you need more, turn to the help desk."
    )


async def test_a_budget_that_is_used_up_in_between_ends_with_what_was_done(turns: Turns) -> None:
    turns.limits = {"user_tokens_a_day": ROOM}
    turns.session.does["plot()"] = printed("", artifacts=[artifact("chart.png")])
    model = ReplyingModel(
        calls("plot()", text="Here it is.", usage=Usage(900, 200)),
        calls("plot()", usage=Usage(6000, 200)),
        Reply("never said"),
    )

    result = await turns.ask(model)

    assert result.status == "error"
    assert len(model.requests) == 2
    assert turns.thread.answer.text.startswith("Here it is.\n\nEveryone may use 11,000 tokens")
    assert [each.name for each in turns.thread.answer.artifacts] == ["chart.png"]


async def test_the_next_day_the_thread_goes_on(turns: Turns) -> None:
    turns.limits = {"user_tokens_a_day": ROOM}
    await turns.ask(ReplyingModel(Reply("A lot.", usage=Usage(ROOM, 1))))
    assert (await turns.ask(ReplyingModel(Reply("never said")))).status == "error"
    turns.bank.now += timedelta(days=1)

    assert (await turns.ask(ReplyingModel(Reply("Going on.")))).text == "Going on."


async def test_a_cell_that_cannot_be_paid_for_is_not_run_and_ends_the_turn(turns: Turns) -> None:
    turns.limits = {"user_seconds_a_day": 100}
    turns.session.does["a"] = printed("a", seconds=50)

    result = await turns.ask(ReplyingModel(calls("a", text="First."), calls("b"), Reply("never said")))

    assert [code for _, code, _ in turns.session.ran] == ["a"]
    assert result.text.startswith("First.\n\nEveryone may run code for 100 seconds a day here")
    assert await turns.used("seconds") == 50


async def test_code_of_ones_own_is_told_as_far_as_it_ran(turns: Turns) -> None:
    turns.limits = {"user_seconds_a_day": 100}
    turns.session.does["a"] = printed("forty-two", seconds=50)

    result = await turns.run("a", "b")

    assert [code for _, code, _ in turns.session.ran] == ["a"]
    assert "forty-two" in result.text
    assert "Everyone may run code for 100 seconds a day here" in result.text


async def test_money_is_counted_where_the_price_is_known(turns: Turns) -> None:
    turns.limits = {"user_usd_a_day": 0.2}
    usage = Usage(10_000, 1000)
    cost = prices.cost_usd(usage, "gpt-4o")
    model = ReplyingModel(
        *[calls(str(number), usage=usage) for number in range(9)], name="gpt-4o", context_tokens=100_000
    )

    result = await turns.ask(model)

    assert cost
    assert await turns.used("usd") == pytest.approx(cost * len(model.requests))
    assert await turns.used("usd") <= 0.2
    assert "for 0.2 US dollars a day" in result.text


async def test_where_the_price_is_not_known_tokens_count_alone(turns: Turns) -> None:
    turns.limits = {"user_usd_a_day": 0}

    assert (await turns.ask(ReplyingModel(Reply("Free.", usage=Usage(500, 5))))).status == "ok"
    assert (await turns.used("usd"), await turns.used("tokens")) == (0, 505)


async def test_an_endpoint_that_does_not_count_is_counted_by_us(turns: Turns) -> None:
    await turns.ask(ReplyingModel(Reply("word " * 700)))

    assert await turns.used("tokens") > 1000


async def test_a_model_that_fails_costs_nothing(turns: Turns) -> None:
    assert (await turns.ask(ReplyingModel(ModelUnavailable("503")))).status == "error"

    assert await turns.used("tokens") == 0


async def test_a_reply_that_nobody_waited_for_counts_what_was_read(turns: Turns) -> None:
    model = SilentModel("So far")
    asking = asyncio.ensure_future(turns.ask(model))
    await model.was_asked.wait()
    assert await turns.used("tokens") > REPLY_TOKENS
    turns.stop.set()
    await asking

    assert 0 < await turns.used("tokens") < REPLY_TOKENS
    assert await turns.reserved() == 0


async def test_a_turn_that_is_taken_over_pays_once(turns: Turns) -> None:
    turns.session.does["1"] = printed("1", seconds=2)
    first = ReplyingModel(calls("1", usage=Usage(900, 100)), asyncio.CancelledError())
    message, store = turns.message(), turns.bank.store
    await store.turns.add(taking.question(turns.thread.id, message))
    claimed = await store.turns.claim(Claimant("w1", MANY, only=message.id))
    assert claimed
    with pytest.raises(asyncio.CancelledError):
        await taking.take(claimed, turns.thread, turns.parts(first), Stop())
    assert await turns.reserved() == 1

    again = await store.turns.claim(Claimant("w2", MANY, only=message.id, dead=["w1"]))
    assert again
    second = ReplyingModel(Reply("One.", usage=Usage(1000, 10)))
    result = await taking.take(again, turns.thread, turns.parts(second, 1), Stop())

    assert result.text == "One."
    assert await turns.used("tokens") == 2010
    assert await turns.used("seconds") == 2
    assert await turns.reserved() == 0


async def test_whoever_is_waited_for_may_ask_other_things_meanwhile(turns: Turns) -> None:
    turns.thread = RecordingThread(id="discord:812/1")
    turns.thread.has_people = True
    receipt = Receipt("site.example", 443, refused="not listed", may_be_asked_for=True)
    turns.session.does["1"] = replace(printed("no"), receipts=(receipt,))
    turns.limits = {"discord_running": 1}
    budgets = turns.bank.budgets(**turns.limits)
    asked, other = (payer(f"m{number}", thread=f"discord:812/{number}") for number in (1, 2))
    assert not await budgets.begin(asked)
    message, store = turns.message(), turns.bank.store
    visit = Visit(Wish.ASK, ANNA, "discord", "812", "5")
    await store.turns.add(taking.by(visit, taking.question(turns.thread.id, message)))
    claimed = await store.turns.claim(Claimant("w1", MANY, only=message.id))
    assert claimed
    assert await budgets.begin(other)

    parts = replace(turns.parts(ReplyingModel(calls("1"))), approvers="asker")
    with pytest.raises(Parked):
        await taking.take(claimed, turns.thread, parts, Stop())

    assert await turns.reserved() == 0
    assert not await budgets.begin(other)


async def test_turns_in_parallel_never_pass_the_limit(turns: Turns) -> None:
    turns.limits = {"user_tokens_a_day": 40_000}

    async def ask(number: int) -> TurnResult:
        thread = RecordingThread(id=f"slack:T1/C1/{number}")
        model = ReplyingModel(
            *[calls("1", usage=Usage(1500, 500))] * 3, Reply("Done.", usage=Usage(1500, 500))
        )
        return await intake.receive(turns.message(), thread, turns.parts(model, number % 3), Stop())

    results = await asyncio.gather(*(ask(number) for number in range(12)))

    assert {result.status for result in results} == {"ok", "error"}
    paid = sum(result.usage.input_tokens + result.usage.output_tokens for result in results)
    assert await turns.used("tokens") == paid <= 40_000
