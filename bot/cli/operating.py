"""What can be typed after `plotline` by whoever runs it: lists, deletion, exports, backups. Imports nothing heavy."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

COMMANDS = frozenset(
    {"threads", "turns", "usage", "audit", "feedback", "forget", "export", "backup", "restore"}
)

THREADS = """\
example:
  plotline threads --user U012 --json | jq -r '.[].id'
"""
TURNS = """\
What people wrote is left out, unless --content asks for it: that is noted in the audit trail.

examples:
  plotline turns --state running
  plotline turns --thread slack:T1/C1/1726133698.6 --content
"""
USAGE = """\
Money is what the prices known here say; tokens of models without a price are counted apart.

examples:
  plotline usage --by user --days 30
  plotline usage --by day --json
"""
AUDIT = """\
Who did what, where and when; never what was said.

examples:
  plotline audit --event deleted
  plotline audit --days 7 --json | jq 'select(.kind == "refused")'
"""
FEEDBACK = """\
What people pressed below answers, the newest last. `plotline turns --thread ID --content` shows what it was about.

examples:
  plotline feedback --value bad --days 7
  plotline feedback --json | jq 'group_by(.value) | map({(.[0].value): length}) | add'
"""
FORGET = """\
USER is the platform's id of somebody: slack:T345/U012 or discord:812/99; U012 alone where that is clear.
Deletes at once and for good, and says what it cannot reach.

examples:
  plotline forget --user slack:T345/U012
  plotline forget --thread slack:T1/C1/1726133698.6 --yes
"""
EXPORT = """\
A thread is run again from its first cell to its last in a fresh sandbox before it is handed out, and stamped with what
came of it. A person gets an archive of everything that is held of them.

examples:
  plotline export --thread 3f9a12bc --format zip
  plotline export --user slack:T345/U012 --out u012.zip
"""
BACKUP = """\
Of the embedded store (SQLite and files in DATA_DIR), while the bot works. Into the same folder again, only what is new
is copied.

example:
  plotline backup /srv/backup/plotline
"""
RESTORE = """\
Into a DATA_DIR that holds no store yet; or, with DATABASE_URL or FILES_URL, into the empty store that they name.
The bot must not run on it meanwhile.

examples:
  DATA_DIR=/srv/plotline plotline restore /srv/backup/plotline
  DATABASE_URL=postgresql+psycopg://bot@db/plotline plotline restore /srv/backup/plotline
"""

Command = Callable[[str, str, str], argparse.ArgumentParser]


def add(command: Command) -> None:
    threads = command("threads", "list threads, the most recently used first", THREADS)
    turns = command("turns", "list questions, and what became of them", TURNS)
    usage = command("usage", "what was used, and what it cost", USAGE)
    audit = command("audit", "who did what, where and when", AUDIT)
    feedback = command("feedback", "what people thought of answers: 👍 and 👎", FEEDBACK)
    for listing in (threads, turns, usage, audit, feedback):
        listing.add_argument("--team", metavar="ID", default="", help="of this team only, as slack:T345")
        listing.add_argument("--user", metavar="ID", default="", help="of this person only")
        listing.add_argument("--json", action="store_true", help="print one JSON list and nothing else")
    for listing in (turns, audit, feedback):
        listing.add_argument("--thread", metavar="ID", default="", help="of this thread only")
    for listing in (threads, turns, audit, feedback):
        listing.add_argument("--limit", metavar="N", type=_count, default=100, help="at most (default: 100)")
    for listing in (turns, usage, audit, feedback):
        listing.add_argument("--days", metavar="N", type=_days, default=0.0, help="of the last N days only")
    turns.add_argument(
        "--state", choices=["queued", "running", "parked", "ended"], default="", help="in this state only"
    )
    turns.add_argument("--content", action="store_true", help="with what was asked and answered")
    usage.add_argument(
        "--by", choices=["user", "team", "thread", "model", "day"], default="user", help="(default: user)"
    )
    audit.add_argument("--event", metavar="KIND", default="", help="as asked, ran, refused, deleted")
    feedback.add_argument("--value", choices=["good", "bad"], default="", help="of this kind only")

    forget = command("forget", "delete what is held of a person, a thread or a team", FORGET)
    whom = forget.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="USER")
    whom.add_argument("--thread", metavar="ID")
    whom.add_argument("--team", metavar="ID", help="as slack:T345 or discord:812")
    forget.add_argument("--yes", action="store_true", help="do not ask first")
    forget.add_argument("--json", action="store_true", help="print one JSON object; needs --yes")

    export = command("export", "a thread as a notebook, or all that is held of a person", EXPORT)
    what = export.add_mutually_exclusive_group(required=True)
    what.add_argument("--thread", metavar="ID")
    what.add_argument("--user", metavar="USER")
    export.add_argument(
        "--format", choices=["ipynb", "py", "md", "zip"], default="zip", help="of a thread (default: zip)"
    )
    export.add_argument("--no-run", action="store_true", help="do not run it again")
    export.add_argument(
        "--out", metavar="FILE", type=Path, help="(default: named after it, in this directory)"
    )
    export.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    backup = command("backup", "copy the store to a folder while the bot works", BACKUP)
    backup.add_argument("folder", metavar="DIR", type=Path)
    restore = command("restore", "make a store from a backup", RESTORE)
    restore.add_argument("folder", metavar="DIR", type=Path)
    for each in (backup, restore):
        each.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def since(arguments: argparse.Namespace) -> float:
    """From when on, in seconds since 1970."""
    return time.time() - arguments.days * 86_400 if arguments.days else 0.0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days < 100_000:  # noqa: PLR2004  # a few centuries
        raise ValueError(text)
    return days


# What argparse calls these types when it complains of a value.
_count.__name__, _days.__name__ = "number", "number of days"
