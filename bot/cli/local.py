"""What a command finds on this machine: who asks, in which thread, with which files."""

import os
import pwd
import secrets
from collections.abc import Sequence
from pathlib import Path

from adapters.console.inbound import to_attachment
from bot.attachments import safe_name
from bot.cli.ending import Code, Ended
from bot.config import Settings
from bot.messages import Attachment, Author, ThreadId

PLATFORM = "console:"


def asker(settings: Settings) -> Author:
    number = os.getuid()
    try:
        login = pwd.getpwuid(number).pw_name
    except KeyError:  # in a container, a user may be a mere number
        login = str(number)
    return Author(str(number), login, settings.locale, settings.time_zone)


def operator(settings: Settings) -> str:
    """Who is at this terminal, as the audit trail names them."""
    return f"operator:{asker(settings).name}"


def thread_id(given: str | None) -> ThreadId:
    """Threads of the terminal, and only those, can be named; without a name it is a new one."""
    return ThreadId(PLATFORM + (given or secrets.token_hex(4)).removeprefix(PLATFORM))


def short(thread: ThreadId) -> str:
    """As people type it."""
    return thread.removeprefix(PLATFORM)


def out_folder(given: Path | None, thread: ThreadId) -> Path:
    """Where artifacts go; made when there is one."""
    folder = given or Path("plotline-out", safe_name(short(thread)))
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise Ended(Code.USAGE, f"Files cannot be written to {folder}: name another directory with --out.")
    return folder


def attachments(paths: Sequence[Path]) -> list[Attachment]:
    return [attachment(path) for path in paths]


def attachment(path: Path) -> Attachment:
    try:
        return to_attachment(path)
    except OSError as error:
        raise Ended(Code.USAGE, f"{path} cannot be taken: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """Why a file cannot be used, as a part of a sentence."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
