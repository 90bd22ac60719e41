"""The whole bot with nothing to do, connected to Slack and Discord, with a model's endpoint and a box kept ready."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, on_this_machine
from benchmarks.sandbox.idle import cpu_seconds, resident_bytes
from benchmarks.turns.served import Served, served
from tests.fakes.openai_server import OpenAIServer
from tests.program.towns import discord_town, slack_town

SETTLE_SECONDS = 15
MEASURED_SECONDS = 60
"""Each platform hears a sign of life within it."""
LOOK_SECONDS = 0.1


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with slack_town() as slack, discord_town() as discord, OpenAIServer().serving() as model:
            endpoint = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "key", "MODEL_NAME": "fake"}
            async with served(Served(Path(folder), slack.env | discord.env | endpoint)) as process:
                while not (slack.is_listening() and discord.is_listening()):
                    if process.returncode is not None:
                        raise RuntimeError((Path(folder) / "log.txt").read_text())
                    await asyncio.sleep(LOOK_SECONDS)
                await asyncio.sleep(SETTLE_SECONDS)
                return await _measured(process.pid)


async def _measured(pid: int) -> list[Figure]:
    before, started = cpu_seconds([pid]), time.monotonic()
    await asyncio.sleep(MEASURED_SECONDS)
    share = (cpu_seconds([pid]) - before) / (time.monotonic() - started) * 100
    return [
        on_this_machine("turns.idle.cpu", share, "%", "≤ 0.5 % of a core"),
        on_this_machine("turns.idle.memory", resident_bytes(pid) / 1e6, "MB", "≤ 150 MB"),
    ]
