"""Hosts that code was refused, with the whole program: people see a question, and what they say is what happens."""

import re
import signal

import pytest

from tests.program.serving import Serving
from tests.program.towns import Button, Talk, Town
from tests.program.waiting import until

QUESTION = "The code wants to reach `no-such-host.example`"


@pytest.fixture
def asking(serving: Serving) -> Serving:
    serving.env |= {"NETWORK_APPROVALS": "asker"}
    return serving


async def waits(town: Town, talk: Talk, serving: Serving) -> None:
    await until(lambda: any(QUESTION in each for each in town.read(talk)) and serving.logged("turn.parked"))


async def answer(town: Town, talk: Talk) -> str:
    found = await until(lambda: [each for each in town.read(talk) if "It said" in each])
    return found[0]


def decided(town: Town, talk: Talk) -> list[str]:
    return [each for each in town.read(talk) if "`no-such-host.example`" in each]


async def test_what_the_asker_allows_is_called_and_the_turn_goes_on(town: Town, asking: Serving) -> None:
    async with asking.here():
        await until(town.is_listening)
        talk = await town.ask("Please reach it")
        await waits(town, talk, asking)

        await town.press(talk, Button.ALLOW_ONCE)

        # Nothing on this bot's list was in the way any more.
        assert "no-such-host.example has no address" in await answer(town, talk)
        (said,) = decided(town, talk)
        assert "allowed `no-such-host.example` for this question." in said


async def test_somebody_else_cannot_decide_and_the_asker_can_say_no(town: Town, asking: Serving) -> None:
    async with asking.here():
        await until(town.is_listening)
        talk = await town.ask("Please reach it")
        await waits(town, talk, asking)

        await town.press(talk, Button.ALLOW_THREAD, "bert")
        # Everybody reads their own language.
        await until(lambda: any(re.search("can decide|entscheiden", each) for each in town.whispers("bert")))
        await town.press(talk, Button.DENY)

        assert "is not on this bot's list" in await answer(town, talk)
        assert "did not allow" in decided(town, talk)[0]


async def test_a_question_outlives_the_bot(town: Town, asking: Serving) -> None:
    async with asking.running() as process:
        await until(town.is_listening)
        talk = await town.ask("Please reach it")
        await waits(town, talk, asking)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with asking.here():
        await until(town.is_listening)
        await town.press(talk, Button.ALLOW_THREAD)

        assert "no-such-host.example has no address" in await answer(town, talk)
        await town.press(talk, Button.REVOKE)
        await until(lambda: any("stopped allowing" in each for each in decided(town, talk)))


async def test_while_it_waits_other_questions_are_answered(town: Town, asking: Serving) -> None:
    async with asking.here():
        await until(town.is_listening)
        talk = await town.ask("Please reach it")
        await waits(town, talk, asking)

        await town.follow_up(talk, "hello")

        await until(lambda: any("Hello to you, too." in each for each in town.read(talk)))


async def test_where_nobody_may_decide_nobody_is_asked(town: Town, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("Please reach it")

        assert await answer(town, talk)
        assert decided(town, talk) == []
