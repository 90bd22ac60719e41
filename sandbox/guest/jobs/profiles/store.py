"""Tables in files of their own making: SQLite, NumPy, statistics packages."""

import sqlite3
import time

from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.hint import text_literal
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.telling import shown
from sandbox.guest.jobs.profiles.wording import count, listed, plain, quoted

COLUMNS_SHOWN = 40


def sqlite(source: Source) -> Finding:
    """Raises `Broken`."""
    head = source.head(100)
    page_bytes = int.from_bytes(head[16:18]) or 1
    # Of a page size of 65,536 only a one fits there.
    if int.from_bytes(head[28:32]) * (65_536 if page_bytes == 1 else page_bytes) > source.size:
        raise Broken("The database is cut off: it is shorter than it says.")
    address = f"file:{_escaped(str(source.path))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(address, uri=True)
        try:
            return _database(connection, source)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if "encrypted" in str(error) and not source.head(16).startswith(b"SQLite format 3"):
            raise Encrypted("The database is encrypted, or no database.") from error
        raise Broken("The database is damaged.") from error


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _database(connection: sqlite3.Connection, source: Source) -> Finding:
    # What a database defines may be run by a query: views and triggers of a stranger stay untouched.
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    deadline = time.monotonic() + min(1.2, max(0.2, source.seconds_left / 2))
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    found = connection.execute(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    tables = [name for name, kind in found if kind == "table"]
    views = [name for name, kind in found if kind == "view"]
    top = f"SQLite database: {count(len(tables), 'table')}, {count(len(views), 'view')}"
    name = tables[0] if tables else "…"
    query = text_literal(_all_of(name))
    read = f"Read: df = pd.read_sql({query}, sqlite3.connect({text_literal(source.name)}))"
    text, schema = [top, read], [top, read]
    for each in tables[:12]:
        columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", (each,)).fetchall()
        shape = listed((f"{plain(column)} {plain(kind) or 'any'}" for column, kind in columns), 16)
        try:
            rows = count(connection.execute(f"SELECT count(*) FROM {_quoted(each)}").fetchone()[0], "row")  # noqa: S608  # quoted
        except sqlite3.OperationalError:
            rows = "too many rows to count in time"
        line = f"- {quoted(each)}, {rows}: {shape}"
        schema.append(line)
        text.append(line)
        try:
            first = connection.execute(f"SELECT * FROM {_quoted(each)} LIMIT 1").fetchone()  # noqa: S608  # quoted
        except sqlite3.OperationalError:
            first = None
        if first:
            text.append("  first row: " + " | ".join(_cell(value) for value in first[:12]))
    if len(tables) > 12:
        text.append(f"- and {len(tables) - 12} more tables")
    return Finding("table", tuple(text), tuple(schema))


def _cell(value: object) -> str:
    return f"({len(value)} bytes)" if isinstance(value, bytes) else "" if value is None else shown(str(value))


def _all_of(name: str, what: str = "*") -> str:
    return f"SELECT {what} FROM {_quoted(name)}"  # noqa: S608  # quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def numpy_array(source: Source) -> Finding:
    """Raises `Broken`."""
    import numpy as np

    try:
        # Objects are pickles, and those are programs.
        array = np.load(source.path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise Broken(
            "The array is damaged, or it holds Python objects, which are not opened here."
        ) from error
    lines = (
        f"NumPy array: shape {' × '.join(map(str, array.shape)) or 'a single value'}, type {array.dtype}",
        f"Read: array = np.load({text_literal(source.name)})",
    )
    return Finding("table", lines, lines)


def statistics(source: Source, kind: str) -> Finding:
    """Stata by pandas; others by name only. Raises `Broken`."""
    if kind != "stata" and source.ending != "dta":
        line = f"{kind.upper()} file: look for a library that reads it (pyreadstat, pandas.read_sas, pandas.read_spss)"
        return Finding("table", (line,), (line,))
    import pandas as pd

    try:
        with pd.read_stata(source.path, iterator=True) as reader:
            labels = reader.variable_labels()
            sample = reader.read(3)
            rows = reader._nobs  # pandas tells it nowhere else
    except (ValueError, OSError, EOFError) as error:
        raise Broken("The Stata file is damaged.") from error
    top = f"Stata table: {count(rows, 'row')} × {count(len(labels), 'column')}"
    read = f"Read: df = pd.read_stata({text_literal(source.name)})"
    columns = [
        f"- {plain(name)}: {sample[name].dtype}" + (f" ({plain(label, 60)})" if label else "")
        for name, label in list(labels.items())[:COLUMNS_SHOWN]
    ]
    rows_shown = [" | ".join(shown(value) for value in row[:12]) for row in sample.itertuples(index=False)]
    return Finding(
        "table",
        (top, read, "Columns:", *columns, "First rows:", *rows_shown),
        (top, read, "Columns:", *columns),
    )
