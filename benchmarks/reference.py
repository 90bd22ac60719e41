"""What our figures are held against: the same work done by common tools on the same machine."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

CHART = """
import pandas as pd
import matplotlib.pyplot as plt
frame = pd.DataFrame({"month": range(24), "revenue": [x * (24 - x) for x in range(24)]})
frame.plot(x="month", y="revenue", title="Revenue")
"""


@asynccontextmanager
async def local_kernel() -> AsyncIterator[AsyncKernelClient]:
    """A Jupyter kernel of this Python, without any container."""
    manager = AsyncKernelManager()
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    try:
        yield client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def kernel_round_trip(client: AsyncKernelClient, code: str) -> float:
    """Milliseconds until the kernel has answered and is idle again."""
    started = time.perf_counter()
    await client.execute_interactive(code, store_history=True, output_hook=lambda _: None, timeout=60)
    return (time.perf_counter() - started) * 1000


async def local_chart() -> float:
    """Milliseconds for a fresh Python to import pandas and matplotlib, plot, and write the PNG."""
    code = 'import matplotlib; matplotlib.use("Agg")\n' + CHART + 'plt.savefig("/dev/null", format="png")\n'
    return await _process(sys.executable, "-c", code)


async def docker_run_true(image: str) -> float:
    """Milliseconds for the engine's own client to start a container that does nothing, and remove it."""
    return await _process("docker", "run", "--rm", "--network=none", "--entrypoint=true", image)


async def _process(*command: str) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    if await process.wait() != 0:
        raise RuntimeError(f"{command[0]} failed")
    return (time.perf_counter() - started) * 1000
