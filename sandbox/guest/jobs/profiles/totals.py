"""Rows that add up others: by their label in many languages, and by adding. Pure, standard library only."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isclose

from sandbox.guest.jobs.profiles.cells import CellError, Row, Value, is_blank, kind_of

LABEL_COLUMNS = 300
"""What says total stands before the numbers."""
_WORDS = (
    r"(?:grand|sub|net|gross|overall|running)?[ -]?totals?"
    r"(?: (?:général|general|geral|generale|amount|sum|revenue|sales))?"
    r"|sum|sums|summe|summen|summa|zwischensummen?|endsumme|gesamtsummen?|gesamt"
    r"|gesamtergebnis|ergebnis|insgesamt|total[ei]?"
    r"|sous-total|somme|subtotale|somma|totaal|subtotaal|eindtotaal|suma|subtotales|totales|soma|subtotais|totais"
    r"|razem|ogółem|celkem|součet|mezisoučet|spolu|összesen|részösszeg|toplam|ara toplam|genel toplam|yhteensä|i alt"
    r"|sammanlagt|totalt|итого|итог|всего|сумма|разом|всього|σύνολο|合計|合计|总计|總計|小計|小计|総計|总和|共计"
    r"|합계|소계|총계|المجموع|الإجمالي|إجمالي|סך הכל|סה\"כ|סה״כ|कुल|योग|รวม|รวมทั้งหมด|tổng cộng|tổng|jumlah"
)
_AVERAGES = (
    r"average|avg\.?|mean|median|durchschnitt|mittelwert|moyenne|promedio|media|média|gemiddelde|średnia|среднее|平均|평균"
    r"|min|max|minimum|maximum|count|anzahl|std|stdev|standard deviation|standardabweichung"
)
_LABEL = re.compile(rf"[\W_]*(?:{_WORDS})[\W_\d]*(?:\([^)]*\))?[\W_]*", re.IGNORECASE)
_LOOSE_LABEL = re.compile(
    rf"(?:[\W_]*(?:{_WORDS})\b.{{0,40}}|.{{0,40}}[\s:_-](?:{_WORDS})[\W_]*)", re.IGNORECASE
)
_SUMMARY_LABEL = re.compile(rf"[\W_]*(?:{_AVERAGES})[\W_\d]*(?:\([^)]*\))?[\W_]*", re.IGNORECASE)


_WORD = re.compile(rf"\b({_WORDS})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Total:
    index: int
    """Into the rows."""
    label: str
    """As it stands there; empty for a row that only adds up."""
    adds_up: bool
    """Whether some number of it is the sum of rows above."""


@lru_cache(maxsize=100_000)
def _strength(text: str) -> int:
    """2 for a word that says total and nothing else, 1 where it is part of a label, 0 otherwise."""
    if len(text) > 60 or not text.strip():
        return 0
    if _LABEL.fullmatch(text):
        return 2
    return 1 if _LOOSE_LABEL.fullmatch(text) else 0


def total_label(row: Row) -> str | None:
    """The cell that says nothing but `Total`, where the cells before it do not make it a name among others."""
    for value in row.cells:
        if is_blank(value):
            continue
        if type(value) is str and kind_of(value) == "text":
            return value if _strength(value) == 2 else None
    return None


def total_words(labels: Iterable[str]) -> list[str]:
    """The words in `labels` that say total: words of ours, never a value of the file."""
    found = {match.group(1).lower() for label in labels for match in _WORD.finditer(label)}
    return sorted(found, key=len, reverse=True)


def summary_label(row: Row) -> str | None:
    """The same for averages and their like, which only end a table."""
    for value in row.cells:
        if type(value) is str and value.strip():
            return value if _SUMMARY_LABEL.fullmatch(value) else None
    return None


def find_totals(
    rows: Sequence[Row], number: Callable[[int, Value], float | None], positions: Sequence[int]
) -> list[Total]:
    """Among the `rows` below a header.

    `number(position, value)` reads a cell of the columns at `positions`, which are the numeric ones.
    """
    labels = {index: each for index, row in enumerate(rows) if (each := _label_of(row))[1]}
    texts = _typical_texts(rows)
    found = _labelled(rows, labels, _Adding(number, positions), positions, texts) if labels else []
    last = len(rows) - 1
    if len(rows) > 2 and (not found or found[-1].index != last):
        found += _unlabelled(rows, found, number, positions, texts)
    return found


def _labelled(
    rows: Sequence[Row],
    labels: dict[int, tuple[str, int]],
    adding: "_Adding",
    positions: Sequence[int],
    texts: int,
) -> list[Total]:
    found: list[Total] = []
    for index, row in enumerate(rows):
        label, strength = labels.get(index, ("", 0))
        if strength and _has_number(row, positions):
            adds_up = adding.is_sum(row)
            others = _count_texts(row) - 1
            # `Total Fitness GmbH` in a full row is a customer; `Total` under a full column of names is not.
            if (
                adds_up
                or (strength == 2 and others < max(1, texts - 1))
                or (strength == 1 and others == 0 and texts > 1)
            ):
                found.append(Total(index, label, adds_up))
                adding.take_total(row)
                continue
        adding.take(row)
    return found


def _unlabelled(
    rows: Sequence[Row],
    found: Sequence[Total],
    number: Callable[[int, Value], float | None],
    positions: Sequence[int],
    texts: int,
) -> list[Total]:
    """A last row of bare sums under a table that has names."""
    last = len(rows) - 1
    if not texts or _count_texts(rows[last]):
        return []
    adding = _Adding(number, positions)
    totals = {total.index for total in found}
    for index, row in enumerate(rows[:-1]):
        if index not in totals:
            adding.take(row)
    return [Total(last, "", adds_up=True)] if adding.is_sum(rows[last]) else []


def _label_of(row: Row) -> tuple[str, int]:
    best, strength = "", 0
    for value in row.cells[:LABEL_COLUMNS]:
        if type(value) is str and value[:1] > "9" and (each := _strength(value)) > strength:
            best, strength = value, each
    return best, strength


def _has_number(row: Row, positions: Sequence[int]) -> bool:
    # Sums whose value is missing or broken are sums still.
    return any(
        not is_blank(value := row.cell(position)) or isinstance(value, CellError) for position in positions
    )


def _count_texts(row: Row) -> int:
    return sum(kind_of(value) == "text" for value in row.cells[:LABEL_COLUMNS])


def _typical_texts(rows: Sequence[Row]) -> int:
    counts = sorted(_count_texts(row) for row in rows[:200])
    return counts[len(counts) // 2] if counts else 0


class _Adding:
    """Sums so far: of all rows, of those since the last total, and of the totals."""

    def __init__(self, number: Callable[[int, Value], float | None], positions: Sequence[int]) -> None:
        self._number = number
        self._all = dict.fromkeys(positions, 0.0)
        self._since = dict.fromkeys(positions, 0.0)
        self._totals = dict.fromkeys(positions, 0.0)
        self._rows_since = 0
        self._rows = 0

    def take(self, row: Row) -> None:
        self._rows += 1
        self._rows_since += 1
        for position in self._all:
            value = self._number(position, row.cell(position)) or 0.0
            self._all[position] += value
            self._since[position] += value

    def take_total(self, row: Row) -> None:
        for position in self._since:
            self._since[position] = 0.0
            self._totals[position] += self._number(position, row.cell(position)) or 0.0
        self._rows_since = 0

    def is_sum(self, row: Row) -> bool:
        """Whether most numbers of the row add up others: of quantities one does so by chance."""
        numbers = {position: self._number(position, row.cell(position)) for position in self._all}
        values = {position: value for position, value in numbers.items() if value}
        adding_up = sum(self._adds_up(position, value) for position, value in values.items())
        return 0 < adding_up >= len(values) / 2

    def _adds_up(self, position: int, value: float) -> bool:
        sums = [self._all[position]] if self._rows > 1 else []
        sums += [self._since[position]] if self._rows_since > 1 else []
        sums += [self._totals[position]] if self._totals[position] else []
        # Sums are rounded to cents; of smaller numbers a cent is a lot.
        tolerance = min(0.011, abs(value) / 100)
        return any(isclose(value, each, rel_tol=1e-9, abs_tol=tolerance) for each in sums)
