"""What is known of one column. Pure, standard library only."""

from dataclasses import dataclass, field

from sandbox.guest.jobs.profiles.cells import Value
from sandbox.guest.jobs.profiles.dates import Dates
from sandbox.guest.jobs.profiles.finding import Trap
from sandbox.guest.jobs.profiles.numbers import PLAIN, Marks, Numbers, parse_number


@dataclass(slots=True)
class Column:
    name: str
    position: int
    label: str
    """Its name as Python code: text in quotes, or a number."""
    kind: str = "empty"
    """`integer`, `number`, `date`, `time`, `true/false`, `text`, `mixed`, `empty`, or `code`: digits, but no number."""
    filled: int = 0
    missing: int = 0
    facts: str = ""
    """Range, categories or examples: values from the file."""
    traps: list[Trap] = field(default_factory=list[Trap])
    numbers: Numbers | None = None
    """How those numbers are written that stand there as text."""
    dates: Dates | None = None
    """The same for dates."""
    needs_cleaning: bool = False
    """Its numbers carry a currency, a percent sign or brackets."""
    units: tuple[str, ...] = ()
    odd_minus: bool = False
    """Negative numbers in brackets, with the minus behind, or with a typographic one."""
    has_points: bool = False
    """Whether its numbers are written with any mark at all."""
    others: tuple[str, ...] = ()
    """Texts among the numbers or dates that are neither."""
    number_like: bool = False
    """Whether some text of digits and marks, no number itself, could be taken for one."""
    typed: bool = False
    """Whether the file itself says that some of the cells are numbers."""
    missing_marks: tuple[str, ...] = ()
    """Texts that mean `no value` and that pandas takes for text."""
    has_namibia: bool = False
    """`NA` is a code here, not a missing value."""

    def number(self, value: Value) -> float | None:
        """A cell of this column as a number; None where it is none."""
        if isinstance(value, str):
            if self.numbers is None:
                return None
            marks = self.numbers.marks
            return quick_number(value, marks) if self.kind in {"integer", "number", "mixed"} else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)


def quick_number(text: str, marks: Marks) -> float | None:
    """`parse_number` for the millions of texts that are just digits and marks."""
    if marks == PLAIN and text.isascii() and text.replace(".", "", 1).removeprefix("-").isdigit():
        return float(text)
    return parse_number(text, marks)
