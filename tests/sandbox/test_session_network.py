"""Code that may reach some hosts, in a real box; the hosts are ours, on loopback."""

import asyncio
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.execution import Host
from bot.store.store import Store
from sandbox.egress.allow import AllowList, parse
from sandbox.egress.network import Network, network
from sandbox.pool import DockerSandbox
from sandbox.session import BoxSession
from tests.sandbox.conftest import IMAGE, THREAD, Deployment, docker, run
from tests.stores import prepare

pytestmark = pytest.mark.docker

FETCH = """
import ssl, urllib.request
def fetch(url):
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer: print(answer.read().decode()[:100])
    except Exception as error: print(type(error).__name__, error)
"""


@asynccontextmanager
async def website(folder: Path) -> AsyncIterator[int]:
    """Answers every request over TLS with its first line. Its port."""
    await asyncio.to_thread(
        subprocess.run,
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=site.example",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        while (await reader.readline()).strip():
            pass
        body = b"you asked: " + line.strip()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class Site:
    session: BoxSession
    port: int

    @property
    def asked(self) -> Host:
        """It is not listed, but people could allow it; it is the same site."""
        return Host("asked.example", self.port)


@asynccontextmanager
async def opened(deployment: Deployment, net: Network | None) -> AsyncIterator[DockerSandbox]:
    async with (
        Store.opened(prepare(deployment.data_dir)) as store,
        DockerSandbox(
            image=IMAGE,
            runtime=deployment.runtime,
            data_dir=store.data_dir,
            blobs=store.blobs,
            sessions=store.sessions,
            limits=deployment.limits,
            deployment=deployment.name,
            network=net,
        ) as sandbox,
    ):
        yield sandbox


@pytest.fixture
async def site(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Site]:
    async with website(tmp_path) as port:
        listed = parse([f"site.example:{port}=127.0.0.1"])
        pins = {**listed.pins, ("asked.example", port): "127.0.0.1"}
        net = Network(AllowList(listed.hosts, pins), contact="the help desk")
        async with opened(deployment, net) as sandbox, sandbox.session(THREAD) as session:
            await run(session, FETCH)
            yield Site(session, port)


async def test_a_listed_host_is_reached_and_what_was_moved_is_recorded(site: Site) -> None:
    done = await run(site.session, f"fetch('https://site.example:{site.port}/page')")

    assert done.text == "you asked: GET /page HTTP/1.1\n"
    (receipt,) = done.receipts
    assert (receipt.host, receipt.port, receipt.refused) == ("site.example", site.port, "")
    assert receipt.sent_bytes > 0
    assert receipt.received_bytes > 0


async def test_a_refused_host_is_told_to_the_code_and_to_the_model(site: Site) -> None:
    done = await run(site.session, "fetch('https://other.example/')")

    sentence = "other.example:443 is not on this bot's list of hosts; the help desk can add it"
    assert sentence in done.text
    assert done.notes == (f"The network refused a connection: {sentence}.",)


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "http://site.example/", "https://127.0.0.1:2375/"]
)
async def test_nothing_else_can_be_reached(site: Site, url: str) -> None:
    code = f"import os; os.environ.pop('NO_PROXY', None); fetch({url!r})"

    assert "Error" in (await run(site.session, code)).text


async def test_without_the_proxy_there_is_no_way_at_all(site: Site) -> None:
    code = """
import socket
for address in (("1.1.1.1", 443), ("10.0.0.1", 443)):
    try: socket.create_connection(address, 2); print("CONNECTED")
    except OSError as error: print("no")
"""
    assert (await run(site.session, code)).text == "no\nno\n"


async def test_a_host_that_people_allow_is_reached_besides_the_listed_ones(site: Site) -> None:
    before = await run(site.session, f"fetch('https://{site.asked}/')")
    await site.session.allow([site.asked])
    after = await run(
        site.session, f"fetch('https://{site.asked}/'); fetch('https://site.example:{site.port}/')"
    )

    assert before.receipts[0].may_be_asked_for
    assert after.text == 2 * "you asked: GET / HTTP/1.1\n"


async def test_a_host_can_be_taken_back(site: Site) -> None:
    await site.session.allow([site.asked])
    await site.session.allow([])

    done = await run(site.session, f"fetch('https://{site.asked}/')")

    assert "is not on this bot's list" in done.text


async def test_a_host_is_taken_back_from_a_cell_that_runs(site: Site) -> None:
    await site.session.allow([site.asked])
    reached = asyncio.Event()
    code = f"""
import contextlib, io
heard = "you asked"
while "you asked" in heard:
    with contextlib.redirect_stdout(io.StringIO()) as said: fetch('https://{site.asked}/')
    heard = said.getvalue()
    print(heard, flush=True)
"""
    running = asyncio.ensure_future(
        site.session.run(code, cell_id="loop", seconds=30, on_text=lambda _: reached.set())
    )
    await reached.wait()
    await site.session.allow([])
    done = await running

    assert done.outcome == "ok"
    assert done.text.splitlines()[0].startswith("you asked")


async def test_what_people_allowed_ends_with_whoever_borrowed_the_session(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with website(tmp_path) as port:
        host = Host("asked.example", port)
        net = Network(AllowList(pins={("asked.example", port): "127.0.0.1"}))
        async with opened(deployment, net) as sandbox:
            async with sandbox.session(THREAD) as session:
                await session.allow([host])
                first = await run(session, f"{FETCH}\nfetch('https://{host}/')")
            async with sandbox.session(THREAD) as session:
                second = await run(session, f"fetch('https://{host}/')")

    assert "you asked" in first.text
    assert "is not on this bot's list" in second.text


async def test_what_people_allow_is_not_reached_where_it_leads_inside(site: Site) -> None:
    inside = Host("localhost", site.port)
    await site.session.allow([inside])

    done = await run(site.session, f"import os; os.environ.pop('NO_PROXY'); fetch('https://{inside}/')")

    assert "leads into a private network" in done.text
    assert not done.receipts[0].may_be_asked_for


async def test_people_are_not_asked_for_addresses(site: Site) -> None:
    done = await run(site.session, "fetch('https://169.254.169.254/')")

    assert [each.may_be_asked_for for each in done.receipts] == [False]


async def test_another_deployment_without_a_network_has_no_proxy(deployment: Deployment) -> None:
    async with deployment.session() as session:
        done = await run(
            session, "import os; print([name for name in os.environ if 'proxy' in name.lower()])"
        )

    assert done.text == "[]\n"


async def test_a_package_can_be_installed_and_is_there_in_the_next_box(deployment: Deployment) -> None:
    pins = [f"{host}:443={address}" for host, address in mirrors().items()]
    if not pins:
        pytest.skip("no package index can be reached from here")
    net = network(pins, True, "", {**os.environ, "PIP_INDEX_URL": "https://pypi.org/simple"}, Path.home())
    async with opened(deployment, net) as sandbox, sandbox.session(THREAD) as session:
        await run(session, "import numpy as np; kept = 1")
        installed = await run(
            session, "!pip install -q cowsay==6.1\nimport cowsay; print(cowsay.__file__)", seconds=60
        )
        assert installed.outcome == "ok", installed.text
        await asyncio.to_thread(docker, "rm", "-f", *deployment.containers())
        again = await run(
            session, "import cowsay, os; print(cowsay.get_output_string('cow', 'hi')[:3], os.listdir())"
        )

    assert "/packages/" in installed.text
    assert again.text.strip().endswith("[]")
    assert installed.artifacts == ()


def mirrors() -> dict[str, str]:
    """The index's hosts, with the addresses that this machine knows: some networks' mirrors look private."""
    found = {}
    for host in ("pypi.org", "files.pythonhosted.org"):
        try:
            found[host] = socket.gethostbyname(host)
            socket.create_connection((found[host], 443), 3).close()
        except OSError:
            return {}
    return found
