"""Files over HTTP, from a server on loopback."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.download import CHUNK_BYTES, NotServed, Token, download
from bot.errors import AttachmentRefused, PlatformUnavailable

TOKEN = "xoxb-not-for-anyone"


@dataclass
class Host:
    """Serves what it is told to, and keeps who showed it a token."""

    url: str = ""
    other_url: str = ""
    """The same server under another origin."""
    authorizations: dict[str, str | None] = field(default_factory=dict[str, str | None])

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.authorizations[request.path] = request.headers.get("Authorization")
        match request.path:
            case "/small":
                return web.Response(body=b"a,b\n1,2\n", content_type="text/csv", charset="utf-8")
            case "/large":
                return web.Response(body=b"x" * (3 * CHUNK_BYTES))
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(100):
                    await response.write(b"x" * CHUNK_BYTES)
                return response
            case "/breaks":
                response = web.StreamResponse(headers={"Content-Length": "100"})
                await response.prepare(request)
                await response.write(b"only this")
                assert request.transport
                request.transport.abort()
                return response
            case "/packed":
                assert "gzip" not in request.headers["Accept-Encoding"]
                return web.Response(body=gzip.compress(b"x" * 100))
            case "/elsewhere":
                raise web.HTTPFound(f"{self.other_url}/small")
            case "/loop":
                raise web.HTTPFound("/loop")
            case "/to-disk":
                raise web.HTTPFound("file:///etc/passwd")
            case _:
                raise web.HTTPNotFound


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    served = Host()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    served.url, served.other_url = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_file_arrives_with_what_the_server_says_of_it(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    downloaded = await download(http, f"{host.url}/small", tmp_path / "file", 100)

    assert (tmp_path / "file").read_bytes() == b"a,b\n1,2\n"
    assert downloaded.size_bytes == 8
    assert downloaded.media_type == "text/csv"
    assert downloaded.first_bytes == b"a,b\n1,2\n"


@pytest.mark.parametrize("path", ["/large", "/endless"])
async def test_too_large_a_file_is_refused_and_not_kept(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path, path: str
) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        await download(http, host.url + path, tmp_path / "file", 2 * CHUNK_BYTES)

    assert refused.value.sentence == "attachment_over_limit"
    assert not (tmp_path / "file").exists()


async def test_a_file_that_ends_too_early_is_not_kept(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    with pytest.raises(PlatformUnavailable):
        await download(http, f"{host.url}/breaks", tmp_path / "file", 1000)

    assert not (tmp_path / "file").exists()


async def test_another_status_is_told(host: Host, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with pytest.raises(NotServed) as error:
        await download(http, f"{host.url}/missing", tmp_path / "file", 1000)

    assert error.value.status == 404


async def test_nothing_is_unpacked_on_the_way(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await download(http, f"{host.url}/packed", tmp_path / "file", 1000)

    assert gzip.decompress((tmp_path / "file").read_bytes()) == b"x" * 100


async def test_the_token_goes_to_its_own_host_only(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await download(http, f"{host.url}/small", tmp_path / "a", 100, Token(TOKEN, [host.url]))
    assert host.authorizations["/small"] == f"Bearer {TOKEN}"

    await download(http, f"{host.other_url}/small", tmp_path / "b", 100, Token(TOKEN, [host.url]))
    assert host.authorizations["/small"] is None


@pytest.mark.parametrize("origins", ["one", "both"])
async def test_the_token_does_not_follow_a_redirect(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path, origins: str
) -> None:
    own = [host.url] if origins == "one" else [host.url, host.other_url]
    await download(http, f"{host.url}/elsewhere", tmp_path / "a", 100, Token(TOKEN, own))

    assert host.authorizations["/elsewhere"] == f"Bearer {TOKEN}"
    assert host.authorizations["/small"] is None


@pytest.mark.parametrize("path", ["/loop", "/to-disk"])
async def test_a_redirect_that_leads_nowhere_is_not_followed(
    host: Host, http: aiohttp.ClientSession, tmp_path: Path, path: str
) -> None:
    with pytest.raises(PlatformUnavailable):
        await download(http, host.url + path, tmp_path / "file", 100)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "file:///etc/passwd", "nonsense", "", "http://"])
async def test_an_address_that_does_not_answer_is_unavailable(
    http: aiohttp.ClientSession, tmp_path: Path, url: str
) -> None:
    with pytest.raises(PlatformUnavailable):
        await download(http, url, tmp_path / "file", 100)
