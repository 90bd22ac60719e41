"""What Discord shows of work whose question is changed or taken back meanwhile."""

from typing import Any

import pytest

from tests.discord.conftest import shown_text
from tests.fakes.openai_answers import Says
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import DiscordTown, Talk
from tests.program.waiting import until

pytestmark = pytest.mark.parametrize("town", ["discord"], indirect=True)


def shown(town: DiscordTown, talk: Talk) -> list[str]:
    """In the thread, signs of work too."""
    channel: Any = {"id": talk.first["id"]}
    return [shown_text(each) for each in town.discord.in_channel(channel)]


async def test_of_a_question_that_is_deleted_no_sign_of_work_stays(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?", ("a.csv", b"a\n1\n"))
        await until(lambda: any("Working on it" in each for each in shown(town, talk)))

        await town.delete(talk)

        await until(lambda: shown(town, talk) == [])
        model.going.set()


async def test_of_a_question_that_is_edited_only_the_new_answer_stays(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.otherwise = Says("It is 42.")
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?", ("a.csv", b"a\n1\n"))
        await until(lambda: any("Working on it" in each for each in shown(town, talk)))

        await town.edit(talk, "How many with February?")
        model.going.set()

        await until(lambda: shown(town, talk) == ["It is 42."])
