"""What people change and take away in Slack while the bot is not there to hear of it."""

import pytest

from tests.fakes.openai_answers import Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.test_privacy import CANARY, FILE, places
from tests.program.towns import SlackTown
from tests.program.waiting import until

pytestmark = pytest.mark.parametrize("town", ["slack"], indirect=True)


async def test_an_edit_that_nobody_heard_is_answered_once_and_what_stayed_is_left_alone(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("It is 40."), Says("It is 7."), Says("It is 42.")]
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: any("It is 40." in each for each in town.read(talk)))
        other = await town.ask("How many elsewhere?")
        await until(lambda: any("It is 7." in each for each in town.read(other)))
    await town.edit(talk, "How many with February?", heard=False)
    await town.slack.unfurls(other.first, heard=False)

    for starts in (1, 2):
        async with serving.here():
            await until(lambda: serving.log.read_text("utf-8").count("event=slack.caught_up") == starts)  # noqa: B023
            await until(lambda: town.read(talk) == ["It is 42."])

    assert "How many with February?" in text_of(model.bodies[-1])
    assert len(model.received) == 3


@pytest.mark.parametrize("what", ["the file", "the question"])
async def test_of_what_was_deleted_while_nobody_listened_nothing_is_left(
    town: SlackTown, serving: Serving, model: OpenAIServer, what: str
) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask(f"What of {CANARY}?" if what == "the question" else "What of it?", FILE)
        await until(lambda: serving.logged("turn.ended"))
        await town.ask("And where?")
        await until(lambda: serving.log.read_text("utf-8").count("event=turn.ended") == 2)
    assert any("workspaces" in each or "blobs" in each for each in places(serving, model))
    if what == "the file":
        await town.lose_file(talk, heard=False)
    else:
        await town.delete(talk, heard=False)
    model.received.clear()

    async with serving.here():
        await until(lambda: not places(serving, model))
    assert places(serving, model) == []
