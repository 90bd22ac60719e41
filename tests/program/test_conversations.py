"""What is said meanwhile, twice, by somebody who may not any more, and on a platform that fails for a while."""

import asyncio

import pytest

from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving, contents
from tests.program.towns import Anywhere, Town
from tests.program.waiting import until


async def test_what_is_said_meanwhile_is_read_at_the_next_round(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("I count.", (Calls("print(40)"),)), Says("For this year it is 40.")]
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many were there?")
        await until(lambda: model.received)

        await town.follow_up(talk, "I mean this year, not the last", who="bert")
        await until(lambda: "this year" in stored(serving))
        model.going.set()

        await until(lambda: any("For this year it is 40." in each for each in town.read(talk)))
        first, second = map(text_of, model.bodies)
        assert "not the last" in second
        assert "not the last" not in first


async def test_what_a_platform_tells_again_is_one_question(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)
        model.going.clear()
        talk = await town.ask("How many were there?")
        await town.repeat(talk)
        model.going.set()
        await until(lambda: any("Fine." in each for each in town.read(talk)))
        await town.repeat(talk)

        other = await town.ask("And where?", who="bert")

        await until(lambda: any("Fine." in each for each in town.read(other)))
        assert [each for each in town.read(talk) if "Fine." in each] == ["Fine."]
        assert len(model.received) == 2


async def test_who_is_blocked_before_their_turn_begins_is_refused(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["LIMITS__TURNS"] = "1"
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        first = await town.ask("How many were there?")
        await until(lambda: model.received)
        talk = await town.ask("And where?", who="bert")
        await until(lambda: "And where?" in stored(serving))

        await serving.operator("block", town.id_of("bert"))
        model.going.set()

        await until(lambda: any("Fine." in each for each in town.read(first)))
        (said,) = await until(lambda: town.refused(talk) or town.read(talk))
        assert "Fine." not in said
        assert "the lab" in said
        assert "And where?" not in "".join(map(text_of, model.bodies))


async def test_what_all_may_use_together_binds_everybody(
    town: Anywhere, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["BUDGETS__TOKENS_A_MONTH"] = "5000"
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("How many were there?")

        said = await until(lambda: town.read(talk))
        assert "the lab" in said[0]
        assert model.received == []


@pytest.mark.chaos
@pytest.mark.parametrize("seconds", [3, 45], ids=["for a moment", "for longer than it is waited for"])
async def test_a_platform_that_fails_for_a_while_loses_nothing(
    town: Town, serving: Serving, model: OpenAIServer, seconds: float
) -> None:
    model.answers = [
        Says("I make it.", (Calls('open("made.csv", "w").write("a\\n1\\n")'),)),
        Says("Here it is."),
    ]
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("Make me a file")
        await until(lambda: model.received)

        failing = asyncio.create_task(town.stumbles(seconds))
        model.going.set()
        await failing
        await until(lambda: "delivered=ok" in serving.log.read_text("utf-8"), seconds=120)

        await until(lambda: any("Here it is." in each for each in town.read(talk)))
        assert await until(lambda: town.files(talk)) == {"made.csv": b"a\n1\n"}
        assert len([each for each in town.read(talk) if "Here it is." in each]) == 1


def stored(serving: Serving) -> str:
    """All that the database holds, as far as it is text."""
    folder = serving.folder / "data"
    return "".join(contents(each).decode("utf-8", "ignore") for each in folder.glob("plotline.db*"))
