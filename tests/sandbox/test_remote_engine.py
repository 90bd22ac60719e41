"""An engine on another machine: over TCP, and over TLS with certificates on both sides."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.config import deployment as of_data_dir
from bot.errors import SandboxLost, SandboxNotReady
from bot.execution import Outcome
from bot.limits import Limits
from sandbox.attach import Way, attached
from sandbox.container import Engine, Kind
from tests.sandbox.conftest import IMAGE, Deployment, docker, run
from tests.sandbox.far_engine import LOCAL, Certificates, certificates, daemon, gate

needs_local_engine = [
    pytest.mark.docker,
    pytest.mark.skipif(not LOCAL.startswith("unix://"), reason="the engine is elsewhere already"),
]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("mine") / "tls", as_dockers_manual=True)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("strangers") / "tls")


@pytest.fixture
def tls_port(mine: Certificates) -> Iterator[int]:
    with gate(mine) as port:
        yield port


def engine_at(
    monkeypatch: pytest.MonkeyPatch, port: int, known: Certificates | None = None, host: str = "localhost"
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{host}:{port}")
    if known:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(known.client))


async def what_matters(deployment: Deployment) -> None:
    """Both directions, small and large, a stop in the middle, and finding a box again."""
    async with deployment.session() as session:
        flooded = await run(session, "x = 41; print('é' * 3_000_000); print('end')")
        (deployment.data_dir / "large").write_bytes(bytes(5_000_000))
        await session.put("large", deployment.data_dir / "large")
        read = await run(
            session, "import os; open('back', 'wb').write(os.urandom(5_000_000)); os.path.getsize('large')"
        )
        late = await run(session, "while True: pass", seconds=0.5)
    async with deployment.session() as session:
        after = await run(session, "x + 1")

    assert flooded.text.endswith("end\n")
    assert read.text == "5000000\n"
    assert [artifact.size_bytes for artifact in read.artifacts] == [5_000_000]
    assert late.outcome is Outcome.TIMED_OUT
    assert after.text == "42\n"


@pytest.mark.usefixtures("runtime")
class TestGate:
    """Before this machine's own engine, in ordinary runs."""

    pytestmark = needs_local_engine

    async def test_code_runs_over_tls(
        self, deployment: Deployment, tls_port: int, mine: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine_at(monkeypatch, tls_port, mine)

        await what_matters(deployment)

    async def test_code_runs_over_plain_tcp(
        self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with gate() as port:
            engine_at(monkeypatch, port, host="127.0.0.1")

            await what_matters(deployment)

    async def test_settings_for_the_web_do_not_count_for_the_engine(
        self,
        deployment: Deployment,
        tls_port: int,
        mine: Certificates,
        strangers: Certificates,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        engine_at(monkeypatch, tls_port, mine)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", strangers.file("ca.pem"))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        async with deployment.session() as session:
            done = await run(session, "6 * 7")

        assert done.text == "42\n"

    async def test_an_engine_that_the_authority_does_not_know_is_told_nothing(
        self,
        deployment: Deployment,
        tls_port: int,
        strangers: Certificates,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as changed:
            engine_at(changed, tls_port, strangers)
            with pytest.raises(SandboxNotReady, match="certificate"):
                async with deployment.session():
                    pass

    async def test_a_client_without_a_certificate_runs_nothing(
        self, deployment: Deployment, tls_port: int, mine: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as changed:
            engine_at(changed, tls_port)
            with pytest.raises(SandboxNotReady):
                async with deployment.session():
                    pass

    async def test_certificates_are_not_loaded_again_into_what_connections_share(
        self, runtime: str, tls_port: int, tmp_path: Path, mine: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = Certificates(tmp_path)
        shutil.copytree(mine.client, own.client)
        engine_at(monkeypatch, tls_port, own)
        engine = Engine(Kind(IMAGE, runtime, Limits(), "test"))
        first = await engine.facts()
        shutil.rmtree(own.client)

        later = await asyncio.gather(*[engine.facts() for _ in range(8)])
        await engine.close()

        assert later == [first] * 8


Answer = Callable[[bytes], Awaitable[Way]]


@pytest.fixture
async def answering() -> AsyncIterator[Answer]:
    """An engine that answers each request with the same bytes and says no more."""
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> Way:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        return Way(host="127.0.0.1", port=servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


async def test_what_comes_with_the_answer_is_the_containers(answering: Answer) -> None:
    way = await answering(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\x01\0\0\0\0\0\0\x05hello")

    stdio = await attached(way, "c")
    said = await stdio.read()
    await stdio.close()

    assert said == b"hello"


@pytest.mark.parametrize("status", ["404 Not Found", "409 Conflict"])
async def test_a_container_that_is_not_there_is_lost(answering: Answer, status: str) -> None:
    way = await answering(f"HTTP/1.1 {status}\r\n\r\n".encode())

    with pytest.raises(SandboxLost, match=status):
        await attached(way, "c")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"220 mail\r\n\r\n",
        b"HTTP/1.1 1",
    ],
)
async def test_an_answer_that_is_no_attachment_is_an_engine_that_is_not_ready(
    answering: Answer, answer: bytes
) -> None:
    way = await answering(answer)

    with pytest.raises(SandboxNotReady):
        await attached(way, "c")


async def test_nobody_at_the_other_end_is_an_engine_that_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(SandboxNotReady):
        await attached(Way(socket_path=str(tmp_path / "none.sock")), "c")


@pytest.mark.docker
@pytest.mark.chaos
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dockerd") is None, reason="only root can start a second engine"
)
def test_a_second_engine_over_tls_runs_code_and_shares_nothing_with_the_first(
    tmp_path_factory: pytest.TempPathFactory, mine: Certificates
) -> None:
    folder = tmp_path_factory.mktemp("far")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    far = {
        "DOCKER_HOST": f"tcp://localhost:{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(mine.client),
    }
    data_dir = folder / "data-dir"

    def there(*command: str, stdin: bytes = b"") -> str:
        environment = {**os.environ, **far, "DATA_DIR": str(data_dir)}
        ran = subprocess.run(
            command, input=stdin, env=environment, check=True, capture_output=True, timeout=300
        )
        return ran.stdout.decode()

    plotline = [sys.executable, "-m", "bot", "exec", "-", "--thread", "far"]
    with daemon(folder, mine, port):
        image = subprocess.run(["docker", "save", IMAGE], check=True, capture_output=True)
        there("docker", "load", stdin=image.stdout)
        there(*plotline, stdin=b"x = 41")
        said = there(*plotline, stdin=b"print(x + 1)")
        boxes = there("docker", "ps", "-q").split()
        there("docker", "rm", "-f", *boxes)

    assert said.splitlines()[-1].strip() == "42"
    assert len(boxes) == 1
    assert docker("ps", "-aq", "-f", f"label=plotline.deployment={of_data_dir(data_dir)}") == ""
