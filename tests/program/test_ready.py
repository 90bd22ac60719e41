"""What whoever watches the bot hears over HTTP of its platform."""

import asyncio
import re

import aiohttp
import pytest

from tests.program.serving import Serving
from tests.program.towns import SlackTown
from tests.program.waiting import until


@pytest.mark.parametrize("town", ["slack"], indirect=True)
async def test_it_is_not_ready_while_it_hears_nothing(town: SlackTown, serving: Serving) -> None:
    serving.env["HEALTH_PORT"] = "0"
    serving.may_complain = True
    async with serving.here():
        await until(town.is_listening)
        port = await until(lambda: re.search(r"event=health.served.* port=(\d+)", serving.log.read_text()))
        await until_it_says(port[1], "slack ok")

        town.slack.rules.append(
            lambda method, _: "fatal_error" if method == "apps.connections.open" else None
        )
        await town.slack.sockets.drop()
        await until_it_says(port[1], "slack failed")

        town.slack.rules.clear()
        await until_it_says(port[1], "slack ok")


async def until_it_says(port: str, line: str) -> None:
    expected = 503 if "failed" in line else 200
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                if response.status == expected and line in await response.text():
                    return
            await asyncio.sleep(0.1)
