"""Can code run here? Engine, rights to its socket, runtime, limits, image, disk, and one cell for proof."""

import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.checks import Check, disk, shown_size
from bot.errors import SandboxError
from bot.execution import Outcome
from bot.limits import Limits
from bot.messages import ThreadId
from bot.store.store import Store
from sandbox import probes
from sandbox.container import Engine, Facts, Kind
from sandbox.pool import DockerSandbox
from sandbox.session import BoxSession

SECONDS = 20.0
LEAST_ENGINE_BYTES = 2 * 1024**3
"""Free where the engine keeps images."""
THREAD = ThreadId("doctor:1")
CERTIFICATES = "put ca.pem, cert.pem and key.pem for this engine where DOCKER_CERT_PATH leads"
SOURCE = "plotline.source"
"""The label that says which sources an image was made from, as setup/image.sh writes it."""


async def checks(*, image: str, runtime: str, source_hash: str | None) -> list[Check]:
    """Without an engine, the first of them alone. `source_hash` is that of the sources at hand, if there are any."""
    engine = Engine(Kind(image, runtime, Limits(), "doctor"))
    try:
        facts = await engine.facts()
    except SandboxError as error:
        return [_no_engine(str(error))]
    finally:
        await engine.close()
    found = [
        Check("engine", True, f"Docker {facts.version} answers at {facts.address}."),
        _runtime(runtime, facts),
        _limits(facts),
        _image(image, source_hash, facts),
    ]
    found += _disk(facts)
    if all(check.ok for check in found[:2]) and facts.labels is not None:
        found.append(await _cell(image, runtime))
    return found


async def ways_out(*, image: str, runtime: str) -> AsyncIterator[Check]:
    """What code could do in a container of this engine's and should not: one check for each attempt."""
    try:
        async with _session(image, runtime) as session:
            async for check in probes.checks(session):
                yield check
    except SandboxError as error:
        yield _no_cell(error)


def _no_engine(detail: str) -> Check:
    if "ermission denied" in detail:
        mend = 'sudo usermod -aG docker "$USER", then log in again'
        return Check("engine", False, "This user may not use the socket of the Docker engine.", mend)
    if "certificate" in detail.lower():
        return Check("engine", False, "The engine's certificate or ours is not accepted.", CERTIFICATES)
    return Check("engine", False, "No Docker engine answers.", "make image")


def _runtime(runtime: str, facts: Facts) -> Check:
    if runtime in facts.runtimes:
        return Check("runtime", True, f"Sandboxes run under {runtime}.")
    there = ", ".join(sorted(facts.runtimes))
    detail = f"The engine does not know the runtime {runtime}, only: {there}."
    return Check("runtime", False, detail, "install it in the engine, or set SANDBOX_RUNTIME=runc")


def _limits(facts: Facts) -> Check:
    if not facts.unlimited:
        return Check("limits", True, "Containers are held to their memory, processes and processor time.")
    detail = (
        f"This engine cannot limit a container's {', '.join(facts.unlimited)}: code can use up the machine."
    )
    mend = "use an engine with cgroups: run it as root, or rootless on a system with cgroup v2"
    return Check("limits", False, detail, mend)


def _image(image: str, source_hash: str | None, facts: Facts) -> Check:
    build = "make image SET=full" if image.endswith(":full") else "make image"
    if facts.labels is None:
        return Check("image", False, f"There is no image {image}.", build)
    if source_hash and facts.labels.get(SOURCE, source_hash) != source_hash:
        return Check("image", False, f"{image} was made from other sources than these.", build)
    return Check("image", True, f"{image} is there, {shown_size(facts.image_bytes)}.")


def _disk(facts: Facts) -> list[Check]:
    """None where the engine's disk is not ours to see."""
    folder = Path(facts.folder)
    if not (facts.is_local and folder.exists()):
        return []
    return [disk("disk", folder, LEAST_ENGINE_BYTES, "docker system prune")]


async def _cell(image: str, runtime: str) -> Check:
    try:
        async with _session(image, runtime) as session:
            ran = await session.run("6 * 7", cell_id=uuid.uuid4().hex, seconds=SECONDS)
    except SandboxError as error:
        return _no_cell(error)
    ok = ran.outcome is Outcome.OK and ran.text.strip() == "42"
    return Check("cell", ok, f"A cell ran in a new container: {ran.outcome}.", "" if ok else "make image")


def _no_cell(error: SandboxError) -> Check:
    return Check("cell", False, f"No code could be run: {error}", "docker ps; docker info")


@asynccontextmanager
async def _session(image: str, runtime: str) -> AsyncIterator[BoxSession]:
    """In a container of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Store.opened(Path(folder)) as store,
            DockerSandbox(
                image=image,
                runtime=runtime,
                data_dir=store.data_dir,
                blobs=store.blobs,
                sessions=store.sessions,
                limits=Limits(idle_seconds=SECONDS),
                deployment="doctor",
            ) as sandbox,
        ):
            try:
                async with sandbox.session(THREAD) as session:
                    yield session
            finally:
                await sandbox.end(THREAD)
