"""Lists on the terminal, or as JSON."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from bot.cli import results

Row = Mapping[str, Any]


def show(rows: Sequence[Row], shown: Mapping[str, Sequence[str]], *, as_json: bool) -> None:
    """All of it as JSON, or what is `shown`: each column from one line of text a row."""
    if as_json:
        results.write(list(rows))
        return
    if not next(iter(shown.values()), ()):
        Console(stderr=True).print("Nothing.")
        return
    columns = [Column(name, overflow="fold") for name in shown]
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in zip(*shown.values(), strict=True):
        table.add_row(*(Text(each) for each in line))
    Console(highlight=False).print(table)


def facts(row: Any, *but: str) -> dict[str, Any]:
    """A dataclass as JSON, with times as people and programs read them."""
    found = {name: value for name, value in dataclasses.asdict(row).items() if name not in but}
    return {
        name: iso(value) if name == "at" or name.endswith("_at") else value for name, value in found.items()
    }


def iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def when(at: float | None) -> str:
    """In this machine's time zone."""
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC).astimezone():%Y-%m-%d %H:%M}"
