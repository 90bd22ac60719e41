"""What the model is told: about its work (`prompt.md`, plain text to edit), and about a message."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from string import Template

from bot.clip import clip
from bot.execution import Profile, WorkspaceFile
from bot.local_time import local
from bot.messages import Above, Author, Message
from bot.reach import OFFLINE, Reach
from bot.tools import RUN_PYTHON
from bot.transcript import DataMode
from bot.uploads import TakenIn

FILES_LISTED = 30
ABOVE_CHARACTERS = 12_000
"""Of talk that the bot was called into."""
ONE_ABOVE_CHARACTERS = 4_000
"""Of one message in it."""


def instructions(
    author: Author, at: datetime, data: DataMode, *, cell_seconds: float, reach: Reach = OFFLINE
) -> str:
    """The system prompt. The same for a whole day, so that endpoints can keep it in their cache."""
    text = _file("prompt.md") + (_file("prompt_schema.md") if data == "schema" else "")
    return Template(text).substitute(
        today=f"{local(author, at):%A, %Y-%m-%d}",
        time_zone=_one_line(author.time_zone),
        name=_one_line(author.name),
        locale=_one_line(author.locale),
        tool=RUN_PYTHON.name,
        cell_seconds=f"{cell_seconds:g}",
        reach=reach.told(),
    )


def of_message(
    message: Message,
    taken: TakenIn,
    data: DataMode,
    *,
    files: Sequence[WorkspaceFile] = (),
    lost_variables: tuple[str, ...] | None = None,
) -> str:
    """The message as the model reads it, with all it has to know about the thread's files and variables."""
    head = f"[{_one_line(message.author.name)}, {local(message.author, message.sent_at):%a %Y-%m-%d %H:%M}]"
    parts = [
        _above(taken.above),
        f"{head}\n{message.text.strip() or '(no text, only files)'}",
        *(_new_file(profile, data) for profile in taken.profiles),
        *(_newest(name, older) for name, older in taken.renamed.items()),
        _listed("Could not be taken, and people are told so", taken.refusals),
        _other_files(files, taken, data),
        _gone(lost_variables, data),
    ]
    return "\n\n".join(part for part in parts if part)


def of_cells(message: Message, codes: Sequence[str], results: Sequence[str]) -> str:
    """Code that somebody ran past the model, and what came of it."""
    head = f"[{_one_line(message.author.name)}, {local(message.author, message.sent_at):%a %Y-%m-%d %H:%M}, ran code]"
    ran = [f"```python\n{code}\n```\n{result}" for code, result in zip(codes, results, strict=False)]
    return "\n\n".join([head, *ran])


def meanwhile(message: Message) -> str:
    """What somebody wrote while the model was at work."""
    at = f"{local(message.author, message.sent_at):%H:%M}"
    return f"[Meanwhile, at {at}, {_one_line(message.author.name)} wrote:]\n{message.text.strip()}"


def said_above(message: Message) -> str:
    """What somebody wrote before the bot was called."""
    return f"{_one_line(message.author.name)}: {clip(message.text.strip(), ONE_ABOVE_CHARACTERS)}"


def _above(above: Above) -> str:
    """The talk that the bot was called into: its last messages where it is long, none of them cut off by another."""
    lines = [said_above(each) for each in above.messages if each.text.strip()]
    left = list(lines)
    while sum(map(len, left)) > ABOVE_CHARACTERS:
        left.pop(0)
    if not left:
        return ""
    is_whole = above.is_whole and len(left) == len(lines)
    more = "" if is_whole else ", of which more was said before"
    return f"[Said in this thread before you were called{more}:]\n" + "\n".join(left)


def _new_file(profile: Profile, data: DataMode) -> str:
    content = profile.schema if data == "schema" else profile.text
    # Whatever a file says of itself, it cannot close the frame that marks it as data.
    framed = re.sub(r"</(?=\s*file)", "<\\\\/", content.strip(), flags=re.IGNORECASE)
    return f'<file name="{profile.name}" kind="{profile.kind}">\n{framed}\n</file>'


def _newest(name: str, older: str) -> str:
    return (
        f'"{name}" is new. The older file of that name is now "{older}"; variables made from it are stale, '
        f"so read the new one."
    )


def _other_files(files: Sequence[WorkspaceFile], taken: TakenIn, data: DataMode) -> str:
    """Names of files that code made may hold values; those of uploads come from people."""
    new = {profile.name for profile in taken.profiles}
    names = [file.name for file in files if file.name not in new]
    if data == "schema":
        names = [name for name in names if name in taken.uploads]
    more = f" and {len(names) - FILES_LISTED} more" if len(names) > FILES_LISTED else ""
    return f"Also in the current directory: {', '.join(names[:FILES_LISTED])}{more}" if names else ""


def _gone(lost_variables: tuple[str, ...] | None, data: DataMode) -> str:
    if lost_variables is None:
        return ""
    names = ", ".join(lost_variables) if data == "full" else ""
    return f"Python was started again: variables of earlier cells are gone ({names or 'all of them'}). Files are there."


def _listed(title: str, items: Sequence[str]) -> str:
    return f"{title}: {' '.join(items)}" if items else ""


def _one_line(text: str) -> str:
    """A name that somebody chose freely, so that it can't be taken for a line of the prompt."""
    return re.sub(r"[\s\[\]<>$]+", " ", text).strip()[:60]


@cache
def _file(name: str) -> str:
    return resources.files("bot").joinpath(name).read_text("utf-8")
