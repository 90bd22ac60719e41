"""What only one person in Slack has to read, nobody else sees."""

import pytest

from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.test_conversations import stored
from tests.program.towns import SlackTown
from tests.program.waiting import until


@pytest.mark.parametrize("town", ["slack"], indirect=True)
async def test_whoever_may_no_longer_ask_when_their_turn_begins_hears_so_alone(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: model.received)
        # With a file, it waits for a turn of its own.
        await town.follow_up(talk, "And what of this?", ("a.csv", b"a\n1\n"), who="bert")
        await until(lambda: "what of this" in stored(serving))
        await serving.operator("block", town.id_of("bert"))

        model.going.set()

        (said,) = await until(lambda: town.whispers("bert"))
        await until(lambda: any("Fine." in each for each in town.read(talk)))
        assert "the lab" in said
        assert len(town.read(talk)) == 1
        assert len(model.received) == 1
