"""What adapters hand over to the core, ask of it, and want remembered.

Adapters translate, call one of these, and tell the platform that they heard it. None of the calls waits for a turn:
`on_message` returns once the message is taken in, and the turn posts to the thread it was given. The same thing may
come twice, and in any order: it counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Protocol

from bot.messages import Message, Output, ThreadId
from bot.ports import Thread
from bot.visits import Visit

ROOT = ":root"
"""How keys of `Journal` end that say: what follows in this thread is for the bot. They stay when the thread is emptied
for its age."""


class Act(StrEnum):
    """What a button or a command asks of the core, apart from questions and code."""

    SHOW_CODE = auto()
    NOTEBOOK = auto()
    FILES = auto()
    """Of the thread."""
    USAGE = auto()
    SETTINGS = auto()
    """`values` hold the change; none of them: only show."""
    DELETE = auto()
    """The posts are already gone."""
    LIKE = auto()
    DISLIKE = auto()
    FORGET = auto()
    """Everything that is held of whoever asks."""
    ALLOW_ONCE = auto()
    ALLOW_THREAD = auto()
    DENY = auto()
    REVOKE = auto()
    """A host that code wants to reach, or may: for `Receiver.on_decision`. `turn` is the key of the question."""


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    """The platform's own for the click: the same one is done once."""
    act: Act
    visit: Visit
    thread: ThreadId | None
    """None where it came from no thread: a command, or a home page."""
    turn: str = ""
    """`Message.id` of the turn whose button was clicked."""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of a form or of options: see `bot.policy.with_change`."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a click on a question about a host has come to."""

    text: str
    is_for_all: bool = True
    """It takes the place of the question. Else only whoever clicked reads it, and the question stays."""
    can_be_revoked: bool = False
    """A button for `Act.REVOKE` belongs under it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store has of somebody's message."""

    message: Message
    """Its newest revision."""
    is_question: bool
    """Otherwise it was read above one."""


@dataclass(frozen=True, slots=True)
class Held:
    """A question that the core has a copy of, by its newest revision."""

    message: Message
    address: str
    """Of the thread that answers it: see `DurableThread.address`."""


class DurableThread(Thread, Protocol):
    @property
    def address(self) -> str:
        """All that its adapter needs to open the thread again, in another process too."""
        ...

    async def meet(self, visit: Visit) -> Visit:
        """The same with all that the platform knows of the visitor. What it does not tell stays None."""
        ...


class Receiver(Protocol):
    """The core, as adapters know it."""

    async def serves(self, platform: str, team: str) -> bool:
        """Whether the bot may be in that team or guild at all."""
        ...

    async def refusal(self, visit: Visit) -> str | None:
        """Why not, in the asker's language; None where it may be. Asked before each question, click and form."""
        ...

    async def introduction(self, locale: str) -> str:
        """Which host receives what, how long it is kept, who runs this bot: for joining, and for help."""
        ...

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        """A question. The same `message.id` may come again, and is one turn."""
        ...

    async def on_run(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        """Cells that somebody wrote, to be run in the thread without the model. Where there are none, the message's
        first attachment is the code."""
        ...

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        """A message says something else now. Its id is `ID@EDITED`, a number that grows with each edit:
        the turn of `ID` is superseded.

        With `codes` it is one whose code was run: it is to be run again.
        """
        ...

    async def on_delete(self, message_id: str, thread: ThreadId) -> None:
        """The message is gone, with all its files, whatever its revision: no copy may stay."""
        ...

    async def on_file_deleted(self, platform: str, team: str, file: str) -> None:
        """By the platform's id of it, which an attachment's address has in it."""
        ...

    async def on_thread_deleted(self, thread: ThreadId) -> None:
        """With everything in it."""
        ...

    async def on_channel_deleted(self, platform: str, team: str, channel: str) -> None:
        """With every thread in it. `channel` as visits have it."""
        ...

    async def on_uninstalled(self, platform: str, team: str) -> None:
        """The bot is no longer in that team or guild."""
        ...

    async def on_stop(self, visit: Visit, thread: ThreadId) -> bool:
        """Stop what runs in the thread; whether anything did."""
        ...

    async def on_action(self, action: Action) -> Output:
        """The answer is shown to nobody but who asked for it."""
        ...

    async def on_decision(self, action: Action) -> Decided:
        """About a host. Whether they may decide is looked at here, once `refusal` has allowed the click."""
        ...

    async def asker(self, turn: str) -> str | None:
        """The id of whoever asked."""
        ...

    async def code(self, turn: str) -> str:
        """The code of the turn's cells, for a form to change it in; empty where none was run."""
        ...

    async def holds(self, thread: ThreadId) -> bool:
        """Whether the thread's first message was for the bot, so that what follows is too."""
        ...

    async def has_heard(self, message_id: str) -> bool:
        """Whether it was taken in, whatever its revision, and be it deleted by now."""
        ...

    async def kept(self, thread: ThreadId) -> Sequence[Kept]:
        """What is held of people's messages there, to be compared with what the platform still shows."""
        ...

    async def recent(self, platform: str, team: str) -> Sequence[tuple[ThreadId, str]]:
        """Threads there, the most recently used first, each with the newest message's id. A few dozen do."""
        ...


class Journal(Protocol):
    """What adapters want to survive a restart: a few short texts by key, in the core's store."""

    async def recall(self, key: str) -> str | None: ...

    async def note(self, key: str, value: str) -> None:
        """Over what was there. Kept once this returns."""
        ...


class MemoryJournal:
    """For tests, and wherever a restart may forget."""

    def __init__(self, notes: Mapping[str, str] | None = None) -> None:
        self.notes = dict(notes or {})

    async def recall(self, key: str) -> str | None:
        return self.notes.get(key)

    async def note(self, key: str, value: str) -> None:
        self.notes[key] = value
