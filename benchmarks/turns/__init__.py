"""Turns without what is outside of the bot: how soon they begin, what they cost, and how many go through."""

from importlib import import_module

from benchmarks.figure import Figure

PARTS = ("started", "steps", "own", "long", "many", "taken_over", "start", "idle")
"""Modules, each of which can be measured by itself too."""


async def figures() -> list[Figure]:
    found: list[Figure] = []
    for part in PARTS:
        found += await import_module(f"{__name__}.{part}").figures()
    return found
