"""A chat platform on loopback, in the two kinds that there are: one knows the key of a post again, one only lets its
earlier posts be looked up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Kind = Literal["key", "lookup"]
Json = dict[str, Any]


@dataclass
class Loopback:
    kind: Kind
    url: str = ""
    posts: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    """All that ever stood in a thread, in order; `deleted` tells what does not any more."""
    calls: dict[str, int] = field(default_factory=dict[str, int])
    """How often each post was asked for, by its key."""
    is_down: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Loopback"]:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_get("/threads/{thread}", self._list)
        app.router.add_post("/threads/{thread}", self._post)
        app.router.add_delete("/threads/{thread}/{number}", self._delete)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def seen(self, thread: str) -> list[Json]:
        """What people read there now."""
        return [each for each in self.posts.get(thread, []) if not each["deleted"]]

    async def until(self, thread: str, posts: int, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while len(self.posts.get(thread, [])) < posts:
                self.news.clear()
                await self.news.wait()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.is_down:
            return web.json_response({"error": "down"}, status=503)
        posts = self.posts.setdefault(request.match_info["thread"], [])
        self.calls[body["key"]] = self.calls.get(body["key"], 0) + 1
        if self.kind == "key":
            for each in posts:
                if each["key"] == body["key"]:
                    return web.json_response(each)
        posts.append({**body, "number": len(posts), "deleted": False})
        self.news.set()
        return web.json_response(posts[-1])

    async def _list(self, request: web.Request) -> web.Response:
        if self.is_down:
            return web.json_response({"error": "down"}, status=503)
        return web.json_response(self.seen(request.match_info["thread"]))

    async def _delete(self, request: web.Request) -> web.Response:
        self.posts[request.match_info["thread"]][int(request.match_info["number"])]["deleted"] = True
        return web.json_response({})
