"""The bot's own image: no root, nothing to write but its volume, and able to run code through a socket."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = "plotline-bot:latest"
SOCKET = Path("/var/run/docker.sock")

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not SOCKET.is_socket(), reason="the engine is elsewhere"),
]


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    """Built if its sources have changed."""
    subprocess.run(
        ["setup/run", "image:bot"],
        cwd=ROOT,
        env={**os.environ, "PLOTLINE_SETUP": "auto"},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"plotline-test-{uuid.uuid4().hex[:10]}"
    subprocess.run(["docker", "volume", "create", name], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "volume", "rm", "-f", name], check=True, capture_output=True)


def run(*options: str, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    locked = ["--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp"]
    return subprocess.run(
        ["docker", "run", *locked, "--security-opt", "no-new-privileges", *options, IMAGE, *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_without_root_on_a_root_that_cannot_be_written() -> None:
    done = run(command=("--help",))

    assert done.returncode == 0, done.stderr
    assert "COMMAND" in done.stdout
    configured = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{.Config.User}}", IMAGE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert configured.stdout.strip() == "plotline"


def test_its_store_lies_in_a_volume_and_outlives_it(volume: str) -> None:
    for _ in range(2):
        done = run("-v", f"{volume}:/data", command=("threads", "--json"))
        assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr

    backed_up = run("-v", f"{volume}:/data", command=("backup", "/data/backup"))
    assert backed_up.returncode == 0, backed_up.stderr


def test_it_runs_code_through_the_socket_of_the_engine(volume: str) -> None:
    group = str(SOCKET.stat().st_gid)
    done = run(
        "-v", f"{volume}:/data", "-v", f"{SOCKET}:{SOCKET}", "--group-add", group, command=("doctor",)
    )  # fmt: skip

    for check in ("engine", "image", "cell", "data"):
        assert re.search(rf"✓ {check} ", done.stdout), done.stdout
    assert "No language model is configured" in done.stdout
