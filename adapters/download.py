"""A file from a URL to disk: in chunks, up to a limit, and a token only for whom it is meant."""

import asyncio
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiofiles
import aiohttp
from yarl import URL

from bot.errors import AttachmentRefused, PlatformUnavailable

CHUNK_BYTES = 64 * 1024
FIRST_BYTES = 512
REDIRECTS = 5
TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=30)


class NotServed(PlatformUnavailable):
    """The server answered, but with something else than the file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status} instead of a file")
        self.status = status
        """404 or 410 where the file is gone, 401 or 403 where it is not for us."""


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    origins: Collection[str]
    """Whom it may be shown to, as `https://files.slack.com`."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What the server says of a file that has arrived whole. Both may be wrong."""

    size_bytes: int
    media_type: str
    """Lower case, without parameters: `text/csv`. Empty where the server does not say."""
    first_bytes: bytes
    """Up to `FIRST_BYTES` of it: a login page instead of a file can be told by them."""


async def download(
    http: aiohttp.ClientSession,
    url: str,
    to: Path,
    limit_bytes: int,
    token: Token | None = None,
) -> Downloaded:
    """Write what is at `url` to `to`; nothing is left there when it fails.

    The token is sent to `url` if it is meant for that, never to where it redirects. Raises `AttachmentRefused`
    past `limit_bytes`, `NotServed` for a status other than 200, `PlatformUnavailable` when the server cannot
    be reached or stops in the middle.
    """
    headers = {"Accept-Encoding": "identity"}  # else a few bytes may unpack to gigabytes
    if token and _origin(url) in token.origins:
        headers["Authorization"] = f"Bearer {token.value}"
    try:
        with _http_errors():
            async with await _get(http, url, headers) as response:
                return await _write(response, to, limit_bytes)
    except BaseException:
        await asyncio.to_thread(to.unlink, missing_ok=True)
        raise


async def _get(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
    """The response behind redirects, which are followed here since aiohttp keeps some headers on its way."""
    at = URL(url)
    for _ in range(REDIRECTS + 1):
        response = await http.get(at, headers=headers, allow_redirects=False, timeout=TIMEOUT)
        if response.status not in {301, 302, 303, 307, 308}:
            return response
        response.release()
        there = at.join(URL(response.headers.get("Location", "")))
        if there.scheme not in {"https", at.scheme}:
            raise PlatformUnavailable(f"a redirect to {there.scheme}:")
        at = there
        headers = {name: value for name, value in headers.items() if name != "Authorization"}
    raise PlatformUnavailable(f"more than {REDIRECTS} redirects")


async def _write(response: aiohttp.ClientResponse, to: Path, limit_bytes: int) -> Downloaded:
    if response.status != HTTPStatus.OK:
        raise NotServed(response.status)
    if (response.content_length or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    size, first = 0, b""
    async with aiofiles.open(to, "wb") as file:
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            size += len(chunk)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            first += chunk[: FIRST_BYTES - len(first)]
            await file.write(chunk)
    media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    return Downloaded(size, media_type, first)


def _too_large(limit_bytes: int) -> AttachmentRefused:
    return AttachmentRefused(f"more than {limit_bytes} bytes", sentence="attachment_over_limit")


def _origin(url: str) -> str:
    try:
        return str(URL(url).origin())
    except ValueError:
        return ""


@contextmanager
def _http_errors() -> Generator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise PlatformUnavailable(f"{type(error).__name__}: {error}") from error
