"""`plotline chat`: a conversation, turn by turn, until somebody leaves."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from adapters.console.inbound import to_attachment, to_message
from adapters.console.thread import ConsoleThread
from bot import intake
from bot.cli import local
from bot.cli.ending import Code
from bot.cli.parts import open_parts
from bot.cli.settings import ended
from bot.cli.stopping import interruptible, stopped_by_signals
from bot.config import Settings
from bot.errors import BotError
from bot.messages import Attachment
from bot.stopping import Stop
from bot.turn import Parts

PROMPT = "> "
HELP = """\
Type a question and press Enter.
  /file PATH   attach a file to the next question
  /help        this list
  /quit        leave; so does Ctrl-D, or Ctrl-C twice
Ctrl-C stops an answer; what was done so far is kept."""


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    thread_id = local.thread_id(arguments.thread)
    thread = ConsoleThread(thread_id, Console(), local.out_folder(None, thread_id), settings.locale)
    try:
        async with open_parts(settings) as parts:
            who = "A script" if settings.model_script else f"{parts.model.name} at {parts.endpoint}"
            print(f"{who} answers here. /help tells more.")
            await _Conversation(thread, parts, settings).go_on()
    except BotError as error:
        raise ended(error, settings) from error
    print(f"To go on: plotline chat --thread {local.short(thread_id)}")
    return Code.OK


class _Conversation:
    def __init__(self, thread: ConsoleThread, parts: Parts, settings: Settings) -> None:
        self._thread = thread
        self._parts = parts
        self._author = local.asker(settings)
        self._attachments: list[Attachment] = []

    async def go_on(self) -> None:
        """Until somebody leaves."""
        for line in _lines():
            command, _, rest = line.strip().partition(" ")
            match command:
                case "/quit":
                    return
                case "/help":
                    print(HELP)
                case "/file":
                    self._attach(rest)
                case _ if line.strip() or self._attachments:
                    await self._take_turn(line)

    def _attach(self, named: str) -> None:
        path = Path(named.strip().strip("'\"").replace("\\ ", " ")).expanduser()
        try:
            self._attachments.append(to_attachment(path))
        except OSError as error:
            print(f"{path} cannot be taken: {local.reason(error)}.")
        else:
            print(f"{path.name} goes with your next question.")

    async def _take_turn(self, text: str) -> None:
        message = to_message(text, self._attachments, self._author)
        self._attachments = []
        stop = Stop()
        with stopped_by_signals(stop):
            await intake.receive(message, self._thread, self._parts, stop)


def _lines() -> Iterator[str]:
    """What is typed, line by line, until Ctrl-D or Ctrl-C twice.

    Waiting here stops the event loop, on purpose: between two turns nothing is to be done, and line editing and
    Ctrl-C at a prompt work in the main thread alone.
    """
    if sys.stdin.isatty():
        # Importing it gives input() arrow keys, a history, and pasted lines as one.
        import readline  # noqa: F401, PLC0415  # not where it is not there, nor for a pipe
    leaving = False
    while True:
        try:
            with interruptible():
                line = input(PROMPT if sys.stdin.isatty() else "")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            if leaving:
                return
            leaving = True
            print("Ctrl-C once more leaves.")
            continue
        leaving = False
        yield line
