"""The fake itself: serves the Web API, files and sockets, does what people do in Slack, and keeps what it was asked."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.slack.methods import Methods
from tests.fakes.slack.rules import Json, Refusal, strings_in, types_in
from tests.fakes.slack.state import BOT_ID, BOT_USER, TEAM, Channel, Clock, File, Workspace
from tests.fakes.slack.transport import Acknowledged, Sender, Sockets

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-not-for-anyone", "xapp-not-for-anyone", "not-for-anyone"
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body></body></html>"
RESPONSES = 5
"""To one command or click."""
QUERY_CHARACTERS = 8000
"""Longer addresses are refused, as by most servers in front of an API."""


@dataclass(frozen=True)
class Call:
    method: str
    args: Json
    at: float
    """On the fake's clock."""
    refused: str | None = None


@dataclass
class FakeSlack:
    clock: Clock = field(default_factory=Clock)
    workspace: Workspace = field(init=False)
    methods: Methods = field(init=False)
    sockets: Sockets = field(default_factory=Sockets)
    sender: Sender | None = None
    """Where events go instead of a socket."""

    scopes: set[str] | None = None
    """Those of the token; None for every one."""
    unknown: set[str] = field(default_factory=set[str])
    """Methods that this Slack does not have."""
    absent: set[str] = field(default_factory=set[str])
    """Methods that end in a 404 page instead of an answer."""
    refuses: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Errors to come, by method."""
    limits: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Seconds of `Retry-After` to come, by method; `*` for any."""
    swallows: dict[str, int] = field(default_factory=dict[str, int])
    """How many answers get lost, by method, although the call was carried out."""
    rules: list[Callable[[str, Json], str | None]] = field(
        default_factory=list[Callable[[str, Json], str | None]]
    )
    """Why this Slack refuses a call, by method and arguments."""
    is_down: bool = False
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Not set, no call to the API is answered."""
    down_until: float | None = None
    """On the fake's clock, when it is back."""

    url: str = ""
    calls: list[Call] = field(default_factory=list[Call])
    uploads: list[Json] = field(default_factory=list[Json])
    """Headers of what was sent to upload addresses."""
    downloads: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    """Path and `Authorization` of each download."""
    responses: list[Json] = field(default_factory=list[Json])
    """What was posted to response URLs."""
    complaints: list[str] = field(default_factory=list[str])
    """Rules of ours that no call may break, and that one did."""
    _uses: dict[str, int] = field(default_factory=dict[str, int])
    """Of each response URL."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.going.set()
        self.workspace = Workspace(self.clock)
        self.methods = Methods(self.workspace)
        self.workspace.add_user("U1", "Anna", locale="en-US")
        self.workspace.add_user("U2", "Bertram", locale="de-AT")
        self.workspace.add_user("UBOSS", "Chief", is_admin=True)
        self.workspace.add_user(BOT_USER, "plotline", is_bot=True)
        self.workspace.channels["C1"] = Channel("C1", "general", {"U1", "U2", "UBOSS", BOT_USER})
        self.workspace.channels["C2"] = Channel("C2", "elsewhere", {"U1"})
        self.workspace.channels["D1"] = Channel("D1", "", {"U1", BOT_USER})

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def called(self, *methods: str) -> list[Json]:
        """Arguments of the calls that were carried out, in order."""
        return [call.args for call in self.calls if call.method in methods and call.refused is None]

    def channel(self, channel: str = "C1") -> Channel:
        return self.workspace.channels[channel]

    def posts(self, channel: str = "C1") -> list[Json]:
        """Messages of the bot that are there now."""
        return [each for each in self.channel(channel).messages if each.get("bot_id") == BOT_ID]

    # What people do

    async def says(
        self,
        text: str,
        *,
        user: str = "U1",
        channel: str = "C1",
        thread_ts: str | None = None,
        files: Sequence[File] = (),
        **facts: Any,
    ) -> Json:
        """Somebody writes. The app hears of it as Slack does it: of a mention by two events."""
        message = self.writes(text, user=user, channel=channel, thread_ts=thread_ts, files=files, **facts)
        for event in self.events_of(message, channel):
            await self.deliver(event)
        return message

    def writes(
        self,
        text: str,
        *,
        user: str = "U1",
        channel: str = "C1",
        thread_ts: str | None = None,
        files: Sequence[File] = (),
        **facts: Any,
    ) -> Json:
        """Somebody writes, and the app does not hear of it."""
        place = self.channel(channel)
        message: Json = {"user": user, "text": text, "team": TEAM, "client_msg_id": f"m{next(self._numbers)}"}
        if thread_ts:
            root = place.thread(thread_ts)
            message |= {"thread_ts": thread_ts, "parent_user_id": root[0].get("user") if root else None}
        if files:
            message["subtype"] = "file_share"
        added = self.workspace.add_message(place, {**message, **facts})
        for file in files:
            file.shares.setdefault(channel, []).append(added["ts"])
        if files:
            added["files"] = [self.workspace.file_object(file, self.url, in_event=True) for file in files]
        return added

    def events_of(self, message: Json, channel: str = "C1") -> list[Json]:
        kind = self.channel(channel).kind
        event = {**message, "channel": channel, "channel_type": kind, "event_ts": message["ts"]}
        event.pop("reply_count", None)
        if f"<@{BOT_USER}>" not in message["text"] or kind == "im":
            return [event]
        mention = {name: value for name, value in event.items() if name not in {"subtype", "channel_type"}}
        return [event, {**mention, "type": "app_mention"}]

    async def edits(
        self, message: Json, text: str, *, channel: str = "C1", user: str = "U1", heard: bool = True
    ) -> None:
        before = dict(message)
        message |= {"text": text, "edited": {"user": user, "ts": self.workspace.new_ts()}}
        if heard:
            await self._changed(channel, message, before)

    async def unfurls(self, message: Json, *, channel: str = "C1", heard: bool = True) -> None:
        """Slack itself adds a preview of a link."""
        before = dict(message)
        message["attachments"] = [{"from_url": "https://example.com", "id": 1}]
        if heard:
            await self._changed(channel, message, before)

    async def loses_file(self, message: Json, file: File, *, channel: str = "C1", heard: bool = True) -> None:
        """Somebody deletes a file: its message changes."""
        before = json.loads(json.dumps(message))
        file.mode = "tombstone"
        message["files"] = [
            {"id": each["id"], "mode": "tombstone"} if each["id"] == file.id else each
            for each in message["files"]
        ]
        if heard:
            await self._changed(channel, message, before)

    async def deletes(self, message: Json, *, channel: str = "C1", heard: bool = True) -> None:
        """Of a message with replies, Slack keeps a mark."""
        place = self.channel(channel)
        if message.get("reply_count"):
            before = dict(message)
            kept = {name: message[name] for name in ("type", "ts", "thread_ts", "reply_count")}
            message.clear()
            message |= {**kept, "subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
            message["text"] = "This message was deleted."
            if heard:
                await self._changed(channel, message, before)
            return
        place.messages.remove(message)
        if not heard:
            return
        await self.deliver(
            {
                "type": "message",
                "subtype": "message_deleted",
                "channel": channel,
                "channel_type": place.kind,
                "hidden": True,
                "deleted_ts": message["ts"],
                "previous_message": message,
                "ts": self.workspace.new_ts(),
            }
        )

    async def _changed(self, channel: str, message: Json, before: Json) -> None:
        await self.deliver(
            {
                "type": "message",
                "subtype": "message_changed",
                "channel": channel,
                "channel_type": self.channel(channel).kind,
                "hidden": True,
                "message": dict(message),
                "previous_message": before,
                "ts": self.workspace.new_ts(),
            }
        )

    def add_file(
        self, name: str, content: bytes, *, user: str = "U1", media_type: str = "text/csv", **facts: Any
    ) -> File:
        file = File(f"F{self.workspace.next()}", name, content, media_type, user, **facts)
        self.workspace.files[file.id] = file
        return file

    async def stops(self, channel: str, thread_ts: str, *, user: str = "U1") -> None:
        """The Stop button that Slack shows beside a session."""
        streaming = [
            message["ts"]
            for message in self.channel(channel).thread(thread_ts)
            if message["ts"] in self.workspace.streams and self.workspace.streams[message["ts"]].is_open
        ]
        for ts in streaming:
            self.workspace.streams[ts].stopped_by_user = True
            self.workspace.streams[ts].is_open = False
        await self.deliver(
            {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": thread_ts,
                "user": user,
                "streaming_message_ts": streaming,
                "event_ts": self.workspace.new_ts(),
            }
        )

    async def clicks(
        self,
        message: Json,
        action_id: str,
        *,
        user: str = "U1",
        channel: str = "C1",
        value: str | None = None,
    ) -> Acknowledged:
        """A button under one of the app's messages, found by its action."""
        element = next(
            element
            for block in message["blocks"]
            for element in block.get("elements", [])
            if element.get("action_id") == action_id
        )
        action = {
            "type": element["type"],
            "action_id": action_id,
            "value": value if value is not None else element.get("value"),
        }
        return await self.interacts(
            {
                "type": "block_actions",
                "trigger_id": self._trigger(),
                "response_url": f"{self.url}/response/{next(self._numbers)}",
                "channel": {"id": channel, "name": self.channel(channel).name},
                "container": {
                    "type": "message",
                    "message_ts": message["ts"],
                    "channel_id": channel,
                    "thread_ts": message.get("thread_ts"),
                    "is_ephemeral": False,
                },
                "message": message,
                "actions": [action],
            },
            user=user,
        )

    async def clicks_home(self, action_id: str, *, user: str = "U1") -> Acknowledged:
        return await self.interacts(
            {
                "type": "block_actions",
                "trigger_id": self._trigger(),
                "container": {"type": "view", "view_id": "VHOME"},
                "view": {"id": "VHOME", "type": "home"},
                "actions": [{"type": "button", "action_id": action_id, "value": "x"}],
            },
            user=user,
        )

    async def commands(self, text: str, *, user: str = "U1", channel: str = "C1") -> Acknowledged:
        payload = {
            "command": "/plotline",
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "trigger_id": self._trigger(),
            "response_url": f"{self.url}/response/{next(self._numbers)}",
            "api_app_id": "A1",
        }
        return await self._send("slash_commands", payload)

    async def uses_shortcut(self, callback_id: str, *, user: str = "U1") -> Acknowledged:
        shortcut = {"type": "shortcut", "callback_id": callback_id, "trigger_id": self._trigger()}
        return await self.interacts(shortcut, user=user)

    async def uses_message_shortcut(
        self, callback_id: str, message: Json, *, user: str = "U1", channel: str = "C1"
    ) -> Acknowledged:
        return await self.interacts(
            {
                "type": "message_action",
                "callback_id": callback_id,
                "trigger_id": self._trigger(),
                "message_ts": message["ts"],
                "message": message,
                "channel": {"id": channel, "name": self.channel(channel).name},
                "response_url": f"{self.url}/response/{next(self._numbers)}",
            },
            user=user,
        )

    async def submits(self, view: Json, values: Json, *, user: str = "U1") -> Acknowledged:
        state = {"values": values}
        return await self.interacts({"type": "view_submission", "view": {**view, "state": state}}, user=user)

    async def interacts(self, payload: Json, *, user: str) -> Acknowledged:
        who = {"team": {"id": TEAM}, "user": {"id": user, "team_id": TEAM}, "api_app_id": "A1"}
        return await self._send("interactive", {**payload, **who})

    async def deliver(
        self, event: Json, *, event_id: str | None = None, retry: int | None = None, **facts: Any
    ) -> Acknowledged:
        payload = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": "A1",
            "event_id": event_id or f"Ev{next(self._numbers)}",
            "event_time": int(self.clock()),
            "authorizations": [
                {"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}
            ],
            "is_ext_shared_channel": False,
            "event": event,
            **facts,
        }
        return await self._send("events_api", payload, retry)

    async def _send(self, kind: str, payload: Json, retry: int | None = None) -> Acknowledged:
        line = self.sender or self.sockets
        return await line.send(kind, payload, retry)

    def _trigger(self) -> str:
        trigger = f"trigger-{next(self._numbers)}"
        self.methods.triggers[trigger] = self.clock()
        return trigger

    # What the app asks

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeSlack"]:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files-pri/{file}/{name}", self._download)
        app.router.add_post("/response/{number}", self._response)
        app.router.add_get("/link", self.sockets.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self.methods.url = self.url
            yield self
        finally:
            await runner.cleanup()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if self.down_until is not None and self.clock() >= self.down_until:
            self.is_down = False
        if self.is_down:
            return web.Response(status=503, text="Service Unavailable")
        await self.going.wait()
        if method in self.absent:
            return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")
        args = await _arguments(request)
        waits = self.limits.get(method) or self.limits.get("*")
        if waits:
            self.calls.append(Call(method, args, self.clock(), "ratelimited"))
            headers = {"Retry-After": str(waits.pop(0))}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        answer = self._answer(request, method, args)
        if answer["ok"]:
            self._check(method, args)
            if self.swallows.get(method, 0) > 0:
                self.swallows[method] -= 1
                assert request.transport
                request.transport.abort()
        scopes = "every:one" if self.scopes is None else ",".join(sorted(self.scopes))
        return web.json_response(answer, headers={"x-oauth-scopes": scopes})

    def _answer(self, request: web.Request, method: str, args: Json) -> Json:
        try:
            self._authorize(request, method, args)
            if method == "apps.connections.open":
                result: Json = {"url": f"{self.url.replace('http', 'ws', 1)}/link"}
            else:
                result = self.methods.call(method, args)
        except Refusal as refusal:
            self.calls.append(Call(method, args, self.clock(), refusal.code))
            answer: Json = {"ok": False, "error": refusal.code}
            if refusal.code == "missing_scope":
                answer |= {"needed": refusal.message, "provided": ",".join(sorted(self.scopes or ()))}
            elif refusal.message:
                answer["response_metadata"] = {"messages": [f"[ERROR] {refusal.message}"]}
            return answer
        self.calls.append(Call(method, args, self.clock()))
        return {"ok": True, **result}

    def _authorize(self, request: web.Request, method: str, args: Json) -> None:
        token = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {token}":
            raise Refusal("invalid_auth")
        if method in self.unknown:
            raise Refusal("unknown_method")
        if self.refuses.get(method):
            raise Refusal(self.refuses[method].pop(0))
        for rule in self.rules:
            if code := rule(method, args):
                raise Refusal(code)
        needed = self.methods.scope_for(method, args)
        if needed and self.scopes is not None and needed not in self.scopes:
            raise Refusal("missing_scope", needed)

    def _check(self, method: str, args: Json) -> None:
        """Our own rules for everything that is shown to people."""
        if "token" in args:
            self.complaints.append(f"{method}: the token is in the arguments")
        if method in {"chat.postMessage", "chat.update", "chat.postEphemeral"}:
            if args.get("blocks") and not args.get("text"):
                self.complaints.append(f"{method}: blocks without text")
            if method != "chat.update" and not (
                args.get("unfurl_links") is False and args.get("unfurl_media") is False
            ):
                self.complaints.append(f"{method}: may unfurl")
        if method.startswith(("chat.", "files.", "views.")):
            said = "\n".join(strings_in(args))
            if re.search(r"<!(channel|here|everyone|subteam)", said):
                self.complaints.append(f"{method}: calls everyone")
            if "image_url" in json.dumps(args):
                self.complaints.append(f"{method}: a remote image")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        file = self.workspace.files[request.match_info["file"]]
        self.uploads.append(dict(request.headers))
        if "Authorization" in request.headers:
            self.complaints.append("upload: the token was sent to an upload address")
        if self.refuses.get("upload"):
            return web.Response(status=int(self.refuses["upload"].pop(0)))
        file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.workspace.files.get(request.match_info["file"].removeprefix(f"{TEAM}-"))
        authorization = request.headers.get("Authorization")
        self.downloads.append((request.path, authorization))
        if file is None or file.mode == "tombstone":
            return web.Response(status=404)
        if file.redirects_to:
            raise web.HTTPFound(file.redirects_to)
        may_read = self.scopes is None or "files:read" in self.scopes
        if authorization != f"Bearer {BOT_TOKEN}" or not may_read:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        return web.Response(body=file.content, headers={"Content-Type": file.media_type})

    async def _response(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        self._uses[number] = self._uses.get(number, 0) + 1
        if self._uses[number] > RESPONSES:
            return web.Response(status=404, text="used_url")
        self.responses.append(await request.json())
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> Json:
    if len(request.query_string) > QUERY_CHARACTERS:
        raise web.HTTPRequestURITooLong
    if "json" in request.headers.get("Content-Type", ""):
        body = await request.json()
    else:
        body = dict(await request.post())
    return {**request.query, **body}


def block_types(message: Json) -> set[str]:
    """Of a message, those inside of containers too."""
    return types_in(message.get("blocks") or [])
