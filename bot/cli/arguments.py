"""What can be typed after `plotline`. Imports nothing heavy: help has to come at once."""

import argparse
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from bot.cli import installing, operating
from bot.cli.ending import Code, Ended

DESCRIPTION = "Answers questions about files by writing Python and running it in a locked-down container."
EXIT_CODES = "exit codes: 0 ok, 1 the work failed, 2 wrong usage, 3 not set up (see: plotline doctor)"
SETTINGS = "Settings come from the environment or a file .env: see docs/settings.md."

ASK = """\
examples:
  plotline ask "Which month was best?" --file sales.csv
  plotline ask "And without returns?" --thread 3f9a12bc
  plotline ask "Plot it" --thread 3f9a12bc --json | jq -r '.artifacts[].path'
"""
EXEC = """\
examples:
  plotline exec load.py plot.py --file sales.csv
  echo 'sales.describe()' | plotline exec - --thread 3f9a12bc

All FILEs are run, one after the other, also after one that failed; the exit code is 0 if every one ended well.
A --file is put into the working directory under its own name, over a file that has it already.
"""
CHAT = """\
In the chat, /file PATH attaches a file to the next question, /help tells more, /quit leaves.
Ctrl-C stops an answer; at the prompt, pressed twice, it leaves.

example:
  plotline chat --thread sales
"""
SERVE = """\
SLACK_BOT_TOKEN with SLACK_APP_TOKEN, DISCORD_TOKEN, or both, say where. On one machine, one process does all; on
several, with DATABASE_URL and FILES_URL, gateways listen and workers do the work. SIGTERM ends it, once what runs is
done.

example:
  plotline serve
"""
DOCTOR = """\
Asks the model endpoint a few questions of its own; these are the only costs. Asks Slack and Discord where their tokens
are set, and posts nothing there.

examples:
  plotline doctor --channel C012
  plotline doctor --json | jq '.[] | select(.ok | not)'
  plotline doctor --sandbox
"""
PAUSE = """\
New questions are answered with a sentence until `plotline resume`; what runs goes on. Holds over restarts.

examples:
  plotline pause
  plotline pause --now --silent
"""
RESUME = """\
example:
  plotline resume --json
"""
BLOCK = """\
USER is the platform's id of somebody: U012 for everywhere, or slack:U012, slack:T345/U012, discord:812/99. What runs
for them is stopped. Without USER: who is blocked.

examples:
  plotline block slack:U012
  plotline block --json
"""
UNBLOCK = """\
USER as it was blocked: `plotline block` lists them.

example:
  plotline unblock slack:U012
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Raises `Ended` for what cannot be understood, `SystemExit` after `--help`."""
    parser = _Parser(
        prog="plotline",
        description=DESCRIPTION,
        epilog=f"{EXIT_CODES}\n{SETTINGS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    ask = _command(commands, "ask", "ask one question", ASK)
    ask.add_argument("question", metavar="QUESTION")
    _add_shared(ask)

    execute = _command(commands, "exec", "run code as the model would, without a model", EXEC)
    execute.add_argument("cells", metavar="FILE", nargs="+", help="a file of Python code; - reads stdin")
    execute.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        help="for each FILE (default: LIMITS__CELL_SECONDS, or 60)",
    )
    _add_shared(execute)

    chat = _command(commands, "chat", "a conversation in the terminal", CHAT)
    _add_thread(chat)
    chat.set_defaults(json=False, file=[], out=None)

    serve = _command(commands, "serve", "the bot itself, in Slack and Discord", SERVE)
    serve.add_argument(
        "--role",
        choices=["all", "gateway", "worker"],
        default="all",
        help="what this process does (default: all)",
    )

    doctor = _command(commands, "doctor", "what is missing, and the command that mends it", DOCTOR)
    doctor.add_argument("--json", action="store_true", help="print one JSON list and nothing else")
    doctor.add_argument(
        "--sandbox",
        action="store_true",
        help="try the ways out of a container on this engine, and nothing else",
    )
    doctor.add_argument(
        "--channel",
        metavar="ID",
        type=_channel,
        help="try what the bot may do in this channel of Slack or Discord, too",
    )
    _add_switches(commands)
    slack = _command(
        commands, "slack", "the app in Slack: what it asks for, and how to make it", installing.SLACK
    )
    installing.add_slack(partial(_command, _actions(slack)))
    discord = _command(commands, "discord", "the bot in Discord: how it is added", installing.DISCORD)
    installing.add_discord(partial(_command, _actions(discord)))
    operating.add(partial(_command, commands))
    return parser.parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Ended(Code.USAGE, f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help")


_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers gives


def _command(commands: "_Commands[Any]", name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=f"{examples}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return made


def _actions(command: argparse.ArgumentParser) -> "_Commands[Any]":
    return command.add_subparsers(dest="action", metavar="ACTION", required=True)


def _add_switches(commands: "_Commands[_Parser]") -> None:
    pause = _command(commands, "pause", "take no more questions", PAUSE)
    pause.add_argument("--now", action="store_true", help="stop what runs, too; what was done is kept")
    pause.add_argument("--silent", action="store_true", help="answer nothing meanwhile, not even a sentence")
    resume = _command(commands, "resume", "take questions again", RESUME)
    block = _command(commands, "block", "let somebody ask no more", BLOCK)
    block.add_argument("user", metavar="USER", nargs="?", type=_user)
    unblock = _command(commands, "unblock", "let somebody ask again", UNBLOCK)
    unblock.add_argument("user", metavar="USER", type=_user)
    for command in (pause, resume, block, unblock):
        command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--file",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="take this file along (again for more)",
    )
    _add_thread(command)
    command.add_argument(
        "--out", metavar="DIR", type=Path, help="where charts and files go (default: plotline-out/THREAD)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _add_thread(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--thread",
        metavar="ID",
        type=_thread,
        help="go on with this thread: its files, variables and what was said (default: a new one)",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError(text)
    return seconds


def _thread(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(text)
    return text


def _user(text: str) -> str:
    """Also as people copy it from a message: `<@U012>`."""
    user = text.strip().removeprefix("<").removesuffix(">").lstrip("@!")
    if not user or not user.isprintable() or " " in user:
        raise ValueError(text)
    return user


def _channel(text: str) -> str:
    """Also as in OPERATOR_CHANNEL, `slack:T1/C1`, and as people copy it: `<#C1>`."""
    channel = text.strip().strip("<>").lstrip("#").partition("|")[0].rpartition("/")[2]
    if not channel.isalnum():
        raise ValueError(text)
    return channel


# What argparse calls these types when it complains of a value.
_seconds.__name__, _thread.__name__ = "number of seconds", "thread"
_user.__name__ = _channel.__name__ = "id"
