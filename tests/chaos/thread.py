"""The `Thread` port over the loopback platform. An answer is several posts there: its text, then each file."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.errors import PlatformUnavailable
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update
from tests.chaos.platform import Kind

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoopbackThread:
    http: aiohttp.ClientSession
    url: str
    kind: Kind
    id: ThreadId

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        yield

    async def introduce(self, message: Message) -> Message:
        return message

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        return Above()

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        raise PlatformUnavailable("nothing is attached here")

    async def progress(self, update: Update) -> None:
        pass

    @property
    def can_ask(self) -> bool:
        return False

    async def ask(self, text: str, question: str) -> None:
        raise PlatformUnavailable("nobody is asked here")

    async def settle(self, text: str, question: str) -> None:
        pass

    async def post(self, output: Output, key: str) -> None:
        pieces: list[Json] = [{"text": output.text}] if output.text else []
        for artifact in output.artifacts:
            data = artifact.path.read_bytes()
            pieces.append({"file": artifact.name, "sha256": hashlib.sha256(data).hexdigest()})
        for number, piece in enumerate(pieces):
            await self._once({**piece, "key": f"{key}:{number}"})

    async def whisper(self, text: str, key: str) -> None:
        await self.post(Output(text), key)

    async def _once(self, piece: Json) -> None:
        if self.kind == "key":
            await self.send(piece)
            return
        if not await self._found(piece["key"]):
            await self.send(piece)
            # Somebody may have been between looking and posting for long: what came later goes again.
            _, *doubled = await self._found(piece["key"])
            for each in doubled:
                await self._ask("DELETE", f"/{each['number']}")

    async def send(self, piece: Json) -> None:
        await self._ask("POST", "", piece)

    async def _found(self, key: str) -> list[Json]:
        return [each for each in await self._ask("GET", "") if each["key"] == key]

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Any:
        url = f"{self.url}/threads/{quote(self.id, safe='')}{path}"
        try:
            async with self.http.request(method, url, json=body) as response:
                if response.status != 200:
                    raise PlatformUnavailable(f"status {response.status}")
                return await response.json()
        except aiohttp.ClientError as error:
            raise PlatformUnavailable(str(error)) from error
