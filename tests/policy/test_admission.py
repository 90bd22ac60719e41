"""What is asked before anything is stored or paid."""

import asyncio
from dataclasses import replace

import pytest
import structlog

from bot.admission import Admission
from bot.messages import Author
from bot.policy import Rule
from bot.rules import Rules
from bot.store.switches import Switches
from bot.switching import Switching
from bot.visits import Wish
from tests.policy.conftest import Bank, payer
from tests.policy.test_budgets import rows, used
from tests.policy.visitors import DISCORD, GUILD, SLACK


class Silence:
    """A bell that nobody hears."""

    async def ring(self) -> None:
        pass

    async def wait(self, most_seconds: float) -> None:
        pass


def admission(bank: Bank, **limits: float) -> Admission:
    switches = Switches(bank.store.database)
    return Admission(Rules(discord_guilds={GUILD}), switches, bank.budgets(**limits), bank.store.audit)


def switching(bank: Bank) -> Switching:
    store = bank.stores[1]
    return Switching(Switches(store.database), store.turns, Silence(), store.audit, "operator:anna")


@pytest.mark.parametrize(
    "visit",
    [
        replace(SLACK, is_guest=True),
        replace(SLACK, is_external=True, asker_team="T2"),
        replace(DISCORD, team="999"),
        replace(DISCORD, wish=Wish.RUN),
    ],
)
async def test_a_message_that_is_refused_leaves_nothing_behind(bank: Bank, visit: object) -> None:
    visitor = replace(visit, author=Author("canary-7f3a", "canary-7f3a"))  # type: ignore[type-var]
    with structlog.testing.capture_logs() as logs:
        refusal = await admission(bank).admit(visitor, payer("canary-7f3a"))  # type: ignore[arg-type]

    assert refusal
    assert await rows(bank) == {}
    assert [line["event"] for line in logs] == ["visit.refused"]
    assert "canary-7f3a" not in repr(logs)


async def test_a_message_without_a_budget_leaves_nothing_behind(bank: Bank) -> None:
    refusal = await admission(bank, user_turns_a_day=0).admit(SLACK, payer())

    assert refusal
    assert refusal.rule is Rule.BUDGET
    assert await rows(bank) == {}


async def test_a_message_that_is_admitted_is_counted_once(bank: Bank) -> None:
    gate = admission(bank)

    assert [await gate.admit(SLACK, payer()) for _ in range(3)] == [None, None, None]
    assert await used(bank, bank.budgets(), "user", "turns") == 1


async def test_clicks_are_asked_about_and_count_nothing(bank: Bank) -> None:
    assert await admission(bank).refusal(replace(SLACK, wish=Wish.CHANGE)) is None
    assert await rows(bank) == {}


async def test_what_is_switched_holds_for_the_next_message_everywhere(bank: Bank) -> None:
    gate, operator = admission(bank), switching(bank)

    await operator.pause()
    refusal = await gate.refusal(SLACK)
    assert refusal
    assert (refusal.rule, refusal.is_silent) == (Rule.PAUSED, False)
    await operator.pause(silently=True)
    refusal = await gate.refusal(SLACK)
    assert refusal
    assert refusal.is_silent
    assert await operator.resume()
    assert not await operator.resume()
    assert await gate.refusal(SLACK) is None

    await operator.block("slack:U1")
    refusal = await gate.refusal(SLACK)
    assert refusal
    assert refusal.rule is Rule.BLOCKED
    assert await operator.blocked() == ["slack:U1"]
    assert await operator.unblock("slack:U1")
    assert not await operator.unblock("slack:U1")
    assert await gate.refusal(SLACK) is None

    noted = [
        (each.user, each.facts["name"], each.facts["value"]) for each in await bank.store.audit.entries()
    ]
    assert noted == [
        ("operator:anna", "pause", "yes"),
        ("operator:anna", "pause", "silently"),
        ("operator:anna", "pause", "no"),
        ("operator:anna", "block:slack:U1", "yes"),
        ("operator:anna", "block:slack:U1", "no"),
    ]


async def test_settings_of_a_server_hold_for_that_server(bank: Bank) -> None:
    gate = admission(bank)
    manager = replace(DISCORD, wish=Wish.ADMINISTER, is_manager=True)
    assert await gate.refusal(replace(manager, is_manager=False))
    assert await gate.refusal(manager) is None

    await gate.narrow(manager, {"channel": DISCORD.channel, "allowed": "no"})
    narrowed = await gate.narrow(manager, {"turns_a_day": "3"})

    assert narrowed == await gate.narrowed(DISCORD)
    assert (narrowed.channels, narrowed.a_day) == ({DISCORD.channel: False}, {"turns": 3})
    refusal = await gate.refusal(DISCORD)
    assert refusal
    assert refusal.rule is Rule.CHANNEL
    assert await gate.narrowed(SLACK) != narrowed
    assert [each.team for each in await bank.store.audit.entries()] == [f"discord:{GUILD}"] * 2


async def test_of_two_who_change_settings_at_once_both_are_heard(bank: Bank) -> None:
    gates = [replace(admission(bank), switches=Switches(store.database)) for store in bank.stores]
    manager = replace(DISCORD, wish=Wish.ADMINISTER, is_manager=True)
    channels = [str(number) for number in range(12)]

    await asyncio.gather(
        *(
            gates[number % 3].narrow(manager, {"channel": channel, "allowed": "no"})
            for number, channel in enumerate(channels)
        )
    )

    assert (await gates[0].narrowed(DISCORD)).channels == dict.fromkeys(channels, False)


def test_servers_that_are_not_listed_are_left(bank: Bank) -> None:
    gate = admission(bank)

    assert gate.serves("discord", GUILD)
    assert not gate.serves("discord", "999")
