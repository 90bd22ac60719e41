"""What a hundred sessions cost that nobody uses at the moment: in the bot, in the engine, and each by itself."""

import asyncio
import os
import re
import socket
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import MIB, Figure
from benchmarks.reference import CHART
from benchmarks.sandbox.opened import Deployment, docker, run, thread
from sandbox.pool import PING_SECONDS, DockerSandbox

SESSIONS = 100
SETTLE_SECONDS = 15
MEASURED_SECONDS = PING_SECONDS + 10
"""Each session is heard of once within it."""
AT_ONCE = 4
STATE = CHART + "rows = pd.DataFrame({'a': range(10_000), 'b': [str(each) for each in range(10_000)]})\n"
SOCKET = Path("/var/run/docker.sock")
UNITS = {"B": 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}


async def figures() -> list[Figure]:
    if not is_here():
        print("sandbox.idle is left out: it looks at an engine on this machine, at its usual socket.")
        return []
    with tempfile.TemporaryDirectory() as folder:
        async with Deployment(Path(folder)).of_its_own() as deployment:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", __name__, folder, deployment.name), stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout
            try:
                if await process.stdout.readline() != b"ready\n":
                    raise RuntimeError("there are no sessions")
                await asyncio.sleep(SETTLE_SECONDS)
                return await measured(deployment, process.pid)
            finally:
                process.kill()
                await process.wait()


def is_here() -> bool:
    return SOCKET.exists() and not os.environ.get("DOCKER_HOST")


async def measured(deployment: Deployment, bot: int) -> list[Figure]:
    containers = deployment.containers()
    if len(containers) < SESSIONS:
        raise RuntimeError(f"only {len(containers)} of {SESSIONS} are there")
    engine = engine_processes(containers)
    shims = [pid for pid in engine if _name(pid) == "containerd-shim"]
    daemons = [pid for pid in engine if pid not in shims]
    share, of_shims, own = await shares(daemons, shims, [bot])
    asleep = await share_asleep(deployment.image)
    used = [used_bytes / MIB for used_bytes in _used(containers)]
    held = statistics.mean(_own_bytes(pid) for pid in shims) / MIB
    resident = resident_bytes(bot) / MIB
    others = f"its shims {of_shims:.2f} %, those of as many containers that sleep {asleep:.2f} %"
    return [
        Figure("sandbox.idle.bot_memory", round(resident, 1), "MB", "resident", None, "≤ 200 MB"),
        Figure(
            *("sandbox.idle.engine_cpu", round(share, 2), "%"),
            *(f"daemon and containerd, of one core; {others}; the bot {own:.2f} %", None, "≤ 1 %"),
        ),
        Figure(
            *("sandbox.idle.memory", round(statistics.mean(used), 1), "MB"),
            *(f"at most {max(used):.1f} MB; the engine's own for each: {held:.1f} MB", None, "≤ 100 MB"),
        ),
    ]


async def shares(*groups: list[int]) -> list[float]:
    """Of one core, in percent, by group of processes."""
    before, started = [cpu_seconds(group) for group in groups], time.monotonic()
    await asyncio.sleep(MEASURED_SECONDS)
    spent = time.monotonic() - started
    return [(cpu_seconds(group) - at) / spent * 100 for group, at in zip(groups, before, strict=True)]


async def share_asleep(image: str) -> float:
    """What the engine's shims take for as many containers that do nothing at all."""
    command = ("run", "-d", "--rm", "--network=none", "--entrypoint=sleep", image, "3600")
    started: list[str] = []
    try:
        for _ in range(SESSIONS):
            started.append((await asyncio.to_thread(docker, *command)).strip())
        shims = [pid for pid in engine_processes(started) if _name(pid) == "containerd-shim"]
        await asyncio.sleep(SETTLE_SECONDS)
        (share,) = await shares(shims)
    finally:
        await asyncio.to_thread(docker, "rm", "-f", *started)
    return share


async def hold(folder: str, name: str) -> None:
    """A bot with so many sessions, each with variables, a chart drawn, and nothing to do."""
    deployment = Deployment(Path(folder), name=name)
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(sandbox: DockerSandbox, number: int) -> None:
        async with turn, sandbox.session(thread(number)) as session:
            await run(session, STATE)

    async with deployment.opened() as sandbox:
        await asyncio.gather(*(one(sandbox, number) for number in range(SESSIONS)))
        print("ready", flush=True)
        await asyncio.sleep(3600)


def engine_processes(containers: list[str]) -> list[int]:
    """Of the engine behind the socket: its daemon, containerd, and the shims of these containers."""
    daemon = _listener()
    found = [daemon]
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        is_shim = "shim" in arguments[0] and not set(containers).isdisjoint(arguments)
        is_containerd = Path(arguments[0]).name == "containerd" and parent in {1, daemon}
        if is_shim or is_containerd:
            found.append(pid)
    return found


def _listener() -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(SOCKET))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def cpu_seconds(pids: list[int]) -> float:
    """Of processor time."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return _kilobytes(pid, "status", "VmRSS") * 1024


def _used(containers: list[str]) -> list[float]:
    """As the engine says it: what a container uses, without what it could give back at once."""
    said = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", *containers)
    found = re.findall(r"^([\d.]+)([KMG]?i?B) /", said, re.MULTILINE)
    return [float(number) * UNITS[unit] for number, unit in found]


def _own_bytes(pid: int) -> int:
    return _kilobytes(pid, "smaps_rollup", "Pss") * 1024


def _kilobytes(pid: int, file: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


if __name__ == "__main__":
    asyncio.run(hold(*sys.argv[1:]))
