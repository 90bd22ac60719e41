"""Questions about hosts on Discord: asked once beside the answer, decided by a click, after a restart too."""

from typing import Any

import pytest

from adapters.discord.seam import Options
from bot.messages import Noted, Output
from bot.reception import Act, Decided
from bot.visits import Wish
from tests.discord.conftest import Worker, shown_text
from tests.discord.rig import Rig, connected
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.rules import EPHEMERAL, walk

ASKED = "May the code reach `pypi.org`?"
BUTTONS = ["Allow once", "Allow for this thread", "Deny"]
EVERY = Options(reads_all_messages=True)


def buttons(message: dict[str, Any]) -> list[str]:
    return [each["label"] for each in walk(message["components"]) if each["type"] == 2]


async def asked(rig: Rig) -> tuple[str, dict[str, Any]]:
    """The thread's address, and the question in it."""
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "install it")
    (incoming,) = await until(lambda: rig.core.questions)
    await rig.bot.thread(incoming.thread.address).ask(ASKED, "a1b2")
    (message,) = rig.fake.in_channel({"id": str(incoming.address.root)})
    return incoming.thread.address, message


def now(fake: FakeDiscord, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = fake.world.messages[message["id"]]
    return found


async def test_a_question_is_asked_once_with_three_buttons_and_the_answer_stands_beside_it(
    worker: Worker,
) -> None:
    thread, place = worker.in_thread()
    async with thread.working():
        await thread.progress(Noted("Waiting"))
        await thread.ask(ASKED, "a1b2")
    later = worker.again(thread)
    await later.ask(ASKED, "a1b2")
    await later.post(Output("Done."), "discord:1:answer")

    question, answer = worker.fake.in_channel(place)
    assert (shown_text(question), shown_text(answer)) == (ASKED, "Done.")
    assert buttons(question) == BUTTONS


async def test_a_question_does_not_become_the_response_to_a_command(worker: Worker) -> None:
    address, deferred = worker.deferred(worker.fake.general)
    thread = worker.thread(address)
    assert thread.can_ask
    await thread.ask(ASKED, "a1b2")
    await thread.post(Output("Done."), "discord:1:answer")

    assert deferred.original
    assert shown_text(deferred.original) == "Done."
    assert ASKED in [shown_text(each) for each in worker.fake.in_channel(worker.fake.general)]


async def test_where_only_the_asker_reads_for_a_quarter_of_an_hour_nobody_can_be_asked(
    worker: Worker,
) -> None:
    address, _ = worker.deferred(worker.fake.general, private=True)

    assert not worker.thread(address).can_ask


async def test_a_question_that_nobody_answered_in_time_says_so(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.ask(ASKED, "a1b2")
    await worker.again(thread).settle("Nobody decided in time.", "a1b2")

    (question,) = worker.fake.in_channel(place)
    assert shown_text(question) == "Nobody decided in time."
    assert buttons(question) == []


async def test_a_question_that_somebody_has_deleted_is_no_hindrance(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.ask(ASKED, "a1b2")
    (question,) = worker.fake.in_channel(place)
    del worker.fake.world.messages[question["id"]]

    await worker.again(thread).settle("Nobody decided in time.", "a1b2")


@pytest.mark.parametrize(
    ("label", "act"),
    [("Allow once", Act.ALLOW_ONCE), ("Allow for this thread", Act.ALLOW_THREAD), ("Deny", Act.DENY)],
)
async def test_a_decision_takes_the_place_of_the_question_after_a_restart_too(
    fake: FakeDiscord, label: str, act: Act
) -> None:
    async with connected(fake, EVERY) as first:
        _, message = await asked(first)
    async with connected(fake, EVERY, journal=first.journal, core=first.core) as second:
        second.core.decided = Decided("Ben has decided.")
        await fake.people.click(fake.member("Ben"), message, label)
        await until(lambda: shown_text(now(fake, message)) == "Ben has decided.")

    (action,) = first.core.actions
    assert (action.act, action.turn, action.visit.wish) == (act, "a1b2", Wish.CHANGE)
    assert buttons(now(fake, message)) == []


async def test_what_is_allowed_for_a_thread_can_be_taken_back_by_a_button(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as rig:
        _, message = await asked(rig)
        rig.core.decided = Decided("Anna allowed `pypi.org`.", can_be_revoked=True)
        await fake.people.click(fake.anna, message, "Allow for this thread")
        await until(lambda: buttons(now(fake, message)) == ["Stop allowing"])
        rig.core.decided = Decided("Ben stopped allowing `pypi.org`.")
        await fake.people.click(fake.member("Ben"), now(fake, message), "Stop allowing")
        await until(lambda: buttons(now(fake, message)) == [])

    assert (rig.core.actions[-1].act, rig.core.actions[-1].turn) == (Act.REVOKE, "a1b2")
    assert shown_text(now(fake, message)) == "Ben stopped allowing `pypi.org`."


async def test_who_may_not_decide_is_told_so_alone_and_the_question_stays(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as rig:
        _, message = await asked(rig)
        rig.core.decided = Decided("Only managers can.", is_for_all=False)
        await fake.people.click(fake.member("Ben"), message, "Allow once")
        told = await until(
            lambda: [each for each in fake.world.messages.values() if each.get("flags", 0) & EPHEMERAL]
        )

    assert [shown_text(each) for each in told] == ["Only managers can."]
    assert buttons(now(fake, message)) == BUTTONS


async def test_whom_the_policy_refuses_decides_nothing(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as rig:
        _, message = await asked(rig)
        rig.core.refusals[Wish.CHANGE] = "Not for you."
        clicked = await fake.people.click(fake.member("Ben"), message, "Allow once")
        await until(lambda: clicked.original)

    assert rig.core.actions == []
    assert buttons(now(fake, message)) == BUTTONS
