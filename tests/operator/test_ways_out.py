"""Behind a proxy that opens TLS: whoever goes out goes through it, and trusts the authority that the operator names.

A proxy and the far side are on loopback; the clients are real, each in a process of its own, since libraries read the
environment at different times.
"""

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.sandbox.far_engine import certificates

MODEL = """
import asyncio
from pathlib import Path
from bot import models
from bot.errors import ModelError
async def main():
    try:
        await models.connect(api_key="k", base_url="https://localhost:{port}/v1", name=None, api="chat",
            context_tokens=None, images=None, effort=None, memory=Path("memory.json"))
    except ModelError as error:
        print(type(error).__name__, error)
asyncio.run(main())
"""
FILES = """
from obstore.store import S3Store
store = S3Store("bucket", endpoint="https://localhost:{port}", access_key_id="a", secret_access_key="b",
    region="eu-central-1", retry_config=dict(max_retries=0))
try:
    store.get("key")
except Exception as error:
    print(type(error).__name__, error)
"""
DOWNLOADS = """
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.get("https://localhost:{port}/file") as response:
            print(response.status)
asyncio.run(main())
"""


@dataclass
class Outside:
    """A far side that speaks TLS, and the only way to it."""

    port: int
    authority: Path
    proxy_port: int = 0
    asked: list[str] = field(default_factory=list[str])
    """Of the proxy."""
    heard: list[bytes] = field(default_factory=list[bytes])
    """By the far side, once TLS was agreed on."""


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    made = certificates(tmp_path / "tls")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.file("server-cert.pem"), made.file("server-key.pem"))
    there = Outside(0, Path(made.file("ca.pem")))

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            there.heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        there.asked.append(head.split(b"\r\n")[0].decode())
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", there.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(relay(reader, onward), relay(onward_reader, writer), return_exceptions=True)
        for each in (writer, onward):
            each.close()

    server = await asyncio.start_server(far, "127.0.0.1", 0, ssl=context)
    way = await asyncio.start_server(proxy, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    there.proxy_port = way.sockets[0].getsockname()[1]
    yield there
    server.close()
    way.close()


async def go(code: str, there: Outside, folder: Path, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code.replace("{port}", str(there.port)),
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return said.decode()


CLIENTS = pytest.mark.parametrize("code", [MODEL, FILES, DOWNLOADS], ids=["model", "files", "downloads"])


@CLIENTS
async def test_it_goes_through_the_proxy_and_trusts_the_named_authority(
    code: str, outside: Outside, tmp_path: Path
) -> None:
    proxy = f"http://127.0.0.1:{outside.proxy_port}"

    said = await go(code, outside, tmp_path, HTTPS_PROXY=proxy, SSL_CERT_FILE=str(outside.authority))

    assert outside.asked, said
    assert set(outside.asked) == {f"CONNECT localhost:{outside.port} HTTP/1.1"}
    assert outside.heard, said


@CLIENTS
async def test_what_is_exempt_is_reached_directly(code: str, outside: Outside, tmp_path: Path) -> None:
    said = await go(
        code,
        outside,
        tmp_path,
        HTTPS_PROXY=f"http://127.0.0.1:{outside.proxy_port}",
        NO_PROXY="localhost",
        SSL_CERT_FILE=str(outside.authority),
    )

    assert outside.asked == []
    assert outside.heard, said


@CLIENTS
async def test_an_authority_that_nobody_named_is_not_trusted(
    code: str, outside: Outside, tmp_path: Path
) -> None:
    await go(code, outside, tmp_path)

    assert outside.heard == []
