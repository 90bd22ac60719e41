"""What people and the bot say in a thread. Plain values: no I/O, no platform types."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from bot.execution import Artifact, Execution

ThreadId = NewType("ThreadId", str)
"""Names one conversation everywhere, as `slack:T1/C1/1726133698.626339` or `console:default`."""


@dataclass(frozen=True, slots=True)
class Author:
    id: str
    name: str
    """How other people in the thread call them; the model reads it."""
    locale: str = "en"
    """BCP 47, as `de-AT`: decides the language of fixed sentences and is told to the model."""
    time_zone: str = "UTC"
    """IANA name, as `Europe/Vienna`."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on somebody's message. It is still on the platform: see `Thread.fetch`."""

    name: str
    url: str
    size_bytes: int | None
    """As the platform reports it, None where it does not; the file itself may disagree."""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a person said to the bot, with the mention of the bot removed."""

    id: str
    author: Author
    text: str
    """Markdown, whatever dialect the platform speaks. Empty when somebody only dropped files."""
    sent_at: datetime
    """Aware."""
    attachments: tuple[Attachment, ...] = ()
    has_own_reply: bool = False
    """The platform waits for an answer to it in particular, so no other answer can stand for it."""
    is_private: bool = False
    """Its answer is for its author alone, whoever else is in the thread."""


@dataclass(frozen=True, slots=True)
class Above:
    """What was said in a thread before the bot was called into it, oldest first."""

    messages: tuple[Message, ...] = ()
    is_whole: bool = True
    """False where there are more than were read, or the platform did not show them."""
    said: str = ""
    """How much was read, or why nothing, as people should read it."""


@dataclass(frozen=True, slots=True)
class Output:
    """One thing the bot posts back: text, files, or both."""

    text: str = ""
    """Markdown of any length; adapters translate it and split it."""
    artifacts: tuple[Artifact, ...] = ()
    codes: tuple[str, ...] = ()
    """The cells that were run for it, for whoever wants to look."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The model is writing. `text` is the whole of its current reply so far, so that a reply which had to
    be asked for again simply replaces what was shown."""

    text: str


@dataclass(frozen=True, slots=True)
class CellStarted:
    number: int
    """1 for the turn's first cell."""
    code: str


@dataclass(frozen=True, slots=True)
class CellFinished:
    number: int
    execution: Execution


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence about what goes on, in the asker's language: "Reading sales.csv"."""

    text: str


Update = Writing | CellStarted | CellFinished | Noted
"""Progress of a running turn, cosmetic: an adapter may drop or merge updates, and the answer still arrives."""
