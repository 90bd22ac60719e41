"""autogen's DockerJupyterServer and executor: a Jupyter kernel behind a gateway, reached over a port."""

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock
from autogen_ext.code_executors.docker_jupyter import DockerJupyterCodeExecutor, DockerJupyterServer

from benchmarks.sandbox.peers import timing

IMAGE = "autogen-jupyterkernelgateway"
LOOP_SECONDS = 2
READY_SECONDS = 30


def measured(work: dict[str, str]) -> dict[str, Any]:
    return {"autogen DockerJupyter": asyncio.run(all_of_it(work["chart"], Path(work["folder"])))}


async def all_of_it(chart: str, folder: Path) -> dict[str, Any]:
    cold, charts = [], []
    for _ in range(timing.COLD):
        started = time.perf_counter()
        async with DockerJupyterServer() as server:
            await until_reachable(server)
            async with DockerJupyterCodeExecutor(server) as executor:
                await ran(executor, timing.PRINT, "2")
                cold.append((time.perf_counter() - started) * 1000)
    shared = folder / "shared"
    async with DockerJupyterServer(bind_dir=shared) as server:
        await until_reachable(server)
        for _ in range(timing.FRESH):
            async with DockerJupyterCodeExecutor(server) as executor:
                await ran(executor, timing.PRINT, "2")
                started = time.perf_counter()
                done = await run(executor, chart)
                charts.append((time.perf_counter() - started) * 1000)
                timing.check(done.exit_code == 0 and done.output_files, done)
        async with DockerJupyterCodeExecutor(server) as executor:
            await run(executor, chart)
            warm = []
            for _ in range(timing.WARM):
                started = time.perf_counter()
                await ran(executor, timing.PRINT, "2")
                warm.append((time.perf_counter() - started) * 1000)
            memory = timing.memory(str(server._container_id))
        source = folder / "in"
        source.write_bytes(os.urandom(20 * timing.MIB))
        into = [timing.milliseconds(lambda: shutil.copy(source, shared / "in")) for _ in range(timing.FILES)]
        interrupted = await after_a_loop(server)
    return {
        timing.COLD_RESULT: cold,
        timing.POOLED_RESULT: timing.NO_POOL,
        timing.CHART: charts,
        timing.WARM_CELL: warm,
        timing.INTERRUPT: interrupted,
        timing.IN: into,
        timing.OUT: [0.0],
        timing.MEMORY: [memory],
    }


async def after_a_loop(server: DockerJupyterServer) -> str:
    """Whether a variable is still there in the cell after one that ran out of time."""
    async with DockerJupyterCodeExecutor(server, timeout=LOOP_SECONDS) as executor:
        await run(executor, "kept = 42")
        await run(executor, "while True: pass")
        done = await run(executor, "print(kept)")
        return "state kept" if done.output.strip() == "42" else timing.NEVER


async def until_reachable(server: DockerJupyterServer) -> None:
    """The server says that it is there before it listens."""
    client = await server.get_client()
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                await client.list_kernel_specs()
            except (OSError, ValueError):
                await asyncio.sleep(0.02)
            else:
                break
    await client.close()


async def run(executor: DockerJupyterCodeExecutor, code: str) -> Any:
    return await executor.execute_code_blocks([CodeBlock(code, "python")], CancellationToken())


async def ran(executor: DockerJupyterCodeExecutor, code: str, said: str) -> None:
    done = await run(executor, code)
    timing.check(done.exit_code == 0 and done.output.strip() == said, done)


if __name__ == "__main__":
    timing.main(IMAGE, measured)
