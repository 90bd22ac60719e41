"""A table in words: what is easily read wrongly, the columns, the first rows. Pure, standard library only."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time

from sandbox.guest.jobs.profiles.cells import Row, Value, filled, is_blank
from sandbox.guest.jobs.profiles.finding import Trap
from sandbox.guest.jobs.profiles.table import Table
from sandbox.guest.jobs.profiles.wording import count, listed, number, plain, quoted, ranges

COLUMNS_SHOWN = 24
SAMPLE_ROWS = 3
SAMPLE_COLUMNS = 12
TRAPS_SHOWN = 16
SAME_TRAPS = 3
"""More columns than these that share a trap share a line."""
SUMMED_COLUMNS = 40
SUMMED_ROWS = 60


def described(table: Table, traps: Sequence[Trap], schema: bool) -> list[str]:
    """The traps, the columns and, unless it is for the schema, the first rows."""
    lines = [f"- {trap.told(schema)}" for trap in traps[:TRAPS_SHOWN]]
    if len(traps) > TRAPS_SHOWN:
        lines.append(f"- and {len(traps) - TRAPS_SHOWN} more")
    lines = ["Watch out:", *lines] if lines else []
    lines += ["Columns:", *column_lines(table, schema)]
    if not schema and table.data:
        lines += ["First data rows:", *sample_lines(table)]
    return lines


def traps(table: Table) -> list[Trap]:
    """What makes wrong answers likely, of the whole table first, then of each column."""
    return [
        *_of_header(table),
        *_of_rows_left_out(table),
        *_of_names(table),
        *_of_repetition(table),
        *_of_columns(table),
    ]


def column_lines(table: Table, schema: bool) -> list[str]:
    lines = []
    for column in table.columns[:COLUMNS_SHOWN]:
        kind = {"code": "digits, keep as text", "mixed": "mixed types"}.get(column.kind, column.kind)
        line = f"- {plain(column.name, 50)}: {kind}"
        if not schema:
            line += f", {column.facts}" if column.facts else ""
            line += f", {column.missing:,} missing" if column.missing and column.kind != "empty" else ""
        lines.append(line)
    if table.column_count > COLUMNS_SHOWN:
        rest = table.columns[COLUMNS_SHOWN:]
        kinds = Counter(column.kind for column in rest)
        counted = listed(f"{times} {kind}" for kind, times in kinds.most_common())
        not_all = "" if table.column_count == len(table.columns) else f", of which {len(rest)} were looked at"
        lines.append(f"- and {table.column_count - COLUMNS_SHOWN:,} more columns{not_all}: {counted}")
    return lines


def sample_lines(table: Table) -> list[str]:
    positions = [column.position for column in table.columns[:SAMPLE_COLUMNS]]
    more = " | …" if len(table.columns) > len(positions) else ""
    return [
        " | ".join("" if is_blank(value := row.cell(position)) else shown(value) for position in positions)
        + more
        for row in table.data[:SAMPLE_ROWS]
    ]


def shown(value: Value, longest: int = 24) -> str:
    """A value as a sample row has it."""
    if isinstance(value, float):
        return number(value).replace(",", "")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, datetime) and value.time() == time():
        return str(value.date())
    return plain(value, longest)


def _of_header(table: Table) -> list[Trap]:
    found: list[Trap] = []
    if table.header is None:
        found.append(Trap("no header row: the data begin at once"))
    elif table.header.number > 1:
        where = f"the header is row {table.header.number}"
        above = listed(quoted(_line(row), 50) for row in table.titles)
        found.append(Trap(f"{where} (above it: {above})" if above else where, where))
    if table.groups:
        what = f"the header takes {len(table.groups) + 1} rows: the upper ones group the columns"
        names = {column.position: quoted(column.name) for column in table.columns}
        groups = (
            f"{quoted(row.cells[position])} from {names[position]} on"
            for row in table.groups
            for position in filled(row)
            if position in names
        )
        found.append(Trap(f"{what}: {listed(groups, 8)}", what))
    if table.units:
        what = f"under the names {count(len(table.units), 'more row')} without data"
        found.append(Trap(f"{what}: {_line(table.units[0])}", what))
    return found


def _of_rows_left_out(table: Table) -> list[Trap]:
    found: list[Trap] = []
    if table.totals:
        what = count(len(table.totals), "total row")
        labels = (
            f"row {row.number} " + (quoted(total.label) if total.label else "(no label, but it is the sum)")
            for row, total in table.totals
        )
        numbers = ranges(row.number for row, _ in table.totals)
        found.append(
            Trap(
                f"{what}, not to be added up with the rest: {listed(labels, 5)}",
                f"{what}, not to be added up: row {numbers}",
            )
        )
    if table.repeated_headers:
        numbers = ranges(row.number for row in table.repeated_headers)
        found.append(Trap(f"the header comes again in row {numbers}"))
    if table.headings:
        what = f"{count(len(table.headings), 'row')} only head a group"
        found.append(Trap(f"{what}: {_named(table.headings)}", what))
    if table.footers:
        numbers = ranges(row.number for row in table.footers)
        found.append(Trap(f"below the data: {_named(table.footers)}", f"notes below the data: row {numbers}"))
    if table.next_table:
        where = f"row {table.next_table.number}"
        found.append(Trap(f"another table seems to begin at {where}: what is said here ends before it"))
    return found


def _of_names(table: Table) -> list[Trap]:
    found: list[Trap] = []
    empty = [quoted(each.name) for each in table.columns if each.kind == "empty" and not each.missing_marks]
    if empty and table.data:
        found.append(Trap(f"empty columns: {listed(empty)}"))
    if table.header is None:
        return found
    names = Counter(plain(value, 60) for value in table.header.cells if not is_blank(value))
    twice = [quoted(name) for name, times in names.items() if times > 1]
    if twice:
        found.append(Trap(f"column names that come twice: {listed(twice)}"))
    padded = [each.label for each in table.columns if each.name != each.name.strip()]
    if padded:
        found.append(Trap(f"column names with blanks around them: {listed(plain(each) for each in padded)}"))
    return found


def _of_repetition(table: Table) -> list[Trap]:
    found = [
        Trap(f"column {quoted(name)} is the sum of {parts}: do not add it to them")
        for name, parts in _sum_columns(table)
    ]
    doubled = _doubled_rows(table)
    if doubled:
        found.append(Trap(f"{count(doubled, 'row')} repeat another row exactly"))
    return found


def _of_columns(table: Table) -> list[Trap]:
    by_kind: dict[str, list[tuple[str, Trap]]] = {}
    for column in table.columns:
        for trap in column.traps:
            by_kind.setdefault(trap.told(schema=True), []).append((quoted(column.name), trap))
    found: list[Trap] = []
    for kind, columns in by_kind.items():
        if len(columns) > SAME_TRAPS:
            found.append(Trap(f"{listed((name for name, _ in columns), 4)}: {kind}"))
        else:
            found += [trap.about(name) for name, trap in columns]
    return found


def _sum_columns(table: Table) -> list[tuple[str, str]]:
    """Columns that add up the number columns before them."""
    found: list[tuple[str, str]] = []
    numeric = [column for column in table.columns if column.kind in {"integer", "number"}][:SUMMED_COLUMNS]
    rows = [
        [column.number(row.cell(column.position)) for column in numeric] for row in table.data[:SUMMED_ROWS]
    ]
    for order in range(2, len(numeric)):
        full = [row[: order + 1] for row in rows if row[order] and None not in row[: order + 1]]
        if len(full) < 3 or len(full) < 0.8 * len(rows):
            continue
        for first in range(max(0, order - 12), order - 1):
            if all(
                abs((row[order] or 0) - sum(each or 0 for each in row[first:order])) < 0.011 for row in full
            ):
                parts = listed(quoted(each.name) for each in numeric[first:order])
                found.append((numeric[order].name, parts))
                break
    return found


def _doubled_rows(table: Table) -> int:
    if len(table.columns) < 3:
        return 0
    times = Counter(tuple(row.cells) for row in table.data)
    return len(table.data) - len(times)


def _named(rows: list[Row]) -> str:
    return listed((f"row {row.number} {quoted(_first(row), 50)}" for row in rows), 3)


def _first(row: Row) -> Value:
    used = filled(row)
    return row.cells[used[0]] if used else ""


def _line(row: Row) -> str:
    return " | ".join(shown(row.cells[position], 50) for position in filled(row))
