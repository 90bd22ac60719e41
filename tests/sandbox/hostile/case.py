"""A hostile cell, and what must be true of how it ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.execution import Execution, Outcome
from sandbox.session import BoxSession

Ends = frozenset[Outcome]

OK = frozenset({Outcome.OK})
RAISED = frozenset({Outcome.RAISED})
TIMED_OUT = frozenset({Outcome.TIMED_OUT})
OUT_OF_MEMORY = frozenset({Outcome.OUT_OF_MEMORY})
LOST = frozenset({Outcome.LOST})
"""The container went away with the cell; the next cell runs in another one, where the files are again."""


@dataclass(frozen=True)
class Case:
    name: str
    code: str
    ends: Ends = OK
    gvisor: Ends = frozenset()
    """How it may end there as well. Memory and processes that run out may end the whole container there, by design."""
    seconds: float = 10
    """Its deadline."""
    text: str = ""
    """An expression that is found in what people read."""
    gvisor_text: str = ""
    """The same there, where it differs."""
    note: str = ""
    """An expression that is found in the notes for the model."""
    keeps: bool | None = None
    """Whether earlier variables are still there. None: they may be, and if not, they are named."""
    forgets: bool = False
    """Whether the code itself takes earlier variables away: nobody has to be told then."""
    left: int = 0
    """Processes that may go on afterwards."""
    noisy: bool = False
    """Whether what it left may write into the text of later cells."""
    tidies: str = ""
    """What somebody would run to have room again, or a new Python."""
    after: Callable[[BoxSession, Execution], Awaitable[None]] | None = None
    """More that must be true."""
    next_seconds: float = 3
    """In which the next cell ends, on runc."""
    slow: bool = False
    """Left out of the quick sample."""

    def ends_on(self, runtime: str) -> Ends:
        return self.ends | self.gvisor if runtime == "runsc" else self.ends
