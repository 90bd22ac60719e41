"""smolagents' DockerExecutor: a Jupyter kernel behind a gateway, over one connection for each cell."""

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.remote_executors import DockerExecutor

from benchmarks.sandbox.peers import timing

IMAGE = "jupyter-kernel"
SAY = """
import base64, io
picture = io.BytesIO()
plt.savefig(picture, format="png")
plt.close("all")
print(base64.b64encode(picture.getvalue()).decode())
"""
"""Text is all that comes back."""
NO_FILES = "no way"


def measured(work: dict[str, str]) -> dict[str, Any]:
    cold, charts = [], []
    for _ in range(timing.COLD):
        started = time.perf_counter()
        with opened() as executor:
            ran(executor, timing.PRINT)
            cold.append((time.perf_counter() - started) * 1000)
    for _ in range(timing.FRESH):
        with opened() as executor:
            ran(executor, timing.PRINT)
            charts.append(timing.milliseconds(lambda: charted(executor, work["chart"])))
    with opened() as executor:
        charted(executor, work["chart"])
        warm = [timing.milliseconds(lambda: ran(executor, timing.PRINT)) for _ in range(timing.WARM)]
        memory = timing.memory(str(executor.container.id))
    return {
        "smolagents Docker": {
            timing.COLD_RESULT: cold,
            timing.POOLED_RESULT: timing.NO_POOL,
            timing.CHART: charts,
            timing.WARM_CELL: warm,
            timing.INTERRUPT: timing.NEVER,
            timing.IN: NO_FILES,
            timing.OUT: NO_FILES,
            timing.MEMORY: [memory],
        }
    }


@contextmanager
def opened() -> Iterator[DockerExecutor]:
    executor = DockerExecutor(
        [], AgentLogger(level=LogLevel.ERROR), build_new_image=False, image_name=IMAGE, port=free_port()
    )
    try:
        yield executor
    finally:
        executor.container.kill()
        executor.container.remove(force=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ran(executor: DockerExecutor, code: str) -> None:
    done = executor.run_code_raise_errors(code)
    timing.check(done.logs.strip() == "2", done)


def charted(executor: DockerExecutor, chart: str) -> None:
    done = executor.run_code_raise_errors(chart + SAY)
    timing.check(base64.b64decode(done.logs).startswith(b"\x89PNG"), done)


if __name__ == "__main__":
    timing.main(IMAGE, measured)
