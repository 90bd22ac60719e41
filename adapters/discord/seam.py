"""What only Discord wants of the core, and what the operator decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.execution import Artifact
from bot.messages import ThreadId
from bot.reception import Held, Receiver


class Fit(Protocol):
    async def __call__(self, artifact: Artifact, limit_bytes: int, thread: ThreadId) -> Artifact | None:
        """The same in fewer bytes: an image encoded anew, another file zipped, both in a sandbox. None where
        that does not help."""
        ...


class HoldingReceiver(Receiver, Protocol):
    """One that also says what it holds, to be compared with what Discord still has."""

    async def asked(self, platform: str, team: str) -> Sequence[Held]:
        """What was asked there, the newest first. Some dozens do."""
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
