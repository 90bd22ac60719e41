"""What a column holds that is made of texts, and what goes wrong when it is read. Pure, standard library only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.guest.jobs.profiles.column import Column, quick_number
from sandbox.guest.jobs.profiles.dates import date_text, read_dates
from sandbox.guest.jobs.profiles.finding import Trap
from sandbox.guest.jobs.profiles.numbers import (
    Marks,
    Numbers,
    has_leading_zero,
    number_text,
    parse_number,
    read_numbers,
)
from sandbox.guest.jobs.profiles.values import is_clock, is_truth
from sandbox.guest.jobs.profiles.wording import count, listed, number, plain, quoted, span

DISTINCT_LOOKED_AT = 4000
"""Of the different texts of a column: more of them tell nothing new of its kind."""
MOSTLY = 0.9
"""From this share on a column is of one kind, and the rest are oddities to be named."""
MOMENTS_COMPARED = 20_000
CATEGORIES = 8
EXACT_DIGITS = 15
"""That a float keeps, and that a spreadsheet keeps of a longer number."""


_DIGITS_AND_MARKS = frozenset("0123456789.,' +-")


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of a column."""

    times: Counter[str]
    """How often each comes."""
    looked_at: list[str]
    """The different ones, or every so-manieth of them."""
    preferred: Marks | None

    def count(self, some: Iterable[str]) -> int:
        return sum(self.times[text] for text in some)

    def share(self, some: Iterable[str]) -> float:
        return self.count(some) / self.count(self.looked_at)


def read_texts(column: Column, times: Counter[str], preferred: Marks | None) -> None:
    """The kind of a column as its texts tell it. `preferred` is how other columns write numbers."""
    texts = _Texts(times, sample(times), preferred)
    looked_at = texts.looked_at
    dated = [text for text in looked_at if text[:1].isalnum() and date_text(text)]
    of_dates = set(dated)
    numeric = [text for text in looked_at if text not in of_dates and number_text(text)]
    numbers = read_numbers(numeric, texts.preferred) if numeric else None
    readable = [text for text in numeric if numbers and parse_number(text, numbers.marks) is not None]
    column.number_like = any(set(text) <= _DIGITS_AND_MARKS for text in looked_at)
    if texts.share(dated) >= MOSTLY:
        _take_dates(column, texts, dated)
    elif numbers and texts.share(readable) >= MOSTLY:
        _take_numbers(column, texts, numbers, readable)
    elif all(map(is_truth, looked_at)):
        column.kind = "true/false"
        column.facts = _categories(texts.times)
    elif texts.share(filter(is_clock, looked_at)) >= MOSTLY:
        column.kind = "time"
        column.facts = span(plain(min(looked_at)), plain(max(looked_at)))
    elif numbers and texts.share(readable) > 1 - MOSTLY:
        column.kind = "mixed"
        column.numbers = numbers
        column.facts = _categories(texts.times)
        known = set(readable)
        what = f"{texts.share(readable):.0%} numbers, the rest text"
        column.traps.append(
            Trap(f"{what} such as {quoted_examples([text for text in looked_at if text not in known])}", what)
        )
    else:
        column.kind = "text"
        column.facts = _categories(texts.times)
        if any(len(text) > 1 and text[0] in "=@" for text in looked_at):
            column.traps.append(Trap("some texts begin like a formula"))


def sample(texts: Counter[str]) -> list[str]:
    different = list(texts)
    step = max(1, -(-len(different) // DISTINCT_LOOKED_AT))
    return different[::step]


def _take_numbers(column: Column, texts: _Texts, numbers: Numbers, readable: list[str]) -> None:
    column.numbers = numbers
    zeros = [text for text in readable if has_leading_zero(text)]
    long = [text for text in readable if text.isdigit() and len(text) > EXACT_DIGITS]
    if zeros or len(long) > len(readable) / 2:
        column.kind = "code"
        column.facts = _categories(texts.times)
        what = "leading zeros" if zeros else "more than 15 digits"
        example = quoted((zeros or long)[0], 24)
        column.traps.append(Trap(f"{what} ({example}): read it as text", f"{what}: read it as text"))
        return
    # Of all different texts, not of the sample: the extremes must be right.
    values = [value for text in texts.times if (value := quick_number(text, numbers.marks)) is not None]
    whole = all(value == int(value) for value in values if abs(value) < 1e300)
    column.kind = "integer" if whole else "number"
    column.facts = span(number(min(values)), number(max(values)))
    parts = {text: found for text in readable if (found := number_text(text))}
    column.needs_cleaning = any(part.odd for part in parts.values())
    column.units = tuple(dict.fromkeys(part.unit for part in parts.values() if part.unit))
    column.has_points = any(not part.digits.isdigit() for part in parts.values())
    odd_minus = [text for text, part in parts.items() if part.negative and part.odd]
    column.odd_minus = bool(odd_minus)
    if column.units:
        signs = listed(map(quoted, column.units))
        column.traps.append(Trap(f"numbers carry {signs}", "numbers carry a currency or a percent sign"))
    if len(column.units) > 1:
        column.traps.append(Trap("more than one unit: do not add them up"))
    if odd_minus:
        example = quoted(odd_minus[0])
        column.traps.append(
            Trap(f"negative numbers are written like {example}", "negative numbers written in an odd way")
        )
    if whole and any(part.exponent for part in parts.values()):
        column.traps.append(Trap("exponents: digits may be lost already"))
    if numbers.other:
        column.traps += _ambiguity(numbers, numbers.other, readable, texts.preferred)
    if numbers.misfits:
        examples = f"{quoted(readable[0])} and {quoted(numbers.misfits[0])}"
        column.traps.append(Trap(f"numbers written in two ways: {examples}", "numbers written in two ways"))
    _take_others(column, texts, {*readable, *numbers.misfits}, "of text among the numbers")


def _take_others(column: Column, texts: _Texts, known: set[str], what: str) -> None:
    """Texts that are not of the column's kind."""
    column.others = tuple(text for text in texts.looked_at if text not in known)
    if column.others:
        counted = f"{count(texts.count(column.others), 'value')} {what}"
        column.traps.append(Trap(f"{counted}: {quoted_examples(column.others)}", counted))


def _ambiguity(numbers: Numbers, other: Marks, readable: list[str], preferred: Marks | None) -> list[Trap]:
    for text in readable:
        one, two = parse_number(text, numbers.marks), parse_number(text, other)
        if one is not None and two is not None and one != two:
            known = preferred == numbers.marks
            certainty = (
                f"{quoted(text)} is taken for {number(one)} as the rest suggests; it could be {number(two)}"
                if known
                else f"{quoted(text)} can be {number(one)} or {number(two)}: nothing tells which"
            )
            return [Trap(certainty, "numbers that can be read in two ways: decimals or thousands")]
    return []


def _take_dates(column: Column, texts: _Texts, dated: list[str]) -> None:
    column.kind = "date"
    column.dates = dates = read_dates(dated)
    if dates is None:
        return
    if dates.other:
        question = "day or month first? Nothing in the file tells"
        column.traps.append(Trap(f"dates like {quoted(dated[0])}: {question}", f"dates: {question}"))
        column.facts = f"such as {quoted_examples(dated)}"
    else:
        some = texts.times if len(texts.times) <= MOMENTS_COMPARED else texts.looked_at
        ordered = sorted((when, text) for text in some if (when := _when(text, dates.format)))
        if ordered:
            column.facts = span(plain(ordered[0][1]), plain(ordered[-1][1]))
    if dates.misfits:
        examples = f"{quoted(dated[0])}, {quoted(dates.misfits[0])}"
        column.traps.append(
            Trap(f"dates written in several ways: {examples}", "dates written in several ways")
        )
    _take_others(column, texts, set(dated), "of text among the dates")


def _when(text: str, written: str) -> datetime | None:
    try:
        return datetime.strptime(text, written).replace(tzinfo=None)  # noqa: DTZ007  # only to find the first and last
    except ValueError:
        return None


def _categories(texts: Counter[str]) -> str:
    different = len(texts)
    if different <= CATEGORIES:
        return listed((plain(text, 30) for text, _ in texts.most_common()), CATEGORIES)
    return f"{different:,} different, such as {listed((plain(text, 30) for text in list(texts)[:3]), 3)}"


def quoted_examples(texts: Sequence[str]) -> str:
    return listed((quoted(text, 24) for text in texts[:3]), 3)
