"""What other programs take for the same: each in an environment of its own, made here and gone afterwards.

They get the sandbox's own Python, packages and fonts, in an image made from ours under the name that they look for.
What one of them cannot do here is said, and the others go on.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reference import CHART
from benchmarks.sandbox.opened import docker
from bot.config import Settings


@dataclass(frozen=True, slots=True)
class Peer:
    module: str
    """In peers/."""
    package: str
    """What it needs from the package index."""
    command: str
    """What its container runs."""


GATEWAY = (
    "exec python -m jupyter kernelgateway --KernelGatewayApp.ip=0.0.0.0 --KernelGatewayApp.port=8888"
    " --KernelGatewayApp.auth_token=${KG_AUTH_TOKEN:-$TOKEN} --JupyterWebsocketPersonality.list_kernels=true"
)
PEERS = (
    Peer("llm_sandbox", "llm-sandbox[docker]", "python"),
    Peer("autogen", "autogen-ext[docker-jupyter-executor]", GATEWAY),
    Peer("smolagents", "smolagents[docker]", GATEWAY),
)
IN_IMAGE = ("jupyter_kernel_gateway", "ipykernel")
"""What some of them talk to in their container."""
# One of them runs what it finds in an environment at this place.
DOCKERFILE = r"""
FROM {image}
USER root
COPY wheels /wheels
RUN pip install -q --no-index --find-links /wheels {packages} && rm -r /wheels \
    && mkdir /sandbox && ln -s /opt/python /sandbox/.sandbox-venv
ENV MPLCONFIGDIR=/opt/plotline/mpl HOME=/root TOKEN=
ENTRYPOINT []
EXPOSE 8888
CMD {command}
"""
VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"
SECONDS = 600
"""For one step of one of them."""

Values = dict[str, float | str]
"""A number, or in words why there is none."""


async def figures() -> dict[str, Values]:
    """By our name of a figure, what each of them took."""
    found: dict[str, Values] = {}
    with tempfile.TemporaryDirectory(prefix="plotline-peers-") as folder:
        for peer in PEERS:
            try:
                said = await asyncio.to_thread(_measured, peer, Path(folder))
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                print(f"{peer.package} is left out: {_reason(error)}")
                continue
            for name, values in said.items():
                for figure, value in values.items():
                    found.setdefault(figure, {})[name] = value
    return found


def _measured(peer: Peer, folder: Path) -> dict[str, Values]:
    python = _environment(peer, folder / peer.module)
    driver = (python, "-m", f"benchmarks.sandbox.peers.{peer.module}")
    name = _run(*driver, "image").strip()
    _make_image(name, peer, python, folder / "image")
    try:
        work = {"chart": CHART, "folder": str(folder / peer.module)}
        said = json.loads(_run(*driver, json.dumps(work)).splitlines()[-1])
    finally:
        docker("rmi", "--force", name)
    return {
        name: {
            figure: value if isinstance(value, str) else round(statistics.median(value), 2)
            for figure, value in values.items()
        }
        for name, values in said.items()
    }


def _environment(peer: Peer, folder: Path) -> str:
    _run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    _run(python, "-m", "pip", "install", "-q", peer.package)
    return python


def _make_image(name: str, peer: Peer, python: str, context: Path) -> None:
    image = Settings().sandbox_image
    wheels = context / "wheels"
    if not wheels.exists():
        version = docker("run", "--rm", "--network=none", "--entrypoint=python", image, "-c", VERSION).strip()
        options = ["-q", "--only-binary=:all:", "--python-version", version, "-d", str(wheels)]
        _run(python, "-m", "pip", "download", *options, *IN_IMAGE)
    dockerfile = DOCKERFILE.format(image=image, packages=" ".join(IN_IMAGE), command=peer.command)
    (context / "Dockerfile").write_text(dockerfile)
    docker("build", "-q", "--network=none", "-t", name, str(context))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout


def _reason(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return str(said).strip().splitlines()[-1][:300]
