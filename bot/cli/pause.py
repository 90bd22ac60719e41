"""`plotline pause`: take no more questions."""

import argparse

from bot.cli.ending import Code
from bot.cli.switching import open_switching, tell
from bot.config import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with open_switching(settings) as switching:
        stopped = await switching.pause(now=arguments.now, silently=arguments.silent)
    tell(
        "Paused. To go on: plotline resume",
        as_json=arguments.json,
        paused=True,
        silent=arguments.silent,
        stopped=stopped,
    )
    return Code.OK
