"""Sums that never pass their limits, however many reserve at once; on both stores."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from bot.budgets import Budgets, zone
from bot.errors import Fenced
from bot.execution import Host
from bot.messages import Author
from bot.policy import Refusal, Rule
from bot.store.approvals import Question
from bot.store.budgets import Accounts
from bot.store.claiming import Claimant
from bot.store.switches import Switches
from bot.store.tables import budgets as budgets_table
from bot.store.tables import metadata, reservations, turns
from bot.store.usage import Payer
from tests.policy.conftest import MANY, NOON, VIENNA, Bank, payer

ANNA = Author("U1", "Anna", "en", "Europe/Vienna")


async def used(bank: Bank, budgets: Budgets, whose: str, what: str, of: Payer | None = None) -> float:
    standings = await budgets.standings(of or payer())
    (amount,) = [each.used for each in standings if (each.whose, each.what) == (whose, what)]
    return amount


async def rows(bank: Bank) -> dict[str, int]:
    """How many there are in each table, where there are any."""

    async def work(connection: object) -> dict[str, int]:
        found = {
            table.name: await connection.scalar(select(func.count()).select_from(table))  # type: ignore[attr-defined]
            for table in metadata.sorted_tables
        }
        return {name: count for name, count in found.items() if count}

    return await bank.store.database.read(work)


# ---- many at once


async def test_no_more_is_reserved_than_there_is_however_many_ask_at_once(bank: Bank) -> None:
    hold = await bank.turn(payer())
    offices = [bank.budgets(number, tokens_a_month=100) for number in range(3)]

    answers = await asyncio.gather(
        *(
            offices[number % 3].reserve(payer(), hold, f"reply:{number}", {"tokens": 10}, {})
            for number in range(45)
        )
    )

    assert answers.count(None) == 10
    assert await used(bank, offices[0], "all", "tokens") == 100


async def test_turns_side_by_side_never_pass_a_limit_at_any_moment(bank: Bank) -> None:
    chance = random.Random(7)
    offices = [bank.budgets(number, user_usd_a_day=1.0, tokens_a_month=300) for number in range(3)]
    most = {"usd": 0.0, "tokens": 0.0}
    spent = refused = 0.0
    done = asyncio.Event()

    async def turn(number: int) -> None:
        nonlocal spent, refused
        office, who = offices[number % 3], payer(f"m{number}", thread=f"slack:T1/C1/{number}")
        hold = await bank.turn(who)
        for step in (f"reply:{count}" for count in range(3)):
            if await office.reserve(who, hold, step, {"tokens": 12, "usd": 0.07}, {}):
                refused += 1
                break
            await asyncio.sleep(chance.random() / 100)
            tokens = chance.randint(1, 12)
            also = office.settled(who, step, {"tokens": tokens, "usd": 0.07})
            await bank.stores[number % 3].steps.record(hold, step, {}, also)
            spent += tokens
        await bank.stores[number % 3].database.write(office.closed(who.turn))

    async def watch() -> None:
        while not done.is_set():
            most["usd"] = max(most["usd"], await used(bank, offices[0], "user", "usd"))
            most["tokens"] = max(most["tokens"], await used(bank, offices[0], "all", "tokens"))

    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*(turn(number) for number in range(20)))
    done.set()
    await watching

    assert refused
    assert most["usd"] <= 1.0 + 1e-6
    assert most["tokens"] <= 300
    assert await used(bank, offices[0], "all", "tokens") == pytest.approx(spent)
    assert (await rows(bank)).get("reservations") is None


async def test_one_of_two_questions_at_once_is_refused_where_one_may_run(bank: Bank) -> None:
    offices = [bank.budgets(number, discord_running=1) for number in range(3)]

    answers = await asyncio.gather(
        *(
            offices[number % 3].begin(payer(f"m{number}", thread=f"discord:812/{number}"))
            for number in range(9)
        )
    )

    assert answers.count(None) == 1
    assert {each.rule for each in answers if each} == {Rule.RUNNING}


# ---- one step


async def test_a_step_counts_what_it_has_cost_once(bank: Bank) -> None:
    budgets, hold = bank.budgets(user_tokens_a_day=100), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 90}, {"tokens": 20})

    for _ in range(2):
        also = budgets.settled(payer(), "reply:1", {"tokens": 30})
        await bank.store.steps.record(hold, "reply:1", {}, also)
    await bank.store.database.write(budgets.closed("m1"))

    assert await used(bank, budgets, "user", "tokens") == 30
    assert await budgets.reserve(payer(), hold, "reply:2", {"tokens": 71}, {})
    assert not await budgets.reserve(payer(), hold, "reply:2", {"tokens": 70}, {})


async def test_what_was_reserved_yesterday_is_settled_yesterday(bank: Bank) -> None:
    budgets, hold = bank.budgets(), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 90}, {})
    bank.later(days=1)
    await bank.store.steps.record(hold, "reply:1", {}, budgets.settled(payer(), "reply:1", {"tokens": 30}))

    assert await used(bank, budgets, "user", "tokens") == 0
    bank.later(days=-1)
    assert await used(bank, budgets, "user", "tokens") == 30


async def test_a_reply_that_is_longer_than_was_reserved_counts_in_full(bank: Bank) -> None:
    budgets, hold = bank.budgets(user_tokens_a_day=100), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 90}, {})
    await bank.store.steps.record(hold, "reply:1", {}, budgets.settled(payer(), "reply:1", {"tokens": 130}))

    assert await used(bank, budgets, "user", "tokens") == 130
    assert await budgets.reserve(payer(), hold, "reply:2", {"tokens": 1}, {})


async def test_a_step_that_was_never_reserved_counts_too(bank: Bank) -> None:
    budgets, hold = bank.budgets(), await bank.turn(payer())
    await bank.store.steps.record(hold, "cell:1", {}, budgets.settled(payer(), "cell:1", {"seconds": 4}))

    assert await used(bank, budgets, "all", "seconds") == 4


async def test_a_step_that_failed_costs_nothing(bank: Bank) -> None:
    budgets, hold = bank.budgets(), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 90}, {"tokens": 20})
    await budgets.release("m1", "reply:1")

    assert await used(bank, budgets, "all", "tokens") == 0


async def test_a_turn_that_ends_without_its_step_counts_what_that_has_cost_at_least(bank: Bank) -> None:
    budgets, hold = bank.budgets(), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 90}, {"tokens": 20})
    await bank.store.database.write(budgets.closed("m1"))
    await bank.store.database.write(budgets.closed("m1"))

    assert await used(bank, budgets, "all", "tokens") == 20


async def test_nothing_is_reserved_where_one_of_the_limits_is_reached(bank: Bank) -> None:
    budgets, hold = bank.budgets(tokens_a_month=10), await bank.turn(payer())

    refusal = await budgets.reserve(payer(), hold, "reply:1", {"tokens": 11, "usd": 0.1}, {})

    assert refusal
    assert await used(bank, budgets, "user", "usd") == 0
    assert "reservations" not in await rows(bank)


# ---- workers that die


async def test_whoever_takes_a_turn_over_reserves_in_place_of_the_dead(bank: Bank) -> None:
    budgets = bank.budgets(user_tokens_a_day=100)
    await budgets.reserve(payer(), await bank.turn(payer()), "reply:1", {"tokens": 80}, {})
    claimed = await bank.store.turns.claim(Claimant("w2", MANY, only="m1", dead=["w1"]))
    assert claimed

    assert not await budgets.reserve(payer(), claimed.hold, "reply:1", {"tokens": 90}, {})
    assert await used(bank, budgets, "user", "tokens") == 90


async def test_whoever_was_replaced_reserves_nothing(bank: Bank) -> None:
    budgets, hold = bank.budgets(), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 80}, {})
    await bank.store.turns.claim(Claimant("w2", MANY, only="m1", dead=["w1"]))

    with pytest.raises(Fenced):
        await budgets.reserve(payer(), hold, "reply:1", {"tokens": 1}, {})

    assert await used(bank, budgets, "user", "tokens") == 80


async def test_what_ended_turns_have_left_makes_room_for_others(bank: Bank) -> None:
    budgets, hold = bank.budgets(tokens_a_month=100), await bank.turn(payer())
    await budgets.reserve(payer(), hold, "reply:1", {"tokens": 80}, {"tokens": 10})
    other = payer("m2", user="U2", thread="slack:T1/C1/2")
    other_hold = await bank.turn(other)
    assert await budgets.reserve(other, other_hold, "reply:1", {"tokens": 80}, {})

    await bank.store.turns.end(hold, "error")

    assert not await budgets.reserve(other, other_hold, "reply:1", {"tokens": 80}, {})
    assert await used(bank, budgets, "all", "tokens") == 90


# ---- turns


async def test_a_message_is_counted_once_however_often_it_comes(bank: Bank) -> None:
    budgets = bank.budgets(user_turns_a_day=2)
    for _ in range(3):
        assert not await budgets.begin(payer())
    hold = await bank.turn(payer())
    assert not await budgets.begin(payer())
    await bank.store.turns.end(hold, "ok")
    await bank.store.database.write(budgets.closed("m1"))
    assert not await budgets.begin(payer())

    assert await used(bank, budgets, "user", "turns") == 1


async def test_a_turn_too_many_is_refused_with_the_rule_the_reset_and_the_contact(bank: Bank) -> None:
    budgets = bank.budgets(user_turns_a_day=1)
    await budgets.begin(payer("m1"))
    before = await rows(bank)

    refusal = await budgets.begin(payer("m2"))

    assert refusal
    assert refusal.rule is Rule.BUDGET
    assert refusal.until == datetime(2026, 11, 26, tzinfo=VIENNA)
    assert refusal.said(ANNA, "the help desk") == (
        "Everyone may ask 1 questions a day here, and you have asked yours. You can go on from "
        "2026-11-26 00:00 CET; if you need more, turn to the help desk."
    )
    assert await rows(bank) == before
    assert not await budgets.begin(payer("m3", user="U2"))
    bank.later(days=1)
    assert not await budgets.begin(payer("m2"))


@pytest.mark.parametrize(
    ("limit", "whose"),
    [("user_turns_a_day", "user"), ("team_turns_a_month", "team"), ("turns_a_month", "all")],
)
async def test_a_limit_of_nothing_allows_nothing(bank: Bank, limit: str, whose: str) -> None:
    refusal = await bank.budgets(**{limit: 0}).begin(payer())

    assert refusal
    assert refusal.sentence == f"budget_{whose}_turns"


async def test_teams_have_budgets_of_their_own(bank: Bank) -> None:
    budgets = bank.budgets(team_turns_a_month=1, turns_a_month=2)

    assert not await budgets.begin(payer("m1"))
    assert (await refused(budgets, payer("m2", user="U2"))).sentence == "budget_team_turns"
    assert not await budgets.begin(payer("m3", thread="slack:T2/C1/1"))
    assert (await refused(budgets, payer("m4", thread="slack:T3/C1/1"))).sentence == "budget_all_turns"


async def test_whoever_manages_a_server_can_lower_what_its_members_may(bank: Bank) -> None:
    await Switches(bank.store.database).set("settings:discord:812", '{"a_day": {"turns": 1}}')
    budgets = bank.budgets(user_turns_a_day=5)

    assert not await budgets.begin(payer("m1", thread="discord:812/1"))
    assert (await refused(budgets, payer("m2", thread="discord:812/2"))).facts == {"limit": 1}
    assert not await budgets.begin(payer("m3", thread="discord:813/2"))


async def test_the_terminal_is_bounded_by_the_installation_alone(bank: Bank) -> None:
    budgets = bank.budgets(user_turns_a_day=1, team_turns_a_month=1, turns_a_month=2)
    for number in range(2):
        assert not await budgets.begin(payer(f"m{number}", thread="console:a"))

    assert (await refused(budgets, payer("m3", thread="console:a"))).sentence == "budget_all_turns"


async def refused(budgets: Budgets, who: Payer) -> Refusal:
    refusal = await budgets.begin(who, await budgets.narrowed(who))
    assert refusal
    return refusal


# ---- one person's questions among each other


async def test_questions_in_other_threads_wait_until_the_first_is_answered(bank: Bank) -> None:
    budgets = bank.budgets(discord_running=1)
    first, follow_up = payer("m1", thread="discord:812/1"), payer("m2", thread="discord:812/1")
    other = payer("m3", thread="discord:812/2")
    await budgets.begin(first)
    hold = await bank.turn(first)

    assert not await budgets.begin(follow_up)
    assert (await refused(budgets, other)).rule is Rule.RUNNING
    assert not await budgets.begin(payer("m4", user="U2", thread="discord:812/4"))
    assert not await budgets.begin(payer("m5", thread="slack:T1/C1/1"))

    await bank.store.turns.end(hold, "ok")

    assert not await budgets.begin(other)


async def test_questions_keep_a_distance_but_not_what_is_added_to_one(bank: Bank) -> None:
    budgets = bank.budgets(discord_cooldown_seconds=10)
    await budgets.begin(payer("m1", thread="discord:812/1"))
    await bank.turn(payer("m1", thread="discord:812/1"))
    bank.later(seconds=4)
    other = payer("m3", thread="discord:812/2")

    assert not await budgets.begin(payer("m2", thread="discord:812/1"))
    refusal = await refused(budgets, other)
    assert (refusal.rule, refusal.facts) == (Rule.COOLDOWN, {"seconds": 6})
    assert refusal.until == bank.now + timedelta(seconds=6)
    bank.later(seconds=6)
    assert not await budgets.begin(other)


async def test_what_is_asked_beside_a_question_to_people_keeps_its_distance(bank: Bank) -> None:
    budgets = bank.budgets(discord_cooldown_seconds=10)
    first = payer("m1", thread="discord:812/1")
    await budgets.begin(first)
    hold = await bank.turn(first)
    await bank.store.approvals.add(Question("q1", first.thread, first.turn, Host("site.example")), hold, 60)
    await bank.store.turns.park(hold)

    assert (await refused(budgets, payer("m2", thread="discord:812/1"))).rule is Rule.COOLDOWN


async def test_a_turn_that_was_counted_and_never_taken_in_runs_no_more(bank: Bank) -> None:
    budgets = bank.budgets(discord_running=1)
    await budgets.begin(payer("m1", thread="discord:812/1"))
    other = payer("m2", thread="discord:812/2")
    assert await budgets.begin(other)

    async def age(connection: object) -> None:
        await connection.execute(update(reservations).values(at=reservations.c.at - 61))  # type: ignore[attr-defined]

    await bank.store.database.write(age)

    assert not await budgets.begin(other)


# ---- days and months


@pytest.mark.parametrize(
    ("now", "day_ends", "month_ends"),
    [
        ("2026-11-25T22:59:00+00:00", "2026-11-26T00:00:00+01:00", "2026-12-01T00:00:00+01:00"),
        ("2026-11-25T23:01:00+00:00", "2026-11-27T00:00:00+01:00", "2026-12-01T00:00:00+01:00"),
        ("2026-12-31T22:00:00+00:00", "2027-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("2026-03-28T23:30:00+00:00", "2026-03-30T00:00:00+02:00", "2026-04-01T00:00:00+02:00"),
        ("2026-10-25T22:30:00+00:00", "2026-10-26T00:00:00+01:00", "2026-11-01T00:00:00+01:00"),
        ("2028-02-28T23:30:00+00:00", "2028-03-01T00:00:00+01:00", "2028-03-01T00:00:00+01:00"),
    ],
)
async def test_days_and_months_are_those_of_the_operator(
    bank: Bank, now: str, day_ends: str, month_ends: str
) -> None:
    bank.now = datetime.fromisoformat(now)

    ends = {each.whose: each.until for each in await bank.budgets().standings(payer())}

    assert ends["user"] == datetime.fromisoformat(day_ends)
    assert ends["team"] == ends["all"] == datetime.fromisoformat(month_ends)


def test_a_time_zone_that_nobody_knows_is_utc() -> None:
    assert zone("Europe/Vienna") == VIENNA
    assert zone("Middle/Earth").key == "UTC"


async def test_a_reset_is_told_in_the_askers_own_time(bank: Bank) -> None:
    refusal = await refused(bank.budgets(user_turns_a_day=0), payer())

    assert "2026-11-25 18:00 EST" in refusal.said(Author("U1", "Anna", "en", "America/New_York"), "")
    assert "2026-11-26 00:00 CET" in refusal.said(Author("U1", "Anna", "de", "Europe/Vienna"), "")


async def test_accounts_of_long_ago_are_dropped_and_those_of_now_kept(bank: Bank) -> None:
    budgets = bank.budgets(discord_running=1)
    bank.now = NOON - timedelta(days=120)
    await budgets.begin(payer("m1", thread="discord:812/1"))
    bank.now = NOON
    await budgets.begin(payer("m2", user="U2", thread="discord:812/2"))

    await budgets.tidy()

    held = await Accounts(bank.store.database).held(
        [
            ("all", "2026-07", "turns"),
            ("user:discord:812/U1", "now", "running"),
            ("user:discord:812/U2", "2026-11-25", "turns"),
        ]
    )
    assert held == {
        ("user:discord:812/U1", "now", "running"): 1,
        ("user:discord:812/U2", "2026-11-25", "turns"): 1,
    }


async def test_of_somebody_who_asks_no_more_nothing_is_left_that_says_when_or_what_runs(bank: Bank) -> None:
    budgets = bank.budgets(discord_running=2, discord_cooldown_seconds=1)
    bank.now = datetime.now(UTC) - timedelta(days=2)
    await budgets.begin(payer("m1", thread="discord:812/1"))
    await bank.store.database.write(budgets.closed("m1"))
    bank.now = datetime.now(UTC)
    await budgets.begin(payer("m2", user="U2", thread="discord:812/2"))

    await budgets.tidy()

    left = select(budgets_table.c.scope, budgets_table.c.what).where(budgets_table.c.period == "now")
    found = await bank.store.database.read(lambda connection: connection.execute(left))
    assert {tuple(row) for row in found} == {
        ("user:discord:812/U2", "asked"),
        ("user:discord:812/U2", "running"),
    }


async def test_accounts_that_are_tidied_away_while_turns_begin_count_right(bank: Bank) -> None:
    offices = [bank.budgets(number, discord_running=999) for number in range(3)]
    who = [payer(f"m{number}", thread=f"discord:812/{number}") for number in range(30)]

    async def go_through(one: Payer, office: Budgets) -> None:
        assert await office.begin(one) is None
        await bank.store.database.write(office.closed(one.turn))
        assert await office.begin(replace(one, turn=f"{one.turn} again")) is None

    await asyncio.gather(
        *(go_through(one, offices[number % 3]) for number, one in enumerate(who)),
        *(offices[number % 3].tidy() for number in range(10)),
    )

    account = ("user:discord:812/U1", "now", "running")
    assert await Accounts(bank.store.database).held([account]) == {account: 30}


async def test_what_is_held_is_shown_with_its_limit(bank: Bank) -> None:
    budgets = bank.budgets(user_turns_a_day=5, usd_a_month=2.5)
    await budgets.begin(payer())

    shown = {(each.whose, each.what): (each.used, each.most) for each in await budgets.standings(payer())}

    assert shown["user", "turns"] == (1, 5)
    assert shown["all", "usd"] == (0, 2.5)
    assert shown["team", "tokens"] == (0, None)


async def test_turns_are_left_as_they_were(bank: Bank) -> None:
    """The budgets read turns, and write none."""
    await bank.budgets().begin(payer())

    async def work(connection: object) -> int:
        return await connection.scalar(select(func.count()).select_from(turns))  # type: ignore[attr-defined,no-any-return]

    assert await bank.store.database.read(work) == 0
