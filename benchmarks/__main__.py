"""Runs the benchmarks: a table, then one JSON line a figure; `--write` puts the table into docs/performance.md."""

import argparse
import asyncio
import importlib
import json
import os
import pkgutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.figure import Figure, loop_milliseconds
from bot import log

PERFORMANCE = Path("docs/performance.md")
NOT_BENCHMARKS = {"__main__", "figure", "reference"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="?", help="one benchmark by name, or a part of one: " + ", ".join(names())
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {PERFORMANCE}")
    arguments = parser.parse_args()
    chosen = [arguments.only] if arguments.only else names()
    log.configure("warning", "text")
    figures = asyncio.run(measure(chosen))
    print_table(figures)
    for line in beside(figures):
        print(line)
    for figure in figures:
        print(json.dumps(figure.as_json(), ensure_ascii=False))
    if arguments.write:
        for name in chosen:
            write(name, [figure for figure in figures if figure.figure.startswith(f"{name}.")])


def names() -> list[str]:
    return [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in NOT_BENCHMARKS
    ]


async def measure(chosen: Iterable[str]) -> list[Figure]:
    """All figures of the chosen modules: each has `async def figures() -> list[Figure]`."""
    found: list[Figure] = []
    for name in chosen:
        found += await importlib.import_module(f"benchmarks.{name}").figures()
    return found


def print_table(figures: list[Figure]) -> None:
    table = Table("figure", "value", "reference", "ratio", "target", "met")
    for figure in figures:
        table.add_row(*row(figure))
    Console().print(table)


def row(figure: Figure) -> tuple[str, ...]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}"
    value = f"{figure.value:g} {figure.unit}"
    return figure.figure, value, figure.reference, ratio, figure.target, "yes" if figure.met else "no"


def write(name: str, figures: list[Figure]) -> None:
    """Replace the section of one benchmark between its markers, or add it at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    lines = [
        begin,
        f"Measured {datetime.now(UTC):%Y-%m-%d} with `make bench ONLY={name}` on {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; a loop of one million additions took {loop_milliseconds():.0f} ms there.",
        "",
        "| figure | value | reference | ratio | target | met | measured by |",
        "|---|---|---|---|---|---|---|",
        *("| " + " | ".join((*row(figure), command(figure))) + " |" for figure in figures),
        *beside(figures),
        end,
    ]
    page = PERFORMANCE.read_text()
    if begin in page:
        before, _, rest = page.partition(begin)
        page = before + "\n".join(lines) + rest.partition(end)[2]
    else:
        page += "\n" + "\n".join(lines) + "\n"
    PERFORMANCE.write_text(page)


def command(figure: Figure) -> str:
    """What measures it, and as little else as can be."""
    return f"`make bench ONLY={figure.figure.rpartition('.')[0]}`"


def beside(figures: list[Figure]) -> Iterator[str]:
    """What other programs took, and by which of them we are beaten."""
    compared = [figure for figure in figures if figure.peers]
    if not compared:
        return
    names = list(dict.fromkeys(name for figure in compared for name in figure.peers))
    yield from ("", "| figure | Plotline | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|")
    for figure in compared:
        theirs = [shown(figure.peers.get(name, ""), figure.unit) for name in names]
        yield f"| {figure.figure} | {shown(figure.value, figure.unit)} | " + " | ".join(theirs) + " |"
    beaten = [
        f"{figure.figure} by {name} ({shown(value, figure.unit)}, we {shown(figure.value, figure.unit)})"
        for figure in compared
        for name, value in figure.peers.items()
        if not isinstance(value, str) and value <= figure.value
    ]
    yield from ("", "Not beaten: " + ("; ".join(beaten) or "none of them") + ".")


def shown(value: float | str, unit: str) -> str:
    return value if isinstance(value, str) else f"{value:g} {unit}"


if __name__ == "__main__":
    main()
