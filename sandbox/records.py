"""What is known of each thread's session: so that any process can go on with it, or make it anew."""

import dataclasses
from typing import Any, Protocol

import structlog

from bot.messages import ThreadId
from bot.store.fence import Hold

log = structlog.get_logger()

FILE = "session.json"


@dataclasses.dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the workspace whose content is in the blob store."""

    sha256: str
    size_bytes: int
    modified: float
    """Seconds since the epoch, by the box's clock."""


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    container: str | None = None
    """Where the session was last; None once that container was let go."""
    worker: str = ""
    """Who has it, or had it last: see `bot.engine.alive`."""
    boot: str = ""
    kernel: int = 0
    """`boot` and `kernel` together name one kernel: while they are the same, variables are still there."""
    variables: tuple[str, ...] = ()
    """Names, as far as known."""
    not_saved: tuple[str, ...] = ()
    """Those that could not be saved when the session was put away."""
    has_run: bool = False
    """Whether a cell has run in that kernel."""
    cell: str = ""
    """The one that was begun last."""
    cell_boot: str = ""
    """Where: if that is not there any more, nobody knows how far it came."""
    files: dict[str, KeptFile] = dataclasses.field(default_factory=dict[str, KeptFile])
    """By name in the workspace."""
    packages: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    """Archives of what the code installed, as hashes by name."""


class Sessions(Protocol):
    """Where records are kept: see `bot.store.sessions`."""

    @property
    def are_shared(self) -> bool: ...

    async def held(self, thread: ThreadId) -> tuple[dict[str, Any] | None, int]: ...

    async def save(self, thread: ThreadId, record: dict[str, Any], epoch: int | None = None) -> bool: ...

    async def all(self) -> list[tuple[ThreadId, dict[str, Any]]]: ...

    async def own(
        self, thread: ThreadId, hold: Hold | None = None
    ) -> tuple[dict[str, Any] | None, int] | None: ...


def to_json(record: Record) -> dict[str, Any]:
    return dataclasses.asdict(record)


def from_json(facts: dict[str, Any] | None) -> Record:
    """An empty one for a thread that had none."""
    if not facts:
        return Record()
    files = {name: KeptFile(**each) for name, each in facts["files"].items()}
    names = {key: tuple(facts[key]) for key in ("variables", "not_saved")}
    return Record(**{**facts, **names, "files": files})
