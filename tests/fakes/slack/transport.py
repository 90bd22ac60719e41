"""How events and clicks get from Slack to the app: by Socket Mode, or as signed HTTP requests."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.fakes.slack.rules import Json

ACK_SECONDS = 3


@dataclass(frozen=True)
class Acknowledged:
    """What the app answered to one envelope or request."""

    payload: Json | None = None
    seconds: float = 0.0


class NotAcknowledged(Exception):
    """No answer within three seconds, or not the right one: Slack would try again."""


@dataclass
class Sockets:
    """The WebSocket connections of one app."""

    open: list[web.WebSocketResponse] = field(default_factory=list[web.WebSocketResponse])
    opened: int = 0
    pings: int = 0
    is_deaf: bool = False
    """Connections stay open, but nothing is heard on them: no pong, no acknowledgement."""
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict[str, asyncio.Future[Json]])
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.open.append(socket)
        self.opened += 1
        hello = {"type": "hello", "num_connections": len(self.open), "connection_info": {"app_id": "A1"}}
        await socket.send_json(hello)
        self.connected.set()
        try:
            async for message in socket:
                if self.is_deaf:
                    continue
                if message.type is aiohttp.WSMsgType.PING:
                    self.pings += 1
                    await socket.pong(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self._hear(json.loads(message.data))
        finally:
            if socket in self.open:
                self.open.remove(socket)
            if not self.open:
                self.connected.clear()
        return socket

    async def send(self, kind: str, payload: Json, retry: int | None = None) -> Acknowledged:
        envelope = f"envelope-{next(self._numbers)}"
        frame: Json = {
            "type": kind,
            "envelope_id": envelope,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if retry is not None:
            frame |= {"retry_attempt": retry, "retry_reason": "timeout"}
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = answer
        began = time.monotonic()
        await self.open[-1].send_json(frame)
        try:
            said = await asyncio.wait_for(answer, ACK_SECONDS)
        except TimeoutError as error:
            raise NotAcknowledged(kind) from error
        return Acknowledged(said.get("payload"), time.monotonic() - began)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """As Slack does every few hours: the app has to open another connection."""
        for socket in list(self.open):
            await socket.send_json({"type": "disconnect", "reason": reason})

    async def drop(self) -> None:
        """All connections, without a word."""
        for socket in list(self.open):
            self.open.remove(socket)
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        self.connected.clear()

    def _hear(self, said: Json) -> None:
        waiting = self._waiting.pop(said.get("envelope_id", ""), None)
        if waiting and not waiting.done():
            waiting.set_result(said)


@dataclass
class Sender:
    """Signed requests to an app that listens at `url`."""

    url: str
    signing_secret: str

    async def send(self, kind: str, payload: Json, retry: int | None = None, **changed: Any) -> Acknowledged:
        headers = (
            {} if retry is None else {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "timeout"}
        )
        if kind == "events_api":
            body, media_type = json.dumps(payload), "application/json"
        elif kind == "slash_commands":
            body, media_type = urlencode(payload), "application/x-www-form-urlencoded"
        else:
            body, media_type = (
                urlencode({"payload": json.dumps(payload)}),
                "application/x-www-form-urlencoded",
            )
        began = time.monotonic()
        status, said = await self.request(body, {"Content-Type": media_type, **headers}, **changed)
        if status != 200:
            raise NotAcknowledged(f"HTTP {status}")
        return Acknowledged(_json(said), time.monotonic() - began)

    async def request(
        self, body: str, headers: dict[str, str], *, secret: str | None = None, age: float = 0
    ) -> tuple[int, str]:
        stamp = str(int(time.time() - age))
        base = f"v0:{stamp}:{body}".encode()
        signature = hmac.new((secret or self.signing_secret).encode(), base, hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}", **headers}
        timeout = aiohttp.ClientTimeout(total=ACK_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(self.url, data=body.encode(), headers=signed) as response,
        ):
            return response.status, await response.text()


def _json(text: str) -> Json | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {"text": text} if text else None
    return parsed if isinstance(parsed, dict) else None
