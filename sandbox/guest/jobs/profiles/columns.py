"""One column: what kind of values it holds, and what goes wrong when it is read. Pure, standard library only."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sandbox.guest.jobs.profiles.cells import CellError, Value
from sandbox.guest.jobs.profiles.column import Column
from sandbox.guest.jobs.profiles.column_texts import MOSTLY, quoted_examples, read_texts, sample
from sandbox.guest.jobs.profiles.finding import Trap
from sandbox.guest.jobs.profiles.numbers import PLAIN, Marks, Numbers, parse_number
from sandbox.guest.jobs.profiles.values import MISSING, PANDAS_MISSING
from sandbox.guest.jobs.profiles.wording import count, listed, number, span


def describe(
    name: str, position: int, label: str, values: Sequence[Value], preferred: Marks | None = None
) -> Column:
    """`values` are all that were looked at, total rows left out; `preferred` is how other columns write numbers."""
    column = Column(name, position, label)
    texts: Counter[str] = Counter(value.strip() for value in values if type(value) is str)
    errors: Counter[str] = Counter(value for value in values if isinstance(value, CellError))
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    truths = sum(isinstance(value, bool) for value in values)
    dates = [value for value in values if isinstance(value, date | time | timedelta)]
    unset = Counter({text: times for text, times in texts.items() if text.lower() in MISSING})
    for text in unset:
        del texts[text]
    namibia = {"NA", "na"} & unset.keys()
    if namibia and _are_codes(texts):
        column.has_namibia = True
        texts.update({text: unset.pop(text) for text in namibia})
    column.missing = len(values) - texts.total() - errors.total() - len(numbers) - truths - len(dates)
    column.filled = len(values) - column.missing
    column.missing_marks = tuple(sorted(text for text in unset if text not in PANDAS_MISSING))
    if texts:
        read_texts(column, texts, preferred)
    if len(dates) + len(numbers) + truths:
        _typed(column, numbers, dates, truths, texts)
    if errors:
        errors_shown = listed(f"{error} × {times}" for error, times in errors.most_common())
        column.traps.append(Trap(f"error values: {errors_shown}", count(errors.total(), "error value")))
    if column.has_namibia:
        column.traps.append(
            Trap(
                "“NA” is a code here: read with keep_default_na=False",
                "codes that pandas takes for missing: read with keep_default_na=False",
            )
        )
    return column


def _are_codes(texts: Counter[str]) -> bool:
    """Two-letter codes, such as those of countries: Namibia's is NA."""
    sample = list(texts)[:200]
    return len(sample) > 2 and all(len(text) == 2 and text.isalpha() and text.isupper() for text in sample)


def _typed(
    column: Column,
    numbers: list[int | float],
    dates: list[date | time | timedelta],
    truths: int,
    texts: Counter[str],
) -> None:
    """Spreadsheets say themselves what a cell is: texts were looked at before."""
    kinds = {
        "numbers": len(numbers),
        "dates": len(dates),
        "true/false": truths,
        "text": texts.total(),
    }
    total = sum(kinds.values())
    column.typed = True
    main = max(kinds, key=lambda kind: kinds[kind])
    if kinds[main] < total and main != "text":
        column.traps.clear()
    if main == "numbers":
        whole = all(value == value // 1 for value in numbers if abs(value) < 1e300)
        column.kind = "integer" if whole else "number"
        column.facts = span(number(min(numbers)), number(max(numbers)))
    elif main == "dates":
        column.kind = "time" if all(isinstance(value, time | timedelta) for value in dates) else "date"
        shown = sorted(map(_shown, dates))
        column.facts = span(shown[0], shown[-1])
    elif main == "true/false":
        column.kind = "true/false"
    if kinds[main] == total:
        return
    _texts_among_numbers(column, main, texts)
    parts = ", ".join(f"{kinds[kind]:,} {kind}" for kind in kinds if kinds[kind])
    examples = f" such as {quoted_examples(list(texts))}" if texts else ""
    what = f"mixed types: {', '.join(kind for kind in kinds if kinds[kind])}"
    column.traps.append(Trap(f"mixed types: {parts}{examples}", what))
    if kinds[main] < MOSTLY * total:
        column.kind = "mixed"


def _texts_among_numbers(column: Column, main: str, texts: Counter[str]) -> None:
    """Which of the texts are no numbers, and would keep pandas from adding up."""
    if main == "numbers":
        marks = column.numbers.marks if column.numbers else PLAIN
        column.others = tuple(text for text in sample(texts) if parse_number(text, marks) is None)
        column.numbers = column.numbers or Numbers(PLAIN, None, ())


def _shown(value: date | time | timedelta) -> str:
    if isinstance(value, datetime) and value.time() == time():
        return str(value.date())
    return str(value)
