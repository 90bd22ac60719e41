"""`plotline discord`: the link that adds the bot to a server."""

import argparse
import sys

from adapters.discord.application import application_of
from adapters.discord.endpoints import point_to
from adapters.discord.errors import DiscordRefused
from adapters.discord.permissions import NEEDED, invite_link
from adapters.proxies import proxy_for
from bot.cli import results
from bot.cli.ending import Code, Ended
from bot.cli.settings import ended
from bot.config import Settings
from bot.errors import PlatformUnavailable

NO_APPLICATION = (
    "Which application? Set DISCORD_TOKEN, or name it with --application: its id stands under General Information at "
    "https://discord.com/developers/applications."
)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    application = arguments.application or await _of_token(settings)
    link = invite_link(application)
    if arguments.json:
        results.write(
            {"status": "ok", "application": str(application), "link": link, "permissions": [*NEEDED.values()]}
        )
        return Code.OK
    print(link)
    sys.stderr.write(f"It asks for: {', '.join(NEEDED.values())}.\n")
    return Code.OK


async def _of_token(settings: Settings) -> int:
    if settings.discord_token is None:
        raise Ended(Code.NOT_SET_UP, NO_APPLICATION)
    point_to(settings.discord_api_url, None)
    try:
        return await application_of(
            settings.discord_token.get_secret_value(), proxy_for(settings.discord_api_url)
        )
    except DiscordRefused as error:
        raise Ended(
            Code.NOT_SET_UP, f"Discord refuses: {error}. `plotline doctor` tells what to do."
        ) from error
    except PlatformUnavailable as error:
        raise ended(error, settings) from error
