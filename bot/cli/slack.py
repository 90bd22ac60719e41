"""`plotline slack`: the app in Slack, described and made."""

import argparse
import getpass
import json
import sys
from pathlib import Path

from adapters.slack import manifest
from adapters.slack.installation import Options
from adapters.slack.setting_up import set_up
from bot.cli import env_file, local
from bot.cli.ending import Code, Ended
from bot.cli.parts import NO_MODEL
from bot.cli.settings import ended
from bot.cli.stopping import interruptible
from bot.config import Settings
from bot.errors import BotError

ENV_FILE = Path(".env")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.action == "manifest":
        _print_manifest(arguments)
    elif arguments.explain:
        print(manifest.reasons())
    else:
        await _set_up(settings)
    return Code.OK


def _print_manifest(arguments: argparse.Namespace) -> None:
    for name in arguments.without:
        if name not in manifest.OPTIONAL:
            known = ", ".join(manifest.OPTIONAL)
            raise Ended(Code.USAGE, f"{name!r} cannot be left out, only: {known}.")
    if arguments.url and not arguments.url.startswith("https://"):
        raise Ended(Code.USAGE, "Slack sends events to addresses that begin with https:// only.")
    print(json.dumps(manifest.manifest(arguments.without, arguments.url), indent=2, ensure_ascii=False))


async def _set_up(settings: Settings) -> None:
    try:
        options = await set_up(_AtTerminal(), settings.slack_api_url)
    except BotError as error:
        raise ended(error, settings) from error
    if options is None:
        raise Ended(Code.NOT_SET_UP, "Slack is not set up yet: `plotline slack setup` begins again.")
    if not (settings.has_endpoint or settings.model_script):
        print(NO_MODEL)
    print("Start the bot: plotline serve")


class _AtTerminal:
    def say(self, text: str) -> None:
        print(text, end="\n\n", flush=True)

    async def secret(self, question: str) -> str:
        # Waiting here stops the event loop, on purpose: meanwhile nothing is to be done, and Ctrl-C works.
        with interruptible():
            if not sys.stdin.isatty():
                return sys.stdin.readline()
            try:
                return getpass.getpass(question)
            except EOFError:
                return ""

    def keep(self, options: Options) -> None:
        tokens = {"SLACK_BOT_TOKEN": options.bot_token, "SLACK_APP_TOKEN": options.app_token}
        try:
            env_file.keep(ENV_FILE, tokens)
        except UnicodeDecodeError as error:
            raise Ended(Code.FAILED, f"The tokens are kept nowhere: {ENV_FILE} is not text.") from error
        except OSError as error:
            raise Ended(
                Code.FAILED,
                f"The tokens are kept nowhere: {ENV_FILE} cannot be written: {local.reason(error)}.",
            ) from error
        self.say(f"Both are in {ENV_FILE.absolute()} now, which nobody else may read.")
