"""What only Discord wants of the core, and what the operator decides about it."""

from dataclasses import dataclass
from typing import Protocol

from bot.execution import Artifact
from bot.messages import ThreadId


class Fit(Protocol):
    async def __call__(self, artifact: Artifact, limit_bytes: int, thread: ThreadId) -> Artifact | None:
        """The same in fewer bytes: an image encoded anew, another file zipped, both in a sandbox. None where
        that does not help."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator decides about Discord."""

    reads_all_messages: bool = False
    """The privileged message-content intent: follow-ups without a mention, edits of messages whose code was run."""
    direct_messages: bool = False
    runs: bool = False
    """Whether people may run code of their own."""
    contact: str = ""
    """Whom people can turn to, as they should read it."""
