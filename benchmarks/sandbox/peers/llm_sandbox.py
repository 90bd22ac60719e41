"""llm-sandbox, plain and with its pool: a new Python process for each cell, in a container that stays."""

import os
import time
from pathlib import Path
from typing import Any

from llm_sandbox import ArtifactSandboxSession, SandboxSession
from llm_sandbox.const import DefaultImage
from llm_sandbox.pool import PoolConfig, create_pool_manager

from benchmarks.sandbox.peers import timing

OPTIONS: dict[str, Any] = {"lang": "python", "skip_environment_setup": True}
"""Its set-up would download packages, which are there already."""
PLAIN, POOLED = "llm-sandbox", "llm-sandbox pool"


def measured(work: dict[str, str]) -> dict[str, Any]:
    code = work["chart"] + "plt.show()\n"
    return {PLAIN: plain(code, Path(work["folder"])), POOLED: pooled(code)}


def plain(code: str, folder: Path) -> dict[str, Any]:
    cold = []
    for _ in range(timing.COLD):
        started = time.perf_counter()
        with SandboxSession(**OPTIONS) as session:
            ran(session, timing.PRINT)
            cold.append((time.perf_counter() - started) * 1000)
    with ArtifactSandboxSession(**OPTIONS) as session:
        charts = [timing.milliseconds(lambda: charted(session, code)) for _ in range(timing.FRESH)]
    with SandboxSession(**OPTIONS) as session:
        warm = [timing.milliseconds(lambda: ran(session, timing.PRINT)) for _ in range(timing.WARM)]
        source, target = folder / "in", folder / "out"
        source.write_bytes(os.urandom(20 * timing.MIB))
        into = [
            timing.milliseconds(lambda: session.copy_to_runtime(str(source), "/sandbox/in"))
            for _ in range(timing.FILES)
        ]
        out = [
            timing.milliseconds(lambda: session.copy_from_runtime("/sandbox/in", str(target)))
            for _ in range(timing.FILES)
        ]
        memory = timing.memory(str(session.container.id))
    return {
        timing.COLD_RESULT: cold,
        timing.POOLED_RESULT: timing.NO_POOL,
        timing.CHART: charts,
        timing.WARM_CELL: warm,
        timing.INTERRUPT: timing.NO_STATE,
        timing.IN: into,
        timing.OUT: out,
        timing.MEMORY: [memory],
    }


def pooled(code: str) -> dict[str, Any]:
    config = PoolConfig(max_pool_size=1, min_pool_size=1)
    with create_pool_manager(config=config, **OPTIONS) as pool:
        first, charts, warm = [], [], []
        for _ in range(timing.FRESH):
            started = time.perf_counter()
            with SandboxSession(lang="python", pool=pool) as session:
                ran(session, timing.PRINT)
                first.append((time.perf_counter() - started) * 1000)
                warm += [timing.milliseconds(lambda: ran(session, timing.PRINT)) for _ in range(5)]
            started = time.perf_counter()
            with ArtifactSandboxSession(lang="python", pool=pool) as session:
                charted(session, code)
                charts.append((time.perf_counter() - started) * 1000)
    return {
        timing.POOLED_RESULT: first,
        timing.CHART: charts,
        timing.WARM_CELL: warm,
        timing.INTERRUPT: timing.NO_STATE,
    }


def ran(session: Any, code: str) -> None:
    done = session.run(code)
    timing.check(done.exit_code == 0 and done.stdout.strip() == "2", done)


def charted(session: Any, code: str) -> None:
    done = session.run(code)
    timing.check(done.exit_code == 0 and done.plots, done)


if __name__ == "__main__":
    timing.main(str(DefaultImage.PYTHON), measured)
