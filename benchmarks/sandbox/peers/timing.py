"""Runs in a peer's own environment: standard library only."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

MIB = 1024 * 1024
UNITS = {"B": 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}
COLD, WARM, FRESH, FILES = 5, 30, 5, 5
"""How often each is done."""
COLD_RESULT = "sandbox.fresh.nothing_ready"
POOLED_RESULT = "sandbox.fresh.first_result"
CHART = "sandbox.fresh.first_chart"
WARM_CELL = "sandbox.cells.warm"
INTERRUPT = "sandbox.cells.interrupt"
IN, OUT = "sandbox.files.20_MB_in", "sandbox.files.20_MB_out"
MEMORY = "sandbox.idle.memory"
NO_STATE = "no state between cells"
NO_POOL = "no pool"
NEVER = "the loop runs on"
PRINT = "print(1 + 1)"


def milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def memory(container: str) -> float:
    """Megabytes, as the engine says it."""
    said = subprocess.run(
        ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.match(r"([\d.]+)([KMG]?i?B)", said)
    assert found
    return float(found[1]) * UNITS[found[2]] / MIB


def check(is_well: object, said: object) -> None:
    """A time in which nothing was done is none."""
    if not is_well:
        raise RuntimeError(str(said)[-500:])


def main(image: str, measured: Callable[[dict[str, str]], dict[str, Any]]) -> None:
    """Says the name of the image that is wanted, or does the work that it is told and says what it took."""
    if sys.argv[1] == "image":
        print(image)
    else:
        print(json.dumps(measured(json.loads(sys.argv[1]))))
