"""A channel goes, with all that was said in it: the platforms tell of no single message then."""

from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.test_privacy import CANARY, FILE, places
from tests.program.towns import DiscordTown, SlackTown
from tests.program.waiting import until


async def test_of_a_deleted_channel_nothing_is_left(
    town: SlackTown | DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)
        await town.ask(f"What of {CANARY}?", FILE)
        await until(lambda: serving.logged("turn.ended"))
        model.received.clear()
        assert places(serving, model) != []

        if isinstance(town, SlackTown):
            await town.slack.deliver({"type": "channel_deleted", "channel": "C1"})
        else:
            await town.discord.gateway.emit("CHANNEL_DELETE", town.discord.general)

        await until(lambda: not places(serving, model))
    assert places(serving, model) == []
