"""An OpenAI-compatible endpoint on loopback that the real client talks to. It gives scripted answers, insists on what
real endpoints insist on, and keeps what it was sent."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.openai_answers import (
    Body,
    Fails,
    Json,
    Nonsense,
    Says,
    Scripted,
    Sends,
    chat_chunks,
    chat_completion,
    response_events,
)
from tests.fakes.openai_rules import (
    complaints_about_chat,
    complaints_about_responses,
    images_in,
)

Rule = Callable[[str, Json], Fails | None]
"""By path and body: why this endpoint does not take the request."""


FINE = Says("Fine.")


@dataclass(frozen=True)
class Received:
    path: str
    body: Json
    headers: dict[str, str]

    @property
    def tools(self) -> list[Json]:
        tools: list[Json] = self.body.get("tools", [])
        return tools


@dataclass
class OpenAIServer:
    answers: list[Scripted] = field(default_factory=list[Scripted])
    otherwise: Scripted = FINE
    """Once no `answers` are left."""
    formats: tuple[str, ...] = ("responses", "chat")
    models: list[Json] | None = None
    """What it offers; None where it has no list."""
    sees_images: bool = True
    rules: list[Rule] = field(default_factory=list[Rule])
    key: str | None = None
    """The only key it takes."""

    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Where it is cleared, answers wait for it to be set."""

    url: str = ""
    received: list[Received] = field(default_factory=list[Received])
    """All requests for replies, also those that were refused."""
    complaints: list[str] = field(default_factory=list[str])
    """Rules that no request may break, and that one did."""
    listed: int = 0
    """How often somebody asked what it offers."""

    def __post_init__(self) -> None:
        self.going.set()

    @property
    def bodies(self) -> list[Json]:
        return [each.body for each in self.received]

    @property
    def paths(self) -> list[str]:
        return [each.path.removeprefix("/v1/") for each in self.received]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["OpenAIServer"]:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_get("/v1/models", self._list)
        if "responses" in self.formats:
            app.router.add_post("/v1/responses", self._take)
        if "chat" in self.formats:
            app.router.add_post("/v1/chat/completions", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{port}/v1"
            yield self
        finally:
            await runner.cleanup()

    @contextmanager
    def serving_others(self) -> Iterator["OpenAIServer"]:
        """In a thread of its own, for tests that wait for another process."""
        ready, done = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with self.serving():
                ready.set()
                await done.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        try:
            assert ready.wait(10)
            yield self
        finally:
            loop.call_soon_threadsafe(done.set)
            thread.join()
            loop.close()

    async def _list(self, request: web.Request) -> web.Response:
        self.listed += 1
        if self.models is None:
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        return web.json_response({"object": "list", "data": self.models})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.received.append(Received(request.path, body, dict(request.headers)))
        await self.going.wait()
        refusal = self._refusal(request, body)
        if refusal:
            return _failed(refusal)
        scripted = self.answers.pop(0) if self.answers else self.otherwise
        answer = scripted(body) if callable(scripted) else scripted
        match answer:
            case Fails():
                return _failed(answer)
            case Body():
                return web.json_response(answer.body)
            case Nonsense():
                return web.Response(body=answer.data, content_type="text/event-stream")
            case Sends():
                return await _stream(request, list(answer.pieces), says=None)
            case Says():
                return await _say(request, body, answer)

    def _refusal(self, request: web.Request, body: Json) -> Fails | None:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return Fails(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
        for rule in self.rules:
            if refusal := rule(request.path, body):
                return refusal
        if images_in(body) and not self.sees_images:
            return Fails(400, f"{body['model']} is not a multimodal model")
        is_chat = request.path.endswith("completions")
        broken = list(complaints_about_chat(body) if is_chat else complaints_about_responses(body))
        self.complaints += broken
        return Fails(400, "; ".join(broken)) if broken else None


def rejects(part: str, message: str | None = None, **facts: Any) -> Rule:
    """The endpoint does not know this part of a request."""

    def rule(path: str, body: Json) -> Fails | None:
        if part not in body:
            return None
        return Fails(400, message or f"Unrecognized request argument supplied: {part}", **facts)

    return rule


def _failed(fails: Fails) -> web.Response:
    error = {"message": fails.message, "type": fails.code, "param": fails.param, "code": fails.code}
    return web.json_response({"error": error}, status=fails.status, headers=fails.headers)


async def _say(request: web.Request, body: Json, says: Says) -> web.StreamResponse:
    if request.path.endswith("completions"):
        if not body.get("stream"):
            return web.json_response(chat_completion(says, body["model"]))
        return await _stream(request, list(chat_chunks(says, body["model"])), says)
    custom = any(tool["type"] == "custom" for tool in body.get("tools", ()))
    return await _stream(request, list(response_events(says, body["model"], custom=custom)), says)


async def _stream(request: web.Request, pieces: list[Json], says: Says | None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for piece in pieces:
        event = f"event: {piece['type']}\n" if "type" in piece else ""
        await response.write(f"{event}data: {json.dumps(piece)}\n\n".encode())
    breaks = says.breaks if says else None
    if breaks == "abort" and request.transport:
        request.transport.abort()
    elif breaks == "silence":
        await asyncio.Event().wait()
    elif not breaks and request.path.endswith("completions"):
        await response.write(b"data: [DONE]\n\n")
    return response
