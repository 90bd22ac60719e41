"""Text tables: CSV, TSV and what calls itself so. Standard library only."""

import io
import time
from dataclasses import dataclass

from sandbox.guest.jobs.profiles import hint, telling
from sandbox.guest.jobs.profiles.cells import Row
from sandbox.guest.jobs.profiles.encoding import decode
from sandbox.guest.jobs.profiles.finding import Broken, Finding, Trap
from sandbox.guest.jobs.profiles.layout import Layout, find_layout, reader
from sandbox.guest.jobs.profiles.lines import split_lines
from sandbox.guest.jobs.profiles.numbers import PLAIN, Marks
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.table import LISTED_ROWS, Table, analyse
from sandbox.guest.jobs.profiles.text_file import TextFile
from sandbox.guest.jobs.profiles.wording import count, plain

TAIL_BYTES = 64 * 1024
ROWS_LOOKED_AT = 50_000
CELLS_LOOKED_AT = 350_000
READING_SECONDS = 0.3
"""Looking at the rows takes some five times as long as reading them, on a slow machine as on a fast one."""
NAMED = {",": "comma", ";": "semicolon", "\t": "tab", " ": "blank"}


@dataclass(frozen=True, slots=True)
class Rows:
    rows: list[Row]
    """Those that hold something, numbered by their first line."""
    blank_lines: list[int]
    hollow_lines: list[int]
    """Those of them that have delimiters: pandas takes them for rows."""
    complete: bool
    """Whether these are all rows of the file."""


@dataclass(frozen=True, slots=True)
class Found:
    file: TextFile
    layout: Layout
    read: Rows
    table: Table
    last_rows: list[Row]
    """The end of a file that was not read whole."""
    row_count: str


def profile(source: Source, file: TextFile) -> Finding:
    """Raises `Broken`."""
    layout = find_layout(file.text)
    if layout is None:
        raise Broken("The file holds blank lines only.")
    read = read_rows(file.text, layout, file.whole)
    if not read.rows:
        raise Broken("The file holds blank cells only, as far as it was looked at.")
    table = _analysed(read, layout)
    if file.compression or read.complete:
        return _finding(Found(file, layout, read, table, [], "many rows"))
    return _finding(Found(file, layout, read, table, _last_rows(source, file, layout), _count_rows(source)))


def _analysed(read: Rows, layout: Layout) -> Table:
    preferred = _usual_marks(layout)
    table = analyse(read.rows, preferred, named_only=True, is_part=not read.complete)
    if not table.header or not table.data or not _has_row_names(table):
        return table
    # R writes no name over the names of the rows.
    header = Row(table.header.number, ["", *table.header.cells])
    renamed = [header if row is table.header else row for row in read.rows]
    return analyse(renamed, preferred, named_only=True, is_part=not read.complete)


def _has_row_names(table: Table) -> bool:
    width = len(table.header.cells) if table.header else 0
    return all(len(row.cells) == width + 1 for row in table.data) and any(row.cells[-1] for row in table.data)


def read_rows(text: str, layout: Layout, whole: bool) -> Rows:
    """As many as there is time for. `whole`: the text is all of the file."""
    deadline = time.monotonic() + READING_SECONDS
    # A row that the end of what was read cuts in two would be half a row.
    end = len(text) if whole else max(text.rfind("\n"), text.rfind("\r")) + 1 or len(text)
    lines = reader(io.StringIO(text[:end], newline=""), layout.delimiter, layout.quotes)
    rows: list[Row] = []
    blank: list[int] = []
    hollow: list[int] = []
    line, cells_seen = 1, 0
    for cells in lines:
        is_enough = cells_seen > CELLS_LOOKED_AT or len(rows) >= ROWS_LOOKED_AT
        # The first row is taken however long it took: without any, the file would seem to be blank.
        if is_enough or (line > 1 and time.monotonic() > deadline):
            return Rows(rows, blank, hollow, complete=False)
        cells_seen += len(cells)
        if line == 1 and layout.announced:
            blank.append(line)
        elif any(map(str.strip, cells)):
            rows.append(Row(line, cells))
        else:
            blank.append(line)
            hollow += [line] if len(cells) > 1 else []
        line = lines.line_num + 1
    return Rows(rows, blank, hollow, complete=whole)


def _usual_marks(layout: Layout) -> Marks | None:
    """Semicolons stand between cells where commas stand in numbers."""
    return Marks(",", ".") if layout.delimiter == ";" else None


def _last_rows(source: Source, file: TextFile, layout: Layout) -> list[Row]:
    encoding = file.encoding.name
    tail = source.tail(TAIL_BYTES)
    if encoding in {"utf-16", "utf-32"}:
        # The mark at the start of the file tells the order of the bytes.
        tail = source.head(2 if encoding == "utf-16" else 4) + tail
    lines = split_lines(decode(tail, encoding, True))[1:]
    rows = [Row(number, cells) for number, cells in enumerate(reader(lines, layout.delimiter, layout.quotes))]
    return [row for row in rows if any(map(str.strip, map(str, row.cells)))][-40:]


def _count_rows(source: Source) -> str:
    lines = 0
    for chunk in source.chunks():
        lines += chunk.count(b"\n")
        if source.seconds_left < 0:
            return f"more than {count(lines, 'row')}"
    return f"about {count(max(1, lines), 'row')}"


def _finding(found: Found) -> Finding:
    read, layout, table = found.read, found.layout, found.table
    columns = count(table.column_count, "column")
    shape = f"{count(len(table.data), 'data row')} × {columns}"
    if not read.complete:
        shape = f"{columns}, {found.row_count}, of which the first {len(read.rows):,} were looked at"
    encoding = found.file.encoding
    unsure = "" if encoding.sure else " (guessed)"
    separator = NAMED.get(layout.delimiter, layout.delimiter)
    title = f"Text table: {shape}; encoding {encoding.name}{unsure}, separator {separator}"
    if any(each.has_points and each.numbers and each.numbers.marks != PLAIN for each in table.columns):
        title += f", decimal mark “{table.marks.decimal}”"
        title += f", thousands mark “{table.marks.thousands}”" if table.marks.thousands else ""
    under = _below(table, found.last_rows)
    traps = [*_traps(found, under), *telling.traps(table)]
    top = [title, *(f"Read: {line}" for line in read_hint(found, len(under)))]
    text = [*top, *telling.described(table, traps, schema=False)]
    schema = [*top, *telling.described(table, traps, schema=True)]
    return Finding("table", tuple(text), tuple(schema))


def _below(table: Table, last_rows: list[Row]) -> list[Row]:
    """What stands under the data at the end of a file that was read in part."""
    if not last_rows or not table.data:
        return []
    known = [table.header or table.data[0], *table.data[-40:]]
    joined = analyse([Row(number, row.cells) for number, row in enumerate([*known, *last_rows], 1)])
    rows = [*(row for row, _ in joined.totals), *joined.footers]
    return sorted((row for row in rows if row.number > joined.last_data_row), key=lambda row: row.number)


def _traps(found: Found, under: list[Row]) -> list[Trap]:
    traps: list[Trap] = []
    if found.layout.announced:
        traps.append(Trap("the first line only names the separator"))
    if found.file.has_zeros:
        traps.append(Trap("zero bytes between the characters: pandas loses the cells that have them"))
    if not found.layout.quotes:
        traps.append(Trap("quotes are not closed somewhere: read with quoting=csv.QUOTE_NONE"))
    traps += _ragged(found.table)
    if under:
        what = f"the last {count(len(under), 'line')} of the file may be totals or notes"
        traps.append(Trap(f"{what}: {plain(' | '.join(map(str, under[0].cells)), 60)}", what))
    return traps


def _ragged(table: Table) -> list[Trap]:
    if table.header is None:
        return []
    width = len(table.header.cells)
    wider = [row for row in table.data if len(row.cells) > width]
    narrower = sum(len(row.cells) < width for row in table.data)
    traps: list[Trap] = []
    if width and not table.header.cells[0]:
        traps.append(Trap("the first column has no name: pandas names it, or takes it for the index"))
    if wider and len(wider) == len(table.data):
        traps.append(Trap("every row has more cells than there are names: read with index_col=False"))
    elif wider:
        what = f"{count(len(wider), 'row')} with too many cells, line {wider[0].number} first"
        traps.append(Trap(f"{what}: pandas leaves them out and warns"))
    if narrower > len(table.data) * 0.01:
        traps.append(Trap(f"{count(narrower, 'row')} with too few cells"))
    return traps


def read_hint(found: Found, below: int = 0) -> list[str]:
    """Python that reads the data rows, and no others, with their right types. `below`: rows under the data."""
    file, layout, read, table = found.file, found.layout, found.read, found.table
    facts = _opened(file)
    if layout.delimiter != ",":
        facts.append(f"sep={hint.text_literal(layout.delimiter)}")
    if table.header is None:
        facts.append("header=None")
    facts += hint.skipping(_skipped(read, table))
    facts += hint.values(table)
    if not layout.quotes:
        facts.append("quoting=3")
    if table.header:
        width = len(table.header.cells)
        wider = sum(len(row.cells) > width for row in table.data)
        facts += ["index_col=False"] if wider else []
        facts += ['on_bad_lines="warn"'] if 0 < wider < len(table.data) else []
    cut = f".iloc[:-{below}]" if below else ""
    cut += '.dropna(how="all")' if len(read.hollow_lines) > LISTED_ROWS else ""
    totals = hint.without_totals(table) if table.drops_by_words else []
    return [hint.call("read_csv", facts) + cut, *totals, *hint.cleaning(table)]


def _opened(file: TextFile) -> list[str]:
    if file.has_zeros:
        return [f'io.StringIO({file.opened}.read().replace("\\0", ""))']
    facts = [hint.text_literal(file.name)]
    if file.encoding.name != "utf-8":
        facts.append(f'encoding="{file.encoding.name}"')
    if file.compression and not file.name.endswith((".gz", ".bz2", ".xz")):
        facts.append(f'compression="{file.compression}"')
    return facts


def _skipped(read: Rows, table: Table) -> list[int]:
    """Lines from 0 that pandas must not see: titles, units, totals, notes. It counts a row of several lines as one."""
    numbers = sorted([*(row.number for row in read.rows), *read.blank_lines])
    order = {number: index for index, number in enumerate(numbers)}
    start = table.header.number if table.header else table.first_data_row
    hollow = read.hollow_lines if len(read.hollow_lines) <= LISTED_ROWS else []
    inside = [
        *(row.number for row in [*table.units, *table.dropped]),
        *(line for line in hollow if line > start),
    ]
    below = [row.number for row in read.rows if row.number > table.last_data_row]
    return [*range(order.get(start, 0)), *(order[number] for number in [*inside, *below])]
