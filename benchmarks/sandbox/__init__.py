"""The sandbox from the outside: how long people wait, what sessions cost, and what others take for the same."""

from dataclasses import replace
from importlib import import_module

from benchmarks.figure import Figure

PARTS = ("cells", "fresh", "files", "again", "at_once", "idle")
"""Modules, each of which can be measured by itself too."""


async def figures() -> list[Figure]:
    found: list[Figure] = []
    for part in PARTS:
        found += await import_module(f"{__name__}.{part}").figures()
    # Loaded only now: the other programs' side of it runs where nothing of ours is installed.
    theirs = await import_module(f"{__name__}.beside").figures()
    return [replace(figure, peers=theirs.get(figure.figure, {})) for figure in found]
