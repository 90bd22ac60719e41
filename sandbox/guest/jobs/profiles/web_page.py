"""Web pages, and exports that are web pages inside whatever their name says. Standard library only."""

import html.parser
import time

from sandbox.guest.jobs.profiles import hint, telling
from sandbox.guest.jobs.profiles.cells import Row
from sandbox.guest.jobs.profiles.finding import Finding
from sandbox.guest.jobs.profiles.table import Table, analyse
from sandbox.guest.jobs.profiles.text_file import TextFile
from sandbox.guest.jobs.profiles.wording import count, plain

ENDINGS = frozenset(["html", "htm", "xhtml"])
CLAIMS = {"xls": "an Excel file", "xlsx": "an Excel file", "csv": "a text table", "tsv": "a text table"}
"""What others call their exports, by the ending of the name."""
PART_CHARACTERS = 1_000_000
ANALYSIS_SECONDS = 1
"""Kept for looking at the tables once they are read."""
OPEN_TABLES = 8
"""Of tables within tables no more are filled: each piece of text belongs to all that are open."""
_BEGINNINGS = ("<!doctype html", "<html", "<table")


def profile(file: TextFile, deadline: float) -> Finding | None:
    """None for what is no web page."""
    start = file.text[:4096].lstrip().lower()
    if not start.startswith(_BEGINNINGS) and not (
        file.ending in ENDINGS or (file.ending == "xls" and "<table" in start)
    ):
        return None
    page = _Page(deadline - ANALYSIS_SECONDS)
    is_whole = page.read(file.text)
    claim = CLAIMS.get(file.ending)
    what = f"A web page (HTML), not {claim}, whatever its name says" if claim else "Web page (HTML)"
    tables = [table for table in page.tables if len(table) > 1]
    extent = "" if is_whole else ", as far as it was looked at"
    top = f"{what}: {count(len(tables), 'table')}{extent}"
    title = [f"Title: {plain(''.join(page.title), 120)}"] if page.title and not claim else []
    if not tables:
        return Finding("text", (top, *title, f"Text: {plain(' '.join(page.words), 600)}"), (top,))
    largest = max(tables, key=lambda table: sum(map(len, table)))
    rows = [Row(number, cells) for number, cells in enumerate(largest, 1) if any(map(str.strip, cells))]
    table = analyse(rows)
    skipped = [number - 1 for number in table.rows_left_out(len(largest))]
    order = [each for each in page.tables if _counts(each, skipped)].index(largest)
    head = [
        f"The largest table: {count(len(table.data), 'data row')} × {count(table.column_count, 'column')}",
        *(f"Read: {line}" for line in _read_hint(file, table, skipped, order)),
    ]
    traps = telling.traps(table)
    text = [top, *title, *head, *telling.described(table, traps, schema=False)]
    schema = [top, *head, *telling.described(table, traps, schema=True)]
    return Finding("table" if claim else "text", tuple(text), tuple(schema))


def _counts(table: list[list[str]], skipped: list[int]) -> bool:
    """Whether pandas has it in its list: not without a word, nor without a row that is left."""
    left = [cells for position, cells in enumerate(table) if position not in skipped]
    return any(map(any, table)) and any(left)


def _read_hint(file: TextFile, table: Table, skipped: list[int], order: int) -> list[str]:
    """Python that reads the data rows, and no others, with their right types."""
    facts = [hint.text_literal(file.name), "header=0" if table.header else "header=None"]
    facts += hint.skipping(skipped)
    # The only reader that takes commas between thousands unless it is told otherwise, and that knows no `dtype`.
    values = [fact.replace("dtype=", "converters=", 1) for fact in hint.values(table)]
    if table.marks.decimal == "," and not any(fact.startswith("thousands=") for fact in values):
        values.append('thousands="."')
    if file.encoding.name != "utf-8":
        values.append(f'encoding="{file.encoding.name}"')
    read = hint.call("read_html", [*facts, *values]) + f"[{order}]"
    totals = hint.without_totals(table) if table.drops_by_words else []
    return [read, *totals, *hint.cleaning(table)]


class _OutOfTime(Exception):
    """The page goes on."""


class _Page(html.parser.HTMLParser):
    """The words of a page, and its tables in their order."""

    def __init__(self, deadline: float) -> None:
        super().__init__(convert_charrefs=True)
        self._deadline = deadline
        self.title: list[str] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._in_title = False
        self._in_code = False

    def read(self, text: str) -> bool:
        """Whether that was all."""
        try:
            self.feed(text[:PART_CHARACTERS])
        except _OutOfTime:
            return False
        return len(text) <= PART_CHARACTERS

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at_the_clock()
        if tag == "table":
            self.tables.append([])
            self._open.append(self.tables[-1])
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open:
            if not self._open[-1]:
                self._open[-1].append([])
            self._open[-1][-1].append("")
        elif tag == "title":
            self._in_title = True
        elif tag in {"script", "style"}:
            self._in_code = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._open:
            self._open.pop()
        elif tag == "title":
            self._in_title = False
        elif tag in {"script", "style"}:
            self._in_code = False

    def handle_data(self, data: str) -> None:
        self._look_at_the_clock()
        if self._in_title:
            self.title.append(data)
        elif data.strip() and not self._in_code:
            self.words.append(data)
            for table in self._open[-OPEN_TABLES:]:
                if table and table[-1]:
                    table[-1][-1] += data

    def _look_at_the_clock(self) -> None:
        # Given a page in pieces, the parser would cut words in two.
        if time.monotonic() > self._deadline:
            raise _OutOfTime
