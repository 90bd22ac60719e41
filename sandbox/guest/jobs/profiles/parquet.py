"""Parquet: names and types from its footer, read by hand, and a few rows by a library in a process of its own.

fastparquet dies of damaged files, and takes half a second to load.
"""

import json
from typing import Any

from sandbox.guest.jobs.profiles.aside import aside
from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.hint import text_literal
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.telling import shown
from sandbox.guest.jobs.profiles.thrift import read_struct
from sandbox.guest.jobs.profiles.wording import count, plain

COLUMNS_SHOWN = 40
FOOTER_BYTES = 16 * 1024 * 1024
SAMPLED_BYTES = 20_000_000
"""A group of rows is unpacked whole for its first ones."""
SAMPLE_SECONDS = 1.2
TYPES = ("true/false", "int32", "int64", "int96", "float", "double", "bytes", "fixed bytes")
CONVERTED = {
    0: "text", 1: "map", 3: "list", 4: "text (enum)", 5: "decimal", 6: "date", 7: "time", 8: "time", 9: "timestamp",
    10: "timestamp", 11: "uint8", 12: "uint16", 13: "uint32", 14: "uint64", 15: "int8", 16: "int16", 17: "int32",
    18: "int64", 19: "json", 20: "bson",
}  # fmt: skip
LOGICAL = {
    1: "text",
    2: "map",
    3: "list",
    4: "text (enum)",
    5: "decimal",
    6: "date",
    7: "time",
    8: "timestamp",
    12: "json",
}
"""https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift."""


def profile(source: Source) -> Finding:
    """Raises `Broken`, `Encrypted`."""
    tail = source.tail(8)
    if tail[4:] == b"PARE":
        raise Encrypted("The Parquet file is encrypted.")
    if tail[4:] != b"PAR1":
        raise Broken("The Parquet file is cut off: its end is missing.")
    size = int.from_bytes(tail[:4], "little")
    if not 0 < size <= min(FOOTER_BYTES, source.size - 12):
        raise Broken("The Parquet file is damaged.")
    try:
        footer = read_struct(source.tail(size + 8)[:-8])
        columns = _columns(footer[2])
        rows, groups = int(footer[3]), footer.get(4, [])
        first_group_bytes = int(groups[0][2]) if groups else 0
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("The Parquet file is damaged.") from error
    top = f"Parquet table: {count(rows, 'row')} × {count(len(columns), 'column')}"
    read = f"Read: df = pd.read_parquet({text_literal(source.name)})"
    lines = [f"- {plain(name, 50)}: {kind}" for name, kind in columns[:COLUMNS_SHOWN]]
    more = len(columns) - COLUMNS_SHOWN
    lines += [f"- and {more:,} more"] if more > 0 else []
    schema = (top, read, "Columns:", *lines)
    sample = _sample(source) if 0 < first_group_bytes < SAMPLED_BYTES else []
    return Finding("table", (*schema, *(["First rows:"] if sample else []), *sample), schema)


def _columns(elements: list[dict[int, Any]]) -> list[tuple[str, str]]:
    """Of the top level: what is nested is named by its kind."""
    columns: list[tuple[str, str]] = []
    position = 1
    while position < len(elements):
        element = elements[position]
        columns.append((element[4].decode("utf-8", "replace"), _kind(element)))
        position = _after(elements, position)
    return columns


def _after(elements: list[dict[int, Any]], position: int) -> int:
    """Elements stand in the order of a walk through the tree."""
    open_children = 1
    while open_children and position < len(elements):
        open_children += int(elements[position].get(5, 0)) - 1
        position += 1
    return position


def _kind(element: dict[int, Any]) -> str:
    logical = next(iter(element.get(10, {})), None)
    if logical in LOGICAL:
        return LOGICAL[logical]
    if element.get(6) in CONVERTED:
        return CONVERTED[element[6]]
    if element.get(5):
        return "struct"
    return TYPES[element[1]] if 0 <= element.get(1, -1) < len(TYPES) else "unknown"


def _sample(source: Source) -> list[str]:
    answer = aside(
        lambda: json.dumps(_first_rows(source)).encode(), min(SAMPLE_SECONDS, source.seconds_left - 0.3)
    )
    try:
        return [str(line) for line in json.loads(answer)]
    except ValueError:
        return []


def _first_rows(source: Source) -> list[str]:
    try:
        import pyarrow.parquet

        batch = next(pyarrow.parquet.ParquetFile(source.path).iter_batches(batch_size=3))
        rows = [list(row.values()) for row in batch.to_pylist()]
    except ImportError:
        import fastparquet

        rows = [
            list(row) for row in fastparquet.ParquetFile(str(source.path)).head(3).itertuples(index=False)
        ]
    return [" | ".join(shown(value) for value in row[:12]) for row in rows]
