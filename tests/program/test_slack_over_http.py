"""Slack's events over HTTP, in place of a connection that the bot opens itself."""

import asyncio
import socket

import pytest

from tests.fakes.slack.server import SIGNING_SECRET
from tests.fakes.slack.transport import Sender
from tests.program.serving import Serving
from tests.program.towns import SlackTown
from tests.program.waiting import until


@pytest.mark.parametrize("town", ["slack"], indirect=True)
async def test_a_question_over_http_is_answered_and_a_forged_one_is_not(
    town: SlackTown, serving: Serving
) -> None:
    port = _free_port()
    del serving.env["SLACK_APP_TOKEN"]
    serving.env |= {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_HOST": "127.0.0.1",
        "SLACK_PORT": str(port),
    }
    town.slack.sender = Sender(f"http://127.0.0.1:{port}/slack/events", SIGNING_SECRET)
    async with serving.here():
        await _until_served(port)
        status, _ = await town.slack.sender.request(
            '{"type": "event_callback"}', {"Content-Type": "application/json"}, secret="another"
        )

        talk = await town.ask("What is the total revenue?", ("sales.csv", b"month,revenue\nJan,40\nFeb,2\n"))

        await until(lambda: any("42" in each for each in town.read(talk)))
    assert status == 401
    assert town.slack.sockets.opened == 0


def _free_port() -> int:
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        return int(probing.getsockname()[1])


async def _until_served(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
