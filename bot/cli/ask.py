"""`plotline ask`: one question, one turn."""

import argparse
import sys

from rich.console import Console

from adapters.console.inbound import to_message
from adapters.console.thread import ConsoleThread
from bot import intake
from bot.cli import local, results
from bot.cli.ending import Code
from bot.cli.parts import open_parts
from bot.cli.settings import NOT_SET_UP, ended
from bot.cli.stopping import stopped_by_signals
from bot.config import Settings
from bot.errors import BotError
from bot.stopping import Stop
from bot.turn import TurnResult


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    attachments = local.attachments(arguments.file)
    thread_id = local.thread_id(arguments.thread)
    folder = local.out_folder(arguments.out, thread_id)
    thread = ConsoleThread(thread_id, Console(quiet=arguments.json), folder, settings.locale)
    message = to_message(arguments.question, attachments, local.asker(settings))
    stop = Stop()
    try:
        with stopped_by_signals(stop):
            async with open_parts(settings) as opened:
                result = await intake.receive(message, thread, opened, stop)
    except BotError as error:
        raise ended(error, settings) from error
    if arguments.json:
        results.write(results.turn(result, thread.saved))
    else:
        sys.stderr.write(f"To go on: plotline ask --thread {local.short(thread_id)} …\n")
    return code(result)


def code(result: TurnResult) -> Code:
    if isinstance(result.error, NOT_SET_UP):
        return Code.NOT_SET_UP
    return Code.OK if result.status == "ok" else Code.FAILED
