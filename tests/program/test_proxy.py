"""A proxy that is the only way out: all that the bot says and hears of a platform goes through it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import Town
from tests.program.waiting import until

WEBSOCKETS = ("/gateway/", "/link")
FILES = ("/cdn/", "/files-pri/")
MODELS = ("/responses", "/chat/completions")
REQUEST = re.compile(rb"(?:GET|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")


@dataclass
class Proxy:
    port: int = 0
    asked: list[str] = field(default_factory=list[str])
    """Addresses, in the order in which they were asked for."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            there = urlsplit(self._addresses(head)[0])
            onward_reader, onward = await asyncio.open_connection(there.hostname, there.port)
            onward.write(head)
            await asyncio.gather(
                relay(reader, onward, self._addresses), relay(onward_reader, writer, lambda _: None)
            )

    def _addresses(self, sent: bytes) -> list[str]:
        found = [each.decode() for each in REQUEST.findall(sent)]
        self.asked += found
        return found


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Callable[[bytes], object]
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            seen(data)
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()


async def test_a_question_is_heard_and_answered_through_it(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with proxying() as proxy:
        serving.env |= {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": ""}
        async with serving.here():
            await until(town.is_listening)
            talk = await town.ask("What is in it?", ("sales.csv", b"a\n1\n"))
            await until(lambda: any("Fine." in each for each in town.read(talk)))

    paths = [urlsplit(each).path for each in proxy.asked]
    assert [each for each in paths if each.startswith(WEBSOCKETS)] != []
    assert [each for each in paths if each.startswith(FILES)] != []
    assert [each for each in paths if each.startswith("/api/")] != []
    assert [each for each in paths if each.endswith(MODELS)] != []
