"""Reports as people export them, made up by Hypothesis: titles, names, groups with subtotals, a total, notes."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from sandbox.guest.jobs.profiles.numbers import Marks
from tests.guest.sheets import rows, workbook

MARKS = (
    Marks(".", ","),
    Marks(".", ""),
    Marks(",", "."),
    Marks(",", ""),
    Marks(",", "\u202f"),
    Marks(".", "'"),
)
TITLES = ("Report 2026", "Stand: 01.03.2026", "All amounts in EUR", "Umsätze nach Kunden")
TEXT_NAMES = ("Region", "Kunde", "Straße")
NUMBER_NAMES = ("Umsatz", "Amount (EUR)", "Price", "Menge", "Betrag")
PLACES = ("North", "Süd", "Köln", "Müller GmbH", "Acme, Inc.", "O'Brien")
SUBTOTALS = ("Subtotal", "Zwischensumme", "Sous-total", "Summe", "Total")
TOTALS = ("Grand total", "Gesamt", "TOTAL", "Gesamtsumme")
NOTES = ("Source: books", "Quelle: Buchhaltung", "* preliminary")

CENTS = st.integers(-50_000, 9_999_999)

Line = list[str | int]
"""Amounts are whole numbers of cents."""


@dataclass(frozen=True)
class Report:
    lines: list[Line]
    sums: dict[str, float]
    """By column, of the data rows alone."""
    row_count: int


@st.composite
def reports(
    draw: st.DrawFn,
    texts: Sequence[str] = PLACES,
    titles: Sequence[str] = TITLES,
    notes: Sequence[str] = NOTES,
    cents: st.SearchStrategy[int] = CENTS,
) -> Report:
    text_names = draw(st.lists(st.sampled_from(TEXT_NAMES), min_size=1, max_size=3, unique=True))
    names = draw(st.lists(st.sampled_from(NUMBER_NAMES), min_size=1, max_size=4, unique=True))
    lines: list[Line] = [[title] for title in draw(st.lists(st.sampled_from(titles), max_size=3))]
    if lines and draw(st.booleans()):
        lines.append([])
    lines.append([*text_names, *names])
    subtotal = draw(st.sampled_from([None, *SUBTOTALS]))
    blanks: Line = [""] * (len(text_names) - 1)
    whole = [0] * len(names)
    count = 0
    for group in draw(st.lists(st.integers(2, 5), min_size=1, max_size=4)):
        part = [0] * len(names)
        for _ in range(group):
            count += 1
            amounts = draw(st.lists(cents, min_size=len(names), max_size=len(names)))
            # The first column tells the rows apart.
            words = [draw(st.sampled_from(texts)) for _ in text_names]
            lines.append([f"{words[0]} {count}", *words[1:], *amounts])
            part = [one + two for one, two in zip(part, amounts, strict=True)]
        whole = [one + two for one, two in zip(whole, part, strict=True)]
        if subtotal:
            lines.append([subtotal, *blanks, *part])
    if draw(st.booleans()):
        lines.append([draw(st.sampled_from(TOTALS)), *blanks, *whole])
    if draw(st.booleans()):
        lines += [[], [draw(st.sampled_from(notes))]]
    sums = {name: each / 100 for name, each in zip(names, whole, strict=True)}
    return Report(lines, sums, count)


@st.composite
def as_csv(draw: st.DrawFn, report: Report) -> bytes:
    marks = draw(st.sampled_from(MARKS))
    delimiter = draw(st.sampled_from(";\t," if marks.decimal == "." else ";\t"))
    encoding = draw(
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16"] + ["cp1252"] * (marks.thousands != "\u202f"))
    )
    # Spreadsheets fill each line up to the width of the table.
    width = draw(st.sampled_from([0, max(map(len, report.lines))]))
    into = io.StringIO(newline="")
    writer = csv.writer(into, delimiter=delimiter, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    for line in report.lines:
        cells = [written(cell, marks) if isinstance(cell, int) else cell for cell in line]
        writer.writerow(cells + [""] * (width - len(cells)))
    return into.getvalue().encode(encoding)


def as_xlsx(report: Report) -> bytes:
    return workbook(
        rows(
            (cell / 100 if isinstance(cell, int) else cell or None for cell in line) for line in report.lines
        )
    )


def written(cents: int, marks: Marks) -> str:
    whole, rest = divmod(abs(cents), 100)
    digits = f"{whole:,}".replace(",", marks.thousands)
    return f"{'-' if cents < 0 else ''}{digits}{marks.decimal}{rest:02}"
