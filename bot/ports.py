"""What the core needs from the outside, and nothing more.

`adapters` implement `Thread`, `sandbox` implements `Sandbox` and `Session`, `bot.models` implements `Model`.
Nobody inherits from these: having the methods is enough.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.execution import Artifact, Execution, Host, Picture, Profile, WorkspaceFile
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update
from bot.tokens import text_tokens
from bot.transcript import Entry, Reply, tokens_of

if TYPE_CHECKING:
    from bot.store.fence import Hold


class Thread(Protocol):
    """One conversation on one platform."""

    @property
    def id(self) -> ThreadId: ...

    async def introduce(self, message: Message) -> Message:
        """The message with what the platform knows of its author, and with the names of people it mentions.

        Never fails: where the platform does not answer, names stay what they were.
        """
        ...

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        """What was said before the bot was called into the thread; where that `was_emptied` for its age, what people
        sent to the bot there, too. Never fails: see `Above.said`."""
        ...

    def working(self) -> AbstractAsyncContextManager[None]:
        """Show that the bot is busy for as long as the block runs. Cosmetic: never fails."""
        ...

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        """Write the attachment to `to`.

        Raises `AttachmentRefused` past `limit_bytes`, `PlatformUnavailable` if it cannot be had.
        """
        ...

    async def progress(self, update: Update) -> None:
        """Show what goes on. Cosmetic: never fails, may be dropped."""
        ...

    @property
    def can_ask(self) -> bool:
        """Whether people can be asked something here whose answer may take a day."""
        ...

    async def ask(self, text: str, question: str) -> None:
        """Ask whether code may reach a host, with buttons for it; once for each `question`, a short key that comes back
        as an `Action`. Only where one `can_ask`.

        Raises `PlatformUnavailable`.
        """
        ...

    async def settle(self, text: str, question: str) -> None:
        """Nobody can answer the question any more: this takes its place. Cosmetic: never fails."""
        ...

    async def post(self, output: Output, key: str) -> None:
        """Post it, split and translated as the platform needs. The same `key` is posted once.

        Raises `PlatformUnavailable`.
        """
        ...

    async def whisper(self, text: str, key: str) -> None:
        """What only the asker needs to read; as a post where the platform has nothing smaller. Once for each `key`.

        Raises `PlatformUnavailable`.
        """
        ...


class Session(Protocol):
    """A thread's kernel and workspace. Variables and files last from cell to cell."""

    @property
    def lost_variables(self) -> tuple[str, ...] | None:
        """Names that earlier cells had defined and this kernel no longer has; None when nothing is missing,
        an empty tuple when the kernel is new and the names are not known."""
        ...

    async def run(
        self, code: str, *, cell_id: str, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> Execution:
        """Run one cell; it is stopped after `seconds`. `on_text` gets output while it runs.

        A `cell_id` runs at most once: asked for again, its remembered result comes back. Never raises for
        what the code does; a container that went away is an `Execution` that is LOST.
        """
        ...

    async def interrupt(self) -> None:
        """Stop the running cell, keeping the kernel's state where that is possible."""
        ...

    async def allow(self, hosts: Collection[Host]) -> None:
        """From now on its code may reach these hosts, besides those of the deployment, and no others: connections to
        others end. Ends with the session's being borrowed. Without a network nothing changes."""
        ...

    async def put(self, name: str, source: Path) -> None:
        """Copy a host file into the workspace under a name relative to it, over what was there.

        Raises `AttachmentRefused` when the workspace is full.
        """
        ...

    async def rename(self, name: str, to: str) -> None:
        """Give a file another name. A file that is not there is left alone."""
        ...

    async def files(self) -> tuple[WorkspaceFile, ...]:
        """What lies in the workspace, at most a few thousand names."""
        ...

    async def profile(self, name: str) -> Profile:
        """Look into a file, within three seconds. Never raises for what the file holds."""
        ...

    async def picture(self, artifact: Artifact, longest_side: int) -> Picture | None:
        """The artifact as an image no larger than `longest_side` pixels; None when it cannot be shown."""
        ...


class Sandbox(Protocol):
    def session(
        self, thread: ThreadId, waiting: Callable[[int], None] | None = None, hold: "Hold | None" = None
    ) -> AbstractAsyncContextManager[Session]:
        """Borrow the thread's session, opening one if need be; one borrower at a time.

        `hold` is that of the turn for which it is: nothing is done in the session for one that others have by now.

        While there is no room for one, `waiting` hears how many are before this one, each time that changes.
        Raises `SandboxNotReady`, `SandboxBusy`, `SandboxLost`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the model is told of it. It takes one string: the argument called `argument`."""

    name: str
    description: str
    argument: str
    argument_description: str


@dataclass(frozen=True)
class Request:
    """All that one call to the model carries."""

    instructions: str
    entries: Sequence[Entry]
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int | None = None
    user: str = ""
    """An opaque, stable name for the asker, for the endpoint's abuse reports; never a platform's user id."""

    @cached_property
    def tokens(self) -> int:
        """As far as its length tells. Counted once: a thread may be long."""
        return text_tokens(self.instructions) + tokens_of(self.entries)


class Model(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def context_tokens(self) -> int:
        """The window: what a request and its reply may hold together."""
        ...

    @property
    def sees_images(self) -> bool:
        """May become false when the endpoint turns out to refuse them."""
        ...

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        """The model's next answer. `on_text` gets the whole text so far each time it grows; it shrinks when
        a stream broke and the reply was asked for again.

        Raises a `ModelError`; `ContextTooLong` and `InputRefused` are for the caller to mend.
        """
        ...
