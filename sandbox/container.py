"""Locked-down containers, made and reached through the Docker engine. The only module that imports `docker`.

The SDK blocks, so every call to it goes through `asyncio.to_thread` here and nowhere else.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import docker
import docker.constants
import docker.errors
from docker.transport import UnixHTTPAdapter
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from bot.errors import SandboxLost, SandboxNotReady
from bot.limits import MIB, Limits
from sandbox.attach import Way, attached
from sandbox.egress.network import Network
from sandbox.stdio import Stdio

T = TypeVar("T")

ENGINE_SECONDS = 60
"""For one answer of the engine."""
FIRST_USER = 20_000
USERS = 10_000
"""Each container has a user id of its own: what the kernel counts for a user is then not shared."""
LARGEST_FILE_BYTES = 1024 * MIB
DOCTOR = "plotline doctor"
GVISOR_PROCESSES = 512
"""gVisor's own threads count among them: https://gvisor.dev/docs/architecture_guide/resources/"""
GVISOR_MEMORY_BYTES = 1024 * MIB

_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processor time"}
"""What an engine calls those that it can keep. One without cgroups takes the others, and does nothing."""

DEPLOYMENT, WORKER, SLOT = "plotline.deployment", "plotline.worker", "plotline.slot"
"""Labels. Which thread a box belongs to stands in the thread's record: one kept ready gets its thread later."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What all containers of one deployment have in common."""

    image: str
    runtime: str
    limits: Limits
    deployment: str
    network: Network | None = None
    """Off without it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine says of itself and of our image."""

    version: str
    address: str
    is_local: bool
    folder: str
    """Where it keeps images, on its own machine."""
    runtimes: frozenset[str]
    unlimited: tuple[str, ...]
    """What it lets a container use without end, whatever it is told."""
    labels: Mapping[str, str] | None
    """Of the image; None where there is no such image."""
    image_bytes: int


class Engine:
    """The engine that the environment names, asked for the first time when something is needed of it.

    Every method raises `SandboxNotReady` when it does not answer or refuses, and `SandboxLost` when the
    container is gone.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._connecting = asyncio.Lock()
        self._api: docker.APIClient | None = None

    async def create(self, labels: Mapping[str, str], environment: Mapping[str, str]) -> str:
        """The id of a new container, which is not started yet."""
        creating = asyncio.ensure_future(self._ask(_create, self._kind, labels, environment))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            # The engine makes it all the same; nobody would start it, and so it would never end.
            with suppress(SandboxNotReady, SandboxLost):
                await self.remove(await creating)
            raise

    async def start(self, container: str) -> None:
        await self._ask(docker.APIClient.start, container)

    async def attach(self, container: str) -> Stdio:
        """Its standard streams, from now on."""
        return await attached(await self._ask(_way), container)

    async def is_running(self, container: str) -> bool:
        try:
            facts = await self._ask(docker.APIClient.inspect_container, container)
        except SandboxLost:
            return False
        return bool(facts["State"]["Running"])

    async def remove(self, container: str) -> None:
        """Whatever state it is in."""
        with suppress(SandboxLost):
            await self._ask(docker.APIClient.remove_container, container, v=True, force=True)

    async def facts(self) -> Facts:
        return await self._ask(_facts, self._kind.image)

    async def workers(self) -> dict[str, str]:
        """Who made it, by container, for all of this deployment: also those that were never started."""
        found = await self._ask(_listed, {DEPLOYMENT: self._kind.deployment})
        return {each["Id"]: each["Labels"].get(WORKER, "") for each in found}

    async def never_started(self, seconds: float) -> list[str]:
        """Containers of this deployment that were made so long ago, and not started since."""
        labels = {DEPLOYMENT: self._kind.deployment}
        found = await self._ask(_listed, labels, status="created")
        return [each["Id"] for each in found if each["Created"] < time.time() - seconds]

    async def close(self) -> None:
        if self._api is not None:
            await asyncio.to_thread(self._api.close)
            self._api = None

    async def _ask(self, question: Callable[..., T], *args: Any, **options: Any) -> T:
        with docker_errors(self._kind.image):
            async with self._connecting:
                if self._api is None:
                    self._api = await asyncio.to_thread(_connected)
            return await asyncio.to_thread(question, self._api, *args, **options)


def configuration(
    kind: Kind, slot: int, labels: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Any]:
    """A container as the engine's API wants it told: every lock is here. Nothing of our own environment is.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
    """
    limits, user = kind.limits, FIRST_USER + slot
    is_gvisor = kind.runtime == "runsc"
    packages_bytes = limits.packages_bytes if kind.network else 0
    memory_bytes = max(limits.memory_bytes, GVISOR_MEMORY_BYTES if is_gvisor else 0) + packages_bytes
    packages = {
        "/packages": (
            f"rw,nosuid,nodev,exec,size={packages_bytes},nr_inodes=100000,mode=0700,uid={user},gid={user}"
        )
    }
    return {
        "Image": kind.image,
        "User": f"{user}:{user}",
        "Hostname": "sandbox",
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": {**labels, DEPLOYMENT: kind.deployment, SLOT: str(slot)},
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": False,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": {
            "Runtime": kind.runtime,
            # Else user code could end the supervisor: it is only as process 1 that it cannot be killed.
            "Init": False,
            "AutoRemove": True,
            "LogConfig": {"Type": "none", "Config": {}},
            "NetworkMode": "none",
            "IpcMode": "private",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": max(limits.processes, GVISOR_PROCESSES if is_gvisor else 0),
            "Memory": memory_bytes,
            "MemorySwap": memory_bytes,
            "NanoCpus": int(limits.cpus * 1e9),
            "CpuShares": 256,
            "OomScoreAdj": 500,
            "Tmpfs": {
                # Files without content take memory too, which no process has and nobody is ended for.
                "/tmp": "rw,nosuid,nodev,size=64m,nr_inodes=10000,mode=1777",  # noqa: S108  # the container's own
                "/dev/shm": "rw,nosuid,nodev,size=64m,nr_inodes=2000,mode=1777",  # noqa: S108
                "/workspace": (
                    f"rw,nosuid,nodev,exec,size={limits.workspace_bytes},nr_inodes={limits.workspace_files},"
                    f"mode=0700,uid={user},gid={user}"
                ),
                **(packages if kind.network else {}),
            },
            "Ulimits": [
                {"Name": "nofile", "Soft": 1024, "Hard": 4096},
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "fsize", "Soft": LARGEST_FILE_BYTES, "Hard": LARGEST_FILE_BYTES},
            ],
        },
    }


@contextmanager
def docker_errors(image: str = "") -> Generator[None]:
    """Nothing of the SDK leaves this module, its exceptions included."""
    try:
        yield
    except docker.errors.ImageNotFound as error:
        full = " SET=full" if image.endswith(":full") else ""
        raise SandboxNotReady(f"there is no image {image}", mend=f"make image{full}") from error
    except docker.errors.APIError as error:
        if error.status_code in {404, 409}:
            raise SandboxLost(f"the engine: {error.explanation}") from error
        raise SandboxNotReady(f"the engine refuses: {error.explanation}", mend=DOCTOR) from error
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxNotReady(f"the engine does not answer: {error}", mend=DOCTOR) from error


def _connected() -> docker.APIClient:
    """Speaks the newest version of the API that both sides know."""
    first = _client(docker.constants.MINIMUM_DOCKER_API_VERSION)
    try:
        return _client(first.version(api_version=False)["ApiVersion"])
    finally:
        first.close()


def _client(version: str) -> docker.APIClient:
    api = docker.from_env(timeout=ENGINE_SECONDS, version=version).api
    # No proxy leads to an engine, and REQUESTS_CA_BUNDLE does not name who vouches for one: DOCKER_CERT_PATH does.
    api.trust_env = False
    if api.base_url.startswith("https://"):
        api.mount("https://", _Tls(_tls(api)))
    return api


class _Tls(HTTPAdapter):
    """The SDK's connections keep to the same rules as ours.

    Certificates are loaded once, before. Left to itself, every connection would load them into the one context again,
    and OpenSSL does not bear that from two threads: it can go round in circles then.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: object, cert: object = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify=True)
        return host, {"ssl_context": self._context, "cert_reqs": self._context.verify_mode}

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """The context knows all of it."""


def _facts(api: docker.APIClient, image: str) -> Facts:
    info = api.info()
    try:
        found = api.inspect_image(image)  # type: ignore[no-untyped-call]  # the stubs leave it out
    except docker.errors.ImageNotFound:
        found = None
    return Facts(
        version=str(info.get("ServerVersion")),
        address=api.base_url.replace("http+docker://localhost", "the local socket"),
        is_local="http+docker" in api.base_url,
        folder=str(info.get("DockerRootDir")),
        runtimes=frozenset(info.get("Runtimes") or ()),
        unlimited=tuple(what for name, what in _LIMITS.items() if not info.get(name)),
        labels=(found["Config"].get("Labels") or {}) if found else None,
        image_bytes=found["Size"] if found else 0,
    )


def _create(
    api: docker.APIClient, kind: Kind, labels: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    taken = {each["Labels"].get(SLOT) for each in _listed(api, {SLOT: None})}
    free = [slot for slot in range(USERS) if str(slot) not in taken]
    # At random, since another process may be choosing at this moment.
    wanted = configuration(kind, secrets.choice(free), labels, environment)
    created = api.create_container_from_config(wanted)  # type: ignore[no-untyped-call]  # the stubs leave it out
    return str(created["Id"])


def _listed(api: docker.APIClient, labels: Mapping[str, str | None], **filters: str) -> list[dict[str, Any]]:
    wanted = [name if value is None else f"{name}={value}" for name, value in labels.items()]
    found: list[dict[str, Any]] = api.containers(all=True, filters={"label": wanted, **filters})
    return found


def _way(api: docker.APIClient) -> Way:
    url, prefix = urlsplit(api.base_url), f"/v{api.api_version}"
    adapter = api.get_adapter(api.base_url)
    if isinstance(adapter, UnixHTTPAdapter):
        return Way(socket_path=adapter.socket_path, prefix=prefix)
    tls = _tls(api) if url.scheme == "https" else None
    return Way(host=url.hostname or "localhost", port=url.port, tls=tls, prefix=url.path.rstrip("/") + prefix)


def _tls(api: docker.APIClient) -> ssl.SSLContext:
    """As DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for it."""
    context = ssl.create_default_context(cafile=api.verify if isinstance(api.verify, str) else None)
    # Authorities made as Docker's manual says lack an extension that Python asks for since 3.13.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not api.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if api.cert:
        context.load_cert_chain(*api.cert)
    return context
