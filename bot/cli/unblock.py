"""`plotline unblock`: let somebody ask again."""

import argparse

from bot.cli.ending import Code, Ended
from bot.cli.switching import open_switching, tell
from bot.config import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    user: str = arguments.user
    async with open_switching(settings) as switching:
        was_blocked = await switching.unblock(user)
        blocked = await switching.blocked()
    if not was_blocked:
        raise Ended(Code.USAGE, f"{user} was not blocked: `plotline block` lists who is, and by which name.")
    tell(f"{user} may ask again.", as_json=arguments.json, blocked=blocked)
    return Code.OK
