"""`plotline resume`: take questions again."""

import argparse

from bot.cli.ending import Code
from bot.cli.switching import open_switching, tell
from bot.config import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with open_switching(settings) as switching:
        was_paused = await switching.resume()
    sentence = "Questions are taken again." if was_paused else "It was not paused."
    tell(sentence, as_json=arguments.json, paused=False, was_paused=was_paused)
    return Code.OK
