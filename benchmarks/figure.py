"""What a benchmark says, and how it takes its times."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figure:
    figure: str
    value: float
    unit: str
    reference: str
    """What the value is held against, with its own value."""
    ratio: float | None
    """Value / reference, taken pair by pair; None where the target is in bare units."""
    target: str
    """`≤ 5 ms`, `≥ 60 turns/s`."""
    peers: dict[str, float | str] = field(default_factory=dict[str, float | str])
    """What other programs took for the same in the same run, in the same unit; why not, where they cannot do it."""

    @property
    def met(self) -> bool:
        limit = float(self.target[1:].split()[0])
        reached = self.value if self.ratio is None else self.ratio
        return reached >= limit if self.target.startswith("≥") else reached <= limit

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


def against(
    figure: str, ours: Sequence[float], reference: str, theirs: Sequence[float], target: str
) -> Figure:
    """The median of the ratios of neighbouring runs, so that a machine which slows down slows both sides."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    held_against = f"{reference}: {statistics.median(theirs):.2f} ms"
    return Figure(figure, round(statistics.median(ours), 2), "ms", held_against, round(ratio, 3), target)


def on_this_machine(figure: str, value: float, unit: str, target: str) -> Figure:
    """A target in bare units counts on an idle machine of two cores: beside it stands what this one was like."""
    loop = min(loop_milliseconds() for _ in range(3))
    return Figure(
        figure, round(value, 2), unit, f"a loop of one million additions: {loop:.0f} ms", None, target
    )


def loop_milliseconds() -> float:
    """One million additions in plain Python: how fast this machine is at this moment."""
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.perf_counter() - started) * 1000
