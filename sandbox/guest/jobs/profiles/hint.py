"""The line of pandas that reads a table's data rows, and no others, with their right types. Pure."""

import json
import re
from collections.abc import Iterable, Sequence

from sandbox.guest.jobs.profiles.cells import letters
from sandbox.guest.jobs.profiles.column import Column
from sandbox.guest.jobs.profiles.numbers import PLAIN, Marks
from sandbox.guest.jobs.profiles.table import Table
from sandbox.guest.jobs.profiles.totals import total_words


def text_literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def skipping(positions: Sequence[int]) -> list[str]:
    """`skiprows` for rows or lines counted from 0.

    What stands below the data is in the list too: with `nrows` beside such a list `read_excel` loses rows, since
    pandas counts those skipped as read.
    """
    runs: list[list[int]] = []
    for position in sorted(positions):
        if runs and position == runs[-1][1] + 1:
            runs[-1][1] = position
        else:
            runs.append([position, position])
    if not runs:
        return []
    if len(runs) == 1 and runs[0][0] == 0:
        return [f"skiprows={runs[0][1] + 1}"]
    parts = [
        ", ".join(map(str, range(first, last + 1))) if last - first < 4 else f"*range({first}, {last + 1})"
        for first, last in runs
    ]
    return [f"skiprows=[{', '.join(parts)}]"]


def values(table: Table) -> list[str]:
    """Keywords that `read_csv` and `read_excel` share, as far as they concern what stands in the cells."""
    facts: list[str] = []
    written = [each for each in table.columns if each.numbers and each.kind in {"integer", "number"}]
    marks = [each.numbers.marks for each in written if each.numbers]
    if table.marks.decimal == "," and any(each.decimal == "," for each in marks):
        facts.append('decimal=","')
    thousands = table.marks.thousands in {".", ","} and table.marks in marks
    if thousands:
        facts.append(f"thousands={text_literal(table.marks.thousands)}")
    dated = {each.label: each.dates.format for each in table.columns if each.dates and _is_parsed(each)}
    texts = [
        each.label
        for each in table.columns
        if _stays_text(each, table.marks, thousands) and each.label not in dated
    ]
    if texts:
        facts.append("dtype={" + ", ".join(f"{label}: str" for label in texts) + "}")
    if dated:
        facts.append(f"parse_dates=[{', '.join(dated)}]")
        formats = list(dict.fromkeys(dated.values()))
        by_column = ", ".join(f"{label}: {text_literal(written)}" for label, written in dated.items())
        facts.append(
            f"date_format={text_literal(formats[0]) if len(formats) == 1 else '{' + by_column + '}'}"
        )
    missing = sorted({mark for each in table.columns for mark in each.missing_marks if each.kind != "text"})
    if any(each.has_namibia for each in table.columns):
        facts.append(f"keep_default_na=False, na_values={json.dumps(['', *missing], ensure_ascii=False)}")
    elif missing:
        facts.append(f"na_values={json.dumps(missing, ensure_ascii=False)}")
    return facts


def _is_parsed(column: Column) -> bool:
    """Whether its dates all follow one format and nothing else stands among them."""
    dates = column.dates
    return dates is not None and not (dates.other or dates.misfits or column.others)


def _stays_text(column: Column, marks: Marks, thousands: bool) -> bool:
    if column.kind == "code" or (is_cleaned(column, marks) and not column.typed):
        return True
    # With a dot for thousands, pandas takes 03.04.2026 and version 1.2.3 for numbers.
    return thousands and column.number_like and column.kind not in {"integer", "number"}


def is_cleaned(column: Column, marks: Marks) -> bool:
    """Whether its numbers need more than keywords."""
    if column.kind not in {"integer", "number"} or column.numbers is None or column.numbers.misfits:
        return False
    own = column.numbers.marks
    # Plain whole numbers read alike in all ways of writing. Of blanks and apostrophes pandas knows one kind each.
    differs = own.thousands in {" ", "'"} or (
        own != marks and not (column.kind == "integer" and own == PLAIN and not column.has_points)
    )
    return column.needs_cleaning or bool(column.others) or differs


def cleaning(table: Table) -> list[str]:
    """A statement for each column whose numbers carry units, brackets or other marks than the rest."""
    return [_cleaned(column) for column in table.columns if is_cleaned(column, table.marks)]


def _cleaned(column: Column) -> str:
    own = column.numbers.marks if column.numbers else PLAIN
    label = f"df[{column.label}]"
    steps = ""
    if not column.typed:
        if column.units or own.thousands in {" ", "'"}:
            signs = [*map(_escaped, column.units), r"\s"] + (["['’]"] if own.thousands == "'" else [])
            steps += f'.str.replace(r"{"|".join(signs)}", "", regex=True)'
        if column.odd_minus:
            steps += """.str.replace("[−–]", "-", regex=True)"""
            steps += r""".str.replace(r"^\((.*)\)$|^(.*)-$", r"-\1\2", regex=True)"""
        if own.thousands in {".", ","}:
            steps += f'.str.replace("{own.thousands}", "")'
        if own.decimal == ",":
            steps += '.str.replace(",", ".")'
    others = ', errors="coerce"' if column.others else ""
    return f"{label} = pd.to_numeric({label}{steps}{others})"


def _escaped(unit: str) -> str:
    return "".join(f"\\{sign}" if sign in "$.|()" else sign for sign in unit)


def without_totals(table: Table) -> list[str]:
    """Statements that drop total rows by their words, where there are too many to name each."""
    labels = {total.label for _, total in table.totals if total.label}
    words = "|".join(map(re.escape, total_words(labels)))
    column = next((each for each in table.columns if _has_label(each, table, labels)), None)
    if column is None:
        return []
    # A customer may be called Total Fitness; most totals are called Total and nothing else.
    alone = re.compile(rf"\W*({words})\W*", re.IGNORECASE)
    how = "fullmatch" if all(map(alone.fullmatch, labels)) else "contains"
    pattern = text_literal(f"(?i)\\W*({words})\\W*" if how == "fullmatch" else f"(?i)\\b({words})\\b")
    kept = f"df = df[~df[{column.label}].astype(str).str.{how}({pattern})]"
    # Beside the words all of it was text.
    numeric = column.kind in {"integer", "number"} and not is_cleaned(column, table.marks)
    return [kept, *([_cleaned(column)] if numeric else [])]


def _has_label(column: Column, table: Table, labels: set[str]) -> bool:
    return any(row.cell(column.position) in labels for row, _ in table.totals)


def column_range(table: Table, last_used: int) -> list[str]:
    """`usecols` where the table does not begin at the left edge, or something stands beside it."""
    if not table.columns:
        return []
    first = table.columns[0].position
    last = first + table.column_count - 1
    if first == 0 and last == last_used:
        return []
    return [f'usecols="{letters(first)}:{letters(last)}"']


def call(function: str, facts: Iterable[str]) -> str:
    return f"df = pd.{function}({', '.join(facts)})"
