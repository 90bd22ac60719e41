"""What a turn has done so far: it outlives whatever ends the turn, and is delivered."""

from dataclasses import dataclass, field

from bot.execution import Artifact, Execution
from bot.transcript import Usage


@dataclass(slots=True)
class Done:
    text: str = ""
    """The newest words of the model, whole or not: its answer, once the turn has ended well."""
    artifacts: dict[str, Artifact] = field(default_factory=dict[str, Artifact])
    """By name, in the order in which they were last made."""
    cells: list[tuple[str, Execution]] = field(default_factory=list[tuple[str, Execution]])
    """Code and what it did."""
    usage: Usage = field(default_factory=Usage)
    tokens: int = 0
    """All of `usage`; an estimate for replies of endpoints that don't count."""
    model_seconds: float = 0

    @property
    def code_seconds(self) -> float:
        return sum(execution.seconds for _, execution in self.cells)

    def add_cell(self, code: str, execution: Execution) -> None:
        self.cells.append((code, execution))
        for artifact in execution.artifacts:
            self.artifacts.pop(artifact.name, None)
            self.artifacts[artifact.name] = artifact
