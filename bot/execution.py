"""What one cell did inside the sandbox. Plain values."""

from dataclasses import dataclass, replace
from enum import StrEnum, auto
from pathlib import Path


class Outcome(StrEnum):
    """How a cell ended. Only `OK` means that its last line was reached."""

    OK = auto()
    RAISED = auto()
    """An exception, or the Python process ended itself."""
    TIMED_OUT = auto()
    OUT_OF_MEMORY = auto()
    INTERRUPTED = auto()
    """Stopped by a person."""
    LOST = auto()
    """The container went away: the cell may have run, and nobody runs it again but the model or a person."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that code left for the user, or a display of it: a chart, a table, an archive."""

    name: str
    """Unique within its turn. A safe file name, without directories."""
    media_type: str
    """From the first bytes and the name's ending, never from what the sandbox says."""
    size_bytes: int
    sha256: str
    path: Path
    """On the host, in the blob store: named by its content and never changed. Not safe to decode here."""
    alt_text: str = ""
    """What the picture shows, for people who cannot see it: from the sandbox at first, then from the model."""
    workspace_name: str | None = None
    """Where it lies in the workspace; None for a display that was never a file."""

    @property
    def is_image(self) -> bool:
        return self.media_type in {"image/png", "image/jpeg", "image/gif", "image/webp"}

    def described(self, alt_text: str) -> "Artifact":
        return replace(self, alt_text=alt_text)


@dataclass(frozen=True, slots=True, order=True)
class Host:
    """What code may reach, or wants to."""

    name: str
    port: int = 443

    def __str__(self) -> str:
        return self.name if self.port == 443 else f"{self.name}:{self.port}"  # noqa: PLR2004  # of https


@dataclass(frozen=True, slots=True)
class Receipt:
    """One connection that code made, or was refused."""

    host: str
    port: int
    sent_bytes: int = 0
    received_bytes: int = 0
    refused: str = ""
    """Why, if it was not made."""
    may_be_asked_for: bool = False
    """It was refused for nothing but that nobody has allowed the host, which people could do."""


@dataclass(frozen=True, slots=True)
class CellError:
    name: str
    message: str
    traceback: str
    """As IPython shows it, without colours."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of one cell. Code that fails is a result like any other, not an exception."""

    outcome: Outcome
    text: str
    """stdout, stderr, text displays and traceback in the order they appeared, cut in the container;
    `[name.png]` on a line of its own stands where an artifact was displayed."""
    seconds: float
    error: CellError | None = None
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    """For the model, a sentence each: what was cut, killed or left behind, which files did not fit."""
    changed_files: tuple[str, ...] = ()
    """Names in the workspace that are new or changed since the cell began."""
    removed_files: tuple[str, ...] = ()
    no_room_for: tuple[str, ...] = ()
    """Names of files that could not be kept, since no room is left for files at all."""
    receipts: tuple[Receipt, ...] = ()
    """What it has to do with the network, where it may use it at all."""
    lost_variables: tuple[str, ...] | None = None
    """Names that are gone because the kernel had to be started again; None when it was not."""


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    name: str
    """Relative to the workspace, with `/` between directories."""
    size_bytes: int
    modified: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What an attachment holds, found out in the sandbox. Hostile text: shown to the model, never acted on."""

    name: str
    kind: str
    """`table`, `text`, `image`, `audio`, `video`, `document`, `archive`, `encrypted`, `broken` or `other`."""
    text: str
    """A few lines for the model: shape, columns, traps, sample rows."""
    schema: str
    """The same without any value from the file: names and types only."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image made small enough for the model to look at. Bytes from the sandbox: not to be decoded here."""

    name: str
    media_type: str
    data: bytes
