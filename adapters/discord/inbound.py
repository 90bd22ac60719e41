"""Discord's messages and interactions → `Message`, and whether they are meant for us. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.messages import Attachment, Author, Message, ThreadId

Payload = Mapping[str, Any]
"""A part of an event, in Discord's own shape."""

THREAD_NAME = 100
"""Characters; https://discord.com/developers/docs/resources/channel#start-thread-from-message."""
QUOTED = 1500
"""Characters of a message that somebody answers with a mention."""
HUMAN_MESSAGES = frozenset({discord.MessageType.default, discord.MessageType.reply})

# Unlike elsewhere, in Discord a fence may begin and end in the middle of a line.
_BLOCK = re.compile(
    r"(?<!`)(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<code>.*?)\n?(?P=fence)(?!`)", re.DOTALL
)
_PYTHON = {"", "py", "python", "python3", "ipython", "py3"}
_MENTION = re.compile(r"<(@!?|@&|#)(\d+)>(?P<blank>[ \t]?)")
_MARKS = re.compile(r"```.*?```|<[^>\s]*>|[*_~`#>|]+", re.DOTALL)

PLATFORM = "discord"


@dataclass(frozen=True, slots=True)
class Me:
    """The bot, as members may call it."""

    user: int
    roles: frozenset[int] = frozenset()
    """Those that Discord made for the bot: people pick them from the list too."""


def author(user: discord.User | discord.Member, locale: str) -> Author:
    return Author(str(user.id), user.display_name, locale)


def message(said: discord.Message, me: Me, asker: Author, *, quoting: bool = True) -> Message:
    """What somebody wrote. With `quoting`, what they reply to comes along: its text, and its files first."""
    answers = quoted(said) if quoting else None
    parts = [quote(answers, me)] if answers else []
    contents = [said.content, *(snapshot.content for snapshot in said.message_snapshots)]
    parts += [text(content, said, me) for content in contents]
    files = [*(answers.attachments if answers else ()), *said.attachments]
    files += [each for snapshot in said.message_snapshots for each in snapshot.attachments]
    return Message(
        id=message_id(said),
        author=asker,
        text="\n\n".join(part for part in parts if part),
        sent_at=said.created_at,
        attachments=tuple(map(attachment, files)),
    )


def message_id(said: discord.Message) -> str:
    """Names one revision of a message, whatever events tell of it and how often."""
    edited = said.edited_at
    return f"{source(said.id)}@{int(edited.timestamp() * 1000)}" if edited else source(said.id)


def says_the_same(said: discord.Message, held: Message, me: Me) -> bool:
    """Whether this is what was taken in, in whichever way: as a question, or for its code."""
    quoting, alone = (message(said, me, held.author, quoting=each) for each in (True, False))
    forms = {(each.text, _paths(each)) for each in (quoting, alone)} | {(said.content.strip(), _paths(alone))}
    return (held.text, _paths(held)) in forms


def _paths(said: Message) -> tuple[str, ...]:
    """What stays of its files' addresses, which are signed anew again and again."""
    return tuple(urlsplit(each.url).path for each in said.attachments)


def source(id: int) -> str:  # noqa: A002  # of a message or an interaction, as Discord calls it
    """What all revisions of a message have in common."""
    return f"discord:{id}"


def source_of(message_id: str) -> str:
    return message_id.partition("@")[0]


def number(message_id: str) -> int:
    """Discord's own id: such numbers grow with time."""
    return int(source_of(message_id).removeprefix("discord:"))


def attachment(attached: discord.Attachment) -> Attachment:
    return _attachment(attached.filename, attached.title, attached.url, attached.size, attached.content_type)


def _attachment(
    name: str, title: str | None, url: str, size: int | None, media_type: str | None
) -> Attachment:
    # Discord rewrites file names to ASCII, and then keeps what was there before as a title.
    if title and not title.endswith(PurePosixPath(name).suffix):
        title += PurePosixPath(name).suffix
    return Attachment(title or name, url, size, media_type or "")


def text(content: str, said: discord.Message, me: Me) -> str:
    """Without the bot's mention; other people, roles and channels by their names."""
    names = {each.id: f"@{each.display_name}" for each in said.mentions}
    names |= {each.id: f"@{each.name}" for each in said.role_mentions}
    names |= {each.id: f"#{each.name}" for each in said.channel_mentions}

    def named(match: re.Match[str]) -> str:
        id_ = int(match[2])
        if id_ == me.user or id_ in me.roles:
            return ""
        return names[id_] + match["blank"] if id_ in names else match[0]

    return _MENTION.sub(named, content).strip()


def quote(said: discord.Message, me: Me) -> str:
    words = text(said.content, said, me)
    words = words if len(words) <= QUOTED else f"{words[:QUOTED]}…"
    lines = [f"> {line}" for line in words.splitlines()]
    return "\n".join([f"> {said.author.display_name}:", *lines]) if lines else ""


def quoted(said: discord.Message) -> discord.Message | None:
    """Somebody's message that this one answers."""
    resolved = said.reference.resolved if said.reference else None
    if not isinstance(resolved, discord.Message) or resolved.author.bot:
        return None
    return resolved


def mentions(said: discord.Message, me: Me) -> bool:
    """Whether the bot was called by its name, or answered with a ping."""
    if any(each.id == me.user for each in said.mentions):
        return True
    return any(int(match[2]) in me.roles for match in _MENTION.finditer(said.content) if match[1] == "@&")


def is_human(said: discord.Message) -> bool:
    return not said.author.bot and said.webhook_id is None and said.type in HUMAN_MESSAGES


def speaks_to_another(said: discord.Message, me: Me) -> bool:
    """It begins by calling somebody else, or answers somebody else's message."""
    first = _MENTION.match(said.content.lstrip())
    if first and first[1] != "#" and int(first[2]) not in {me.user, *me.roles}:
        return True
    resolved = said.reference.resolved if said.reference else None
    return isinstance(resolved, discord.Message) and resolved.author.id != me.user


def is_for_bot(said: discord.Message, me: Me, *, in_held_thread: bool) -> bool:
    """A held thread is the bot's own, or one whose first message called it. There nobody has to say its name."""
    if not is_human(said):
        return False
    if said.guild is None or mentions(said, me):
        return True
    has_words = bool(said.content.strip() or said.attachments)
    return in_held_thread and has_words and not speaks_to_another(said, me)


def code_blocks(content: str) -> tuple[str, ...]:
    """The Python in a message: its fenced blocks that are not of another language."""
    found = [match for match in _BLOCK.finditer(content) if match["language"].strip().lower() in _PYTHON]
    return tuple(match["code"] for match in found if match["code"].strip())


def thread_name(question: str, files: Sequence[str] = ()) -> str:
    """From the first line that says something, else from the first file."""
    lines = [" ".join(_MARKS.sub(" ", line).split()) for line in _MARKS.sub(" ", question).splitlines()]
    name = next((line for line in lines if re.search(r"\w", line)), "") or next(iter(files), "") or "Plotline"
    return name if len(name) <= THREAD_NAME else f"{name[: THREAD_NAME - 1].rstrip()}…"


def hosts(content: str) -> Iterator[str]:
    """Of the addresses that somebody wrote."""
    for match in re.finditer(r"https?://([^\s/?#<>()\[\]]+)", content, re.IGNORECASE):
        yield match[1].rpartition("@")[2].lower()


def in_thread(guild: int | None, channel: int) -> ThreadId:
    """A channel in which everything is one conversation: a thread, a forum's post, direct messages."""
    return ThreadId(f"discord:{guild or 'dm'}/{channel}")


def of_member(guild: int | None, channel: int, user: int) -> ThreadId:
    """What one member does for themselves in a channel: private questions, and code of their own."""
    return ThreadId(f"discord:{guild or 'dm'}/{channel}/{user}")


@dataclass(frozen=True, slots=True)
class Form:
    """A filled-in modal."""

    values: Mapping[str, str]
    attachments: tuple[Attachment, ...]


def form(data: Payload) -> Form:
    """Fields by their custom ids, wherever they stand in the modal."""
    values: dict[str, str] = {}
    attachments: list[Attachment] = []
    files = data.get("resolved", {}).get("attachments", {})
    for component in _components(data.get("components", ())):
        if "value" in component:
            values[component["custom_id"]] = str(component["value"])
        for id_ in component.get("values", ()):
            if id_ in files:
                file = files[id_]
                attachments.append(
                    _attachment(
                        file["filename"],
                        file.get("title"),
                        file["url"],
                        file.get("size"),
                        file.get("content_type"),
                    )
                )
    return Form(values, tuple(attachments))


def _components(components: Sequence[Payload]) -> Iterator[Payload]:
    for component in components:
        yield component
        nested = component.get("component")
        yield from _components([*component.get("components", ()), *([nested] if nested else [])])
