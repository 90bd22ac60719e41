"""Numbers as people write them. Pure, standard library only.

Which mark is the decimal one cannot be seen in one value: each gives the readings that it allows, and a column takes
what all of its values allow.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Marks(NamedTuple):
    """How numbers are written."""

    decimal: str
    thousands: str
    """Empty where thousands are not set apart."""


PLAIN = Marks(".", "")
KNOWN_MARKS = (
    PLAIN,
    Marks(".", ","),
    Marks(",", ""),
    Marks(",", "."),
    Marks(".", "'"),
    Marks(",", "'"),
    Marks(".", " "),
    Marks(",", " "),
)
"""In the order of preference where values allow several."""

_MARKS = frozenset(".,'’ \u00a0\u202f\u2009")
_SPACES = "\u00a0\u202f\u2009"
_AS_WRITTEN_PLAINLY = str.maketrans(dict.fromkeys(_SPACES, " ") | {"’": "'", "−": "-", "–": "-"})
_CURRENCY = (
    r"[$€£¥₹₩₽₺₪฿]|(?:EUR|USD|GBP|CHF|JPY|CNY|INR|PLN|SEK|NOK|DKK|CZK|HUF|BRL|CAD|AUD|Fr\.|kr|zł|Kč|R\$)"
)
_NUMBER = re.compile(
    rf"""(?P<bracket>\()? \s* (?P<sign>[-+])? \s* (?:(?P<before>{_CURRENCY}) \s*)? (?P<inner>-)?
    (?P<digits>(?:\d[\d.,' ]*|[.,]\d+)(?<![ '])) (?P<exponent>[eE][-+]?\d{{1,3}})?
    \s* (?P<after>%|‰|{_CURRENCY})? \s* (?P<behind>-)? (?(bracket)\))""",
    re.VERBOSE,
)
_DIGITS = {
    marks: re.compile(
        rf"(?:\d*|\d{{1,3}}(?:{re.escape(marks.thousands)}\d{{3}})+){re.escape(marks.decimal)}\d*|\d+|"
        rf"\d{{1,3}}(?:{re.escape(marks.thousands)}\d{{3}})+"
        # Lakhs and crores: 12,34,567.
        + (
            rf"|\d{{1,2}}(?:,\d{{2}})*,\d{{3}}(?:{re.escape(marks.decimal)}\d*)?"
            if marks.thousands == ","
            else ""
        )
        if marks.thousands
        else rf"\d*{re.escape(marks.decimal)}\d*|\d+"
    )
    for marks in KNOWN_MARKS
}


class NumberText(NamedTuple):
    """A number taken apart, before anybody knows what its marks mean."""

    digits: str
    negative: bool
    exponent: str
    unit: str
    """`%` or a currency; empty for most."""
    odd: bool
    """Brackets, a minus behind, a typographic one, a unit: written in a way that pandas does not read."""


def number_text(text: str) -> NumberText | None:
    """None for what cannot be a number in any way of writing."""
    if len(text) > 60:  # a sentence
        return None
    found = _NUMBER.fullmatch(text.translate(_AS_WRITTEN_PLAINLY).strip())
    if not found:
        return None
    signs = found["sign"] == "-", bool(found["inner"]), bool(found["behind"]), bool(found["bracket"])
    if sum(signs) > 1:
        return None
    unit = found["after"] or found["before"] or ""
    odd = bool(found["behind"] or found["bracket"] or unit or found["inner"] or "−" in text or "–" in text)
    return NumberText(found["digits"].strip(), any(signs), found["exponent"] or "", unit, odd)


def allowed_marks(text: str) -> tuple[Marks, ...]:
    """The ways of writing in which `text` is a number; none if it is no number."""
    if text.isdigit() and text.isascii():
        return KNOWN_MARKS
    taken = number_text(text)
    if taken is None:
        return ()
    return tuple(marks for marks in KNOWN_MARKS if _DIGITS[marks].fullmatch(taken.digits))


def parse_number(text: str, marks: Marks) -> float | None:
    """None when `text` is no number in this way of writing. Percent signs and currencies are ignored."""
    taken = number_text(text)
    if taken is None or not _DIGITS[marks].fullmatch(taken.digits):
        return None
    digits = taken.digits.replace(marks.thousands, "") if marks.thousands else taken.digits
    value = float(digits.replace(marks.decimal, ".") + taken.exponent)
    return -value if taken.negative else value


class Numbers(NamedTuple):
    """What can be said of the numbers of a column."""

    marks: Marks
    other: Marks | None
    """Another reading of the very same texts, with other values: `1,234` may be 1234 or 1.234."""
    misfits: tuple[str, ...]
    """Texts that are numbers in other ways of writing only."""


def read_numbers(texts: Iterable[str], preferred: Marks | None = None) -> Numbers | None:
    """The way of writing that fits most of `texts`, which are distinct; of several `preferred`, or the plainest."""
    allowed = {text: allowed_marks(text) for text in texts}
    votes = {marks: sum(marks in each for each in allowed.values()) for marks in KNOWN_MARKS}
    most = max(votes.values(), default=0)
    if not most:
        return None
    order = sorted(KNOWN_MARKS, key=lambda marks: marks != preferred)
    best, *others = (marks for marks in order if votes[marks] == most)
    telling = [text for text in allowed if not text.isdigit()][:200]
    if not any(set(text) & _MARKS for text in telling):
        return Numbers(PLAIN, None, ())

    def values(marks: Marks) -> list[float | None]:
        return [parse_number(text, marks) for text in telling]

    different = next((marks for marks in others if values(marks) != values(best)), None)
    if different and not _plausibly(telling, different):
        different = None
    if different and not _plausibly(telling, best):
        best, different = different, None
    return Numbers(
        best, different, tuple(text for text, each in allowed.items() if each and best not in each)
    )


def _plausibly(texts: Sequence[str], marks: Marks) -> bool:
    """Whether thousands set apart would look like this: `0.125` and `1234.567` are no thousands."""
    if not marks.thousands:
        return True
    return not any((taken := number_text(text)) and taken.digits.startswith("0") for text in texts)


def has_leading_zero(text: str) -> bool:
    """A code made of digits, such as a postcode, that would be another one as a number."""
    text = text.strip()
    return len(text) > 1 and text[0] == "0" and text.isascii() and text.isdigit()
