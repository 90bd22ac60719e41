"""`plotline block`: let somebody ask no more, or list those who can't."""

import argparse

from bot.cli.ending import Code
from bot.cli.switching import open_switching, tell
from bot.config import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    user: str | None = arguments.user
    async with open_switching(settings) as switching:
        stopped = await switching.block(user) if user else []
        blocked = await switching.blocked()
    sentence = f"{user} is blocked." if user else "\n".join(blocked) or "Nobody is blocked."
    tell(sentence, as_json=arguments.json, stopped=stopped, blocked=blocked)
    return Code.OK
