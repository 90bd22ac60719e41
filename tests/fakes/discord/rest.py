"""Discord's REST API as far as the bot uses it, and its file server."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from tests.fakes.discord import openapi, rules
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import (
    DEFER,
    DEFER_UPDATE,
    REPLY,
    SHOW_MODAL,
    UPDATE,
    USER_INSTALL_FOLLOWUPS,
    Interaction,
)
from tests.fakes.discord.rules import EPHEMERAL, LOADING, Payload, SentFile
from tests.fakes.discord.world import DM, FORUM, MIB, PRIVATE_THREAD, World

API = "/api/v10"
NONCE_SECONDS = 180
"""How long the same nonce finds the message that it made: "a few minutes"."""
UPLOAD_LIMITS = {0: 10 * MIB, 1: 10 * MIB, 2: 50 * MIB, 3: 100 * MIB}

Handler = Callable[[web.Request, "Body"], Awaitable[Any]]


@dataclass(slots=True)
class Body:
    json: Any = None
    files: dict[str, SentFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it came."""

    method: str
    path: str
    json: Any
    files: dict[str, SentFile]
    at: datetime
    """By the fake clock."""


@dataclass(slots=True)
class Failure:
    pattern: str
    status: int
    body: Payload
    times: int
    headers: dict[str, str]


@dataclass(slots=True)
class Bucket:
    resets: float
    used: int = 0


class Rest:
    def __init__(self, world: World, gateway: Gateway, bot: Payload, token: str) -> None:
        self.calls: list[Call] = []
        self.violations: list[tuple[str, list[str]]] = []
        """Requests that Discord's description or good manners forbid."""
        self.commands: dict[str | None, list[Payload]] = {}
        """By guild, None for the global ones."""
        self.interactions: dict[str, Interaction] = {}
        """By token."""
        self.upload_limit: int | None = None
        """Bytes of a file; None for what the guild's tier allows."""
        self.rate_limits: dict[str, tuple[int, float]] = {}
        """`POST /channels/{c}/messages` → so many requests in so many real seconds."""
        self.limited: list[str] = []
        """Requests that were answered with 429."""
        self.active_thread_limit = 1000
        self.left_guilds: list[str] = []
        self.application: Payload = {"bot_public": False, "flags": 0}
        self.rules: list[Callable[[Call], bool]] = []
        """Requests in a form that this Discord does not take."""
        self.swallows: dict[str, int] = {}
        """How many answers get lost, by a pattern as in `fail`, although the request was carried out."""
        self._failures: list[Failure] = []
        self._buckets: dict[str, Bucket] = {}
        self._nonces: dict[tuple[str, str], str] = {}
        self._world = world
        self._gateway = gateway
        self._bot = bot
        self._token = token

    @property
    def is_to_fail(self) -> bool:
        """Whether some request will be that has not been made yet."""
        return bool(self._failures)

    def fail(self, pattern: str, status: int = 500, *, code: int = 0, times: int = 1, **headers: str) -> None:
        """The next requests whose `METHOD /path` the pattern is found in are answered like this."""
        body = {"message": "made to fail", "code": code}
        self._failures.append(Failure(pattern, status, body, times, headers))

    def mend(self) -> None:
        """What was to fail does not any more."""
        self._failures.clear()

    def limit_once(self, pattern: str, seconds: float) -> None:
        """The next such request is answered with 429."""
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
        headers = {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Scope": "user"}
        self._failures.append(Failure(pattern, 429, body, 1, headers))

    def app(self) -> web.Application:
        app = web.Application(client_max_size=200 * MIB)
        app.router.add_get("/cdn/{folder}/{channel}/{id}/{name}", self._file)
        for method, path, operation, handler in self._routes():
            app.router.add_route(method, API + path, self._handled(method, path, operation, handler))
        app.router.add_route("*", API + "/{rest:.*}", self._unknown)
        return app

    def _routes(self) -> list[tuple[str, str, str | None, Handler]]:
        message, webhook = "/channels/{c}/messages/{m}", "/webhooks/{app}/{token}"
        return [
            ("GET", "/users/@me", None, self._me),
            ("GET", "/oauth2/applications/@me", None, self._application),
            ("GET", "/applications/@me", None, self._application),
            ("GET", "/gateway/bot", None, self._gateway_bot),
            ("PUT", "/applications/{app}/commands", "bulk_set_application_commands", self._set_commands),
            ("GET", "/applications/{app}/commands", None, self._get_commands),
            (
                "PUT",
                "/applications/{app}/guilds/{g}/commands",
                "bulk_set_guild_application_commands",
                self._set_commands,
            ),
            ("GET", "/guilds/{g}", None, self._guild),
            ("GET", "/guilds/{g}/channels", None, self._guild_channels),
            ("GET", "/guilds/{g}/members/{u}", None, self._guild_member),
            ("GET", "/guilds/{g}/roles", None, self._guild_roles),
            ("DELETE", "/users/@me/guilds/{g}", None, self._leave),
            ("POST", "/users/@me/channels", "create_dm", self._open_dm),
            ("GET", "/channels/{c}", None, self._get_channel),
            ("PATCH", "/channels/{c}", "update_channel", self._edit_channel),
            ("POST", "/channels/{c}/typing", None, self._type),
            ("POST", "/channels/{c}/messages", "create_message", self._send),
            ("GET", "/channels/{c}/messages", None, self._history),
            ("GET", message, None, self._get_message),
            ("PATCH", message, "update_message", self._edit),
            ("DELETE", message, None, self._delete),
            ("PUT", message + "/reactions/{emoji}/@me", None, self._react),
            ("POST", message + "/threads", "create_thread_from_message", self._thread_on_message),
            ("POST", "/channels/{c}/threads", "create_thread", self._thread),
            ("POST", "/interactions/{id}/{token}/callback", "create_interaction_response", self._respond),
            ("POST", webhook, "execute_webhook", self._follow_up),
            ("GET", webhook + "/messages/{m}", None, self._get_response),
            ("PATCH", webhook + "/messages/{m}", "update_webhook_message", self._edit_response),
            ("DELETE", webhook + "/messages/{m}", None, self._delete_response),
        ]

    # ---- every request

    def _handled(
        self, method: str, path: str, operation: str | None, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body, request_bytes = await _read(request)
            at = self._world.clock.now()
            call = Call(method, request.path.removeprefix(API), body.json, body.files, at)
            self.calls.append(call)
            failure = self._next_failure(f"{method} {request.path}")
            if failure:
                return _json(failure.body, failure.status, failure.headers)
            major = request.match_info.get("c") or request.match_info.get("token") or ""
            headers, allowed = self._rate(f"{method} {path}", major)
            if not allowed:
                self.limited.append(f"{method} {request.path}")
                limited = {"message": "You are being rate limited.", "global": False}
                limited["retry_after"] = float(headers["X-RateLimit-Reset-After"])
                return _json(limited, 429, headers | {"Via": "1.1 google"})
            signed = request.headers.get("Authorization") == f"Bot {self._token}"
            if not (signed or path.startswith(("/webhooks", "/interactions"))):
                return _json({"message": "401: Unauthorized", "code": 0}, 401)
            try:
                self._validate(operation, method, request.path, body)
                rules.check_files(body.files, request_bytes, self._file_limit(request))
                self._check_rules(call)
                answer = await handler(request, body)
            except ApiError as error:
                return _json(error.body, error.status, headers)
            if self._is_swallowed(f"{method} {request.path}"):
                answer = _json({"message": "Service Unavailable", "code": 0}, 503)
            return _answered(answer, headers)

        return handle

    async def _unknown(self, request: web.Request) -> web.Response:
        self.violations.append((f"{request.method} {request.path}", ["unknown route"]))
        return _json({"message": "404: Not Found", "code": 0}, 404)

    def _validate(self, operation: str | None, method: str, path: str, body: Body) -> None:
        if operation is None:
            return
        content_type = "multipart/form-data" if body.files else "application/json"
        found = openapi.problems(operation, body.json, content_type)
        mentions = (body.json or {}).get("allowed_mentions") if isinstance(body.json, dict) else None
        makes_message = operation in {"create_message", "execute_webhook"}
        if makes_message and (mentions is None or mentions.get("parse") or mentions.get("users")):
            found.append("mentions are not switched off")
        if makes_message and rules.would_unfurl(body.json):
            found.append("links are unfurled")
        if found:
            self.violations.append((f"{method} {path}", found))

    def _next_failure(self, what: str) -> Failure | None:
        for failure in self._failures:
            if re.search(failure.pattern, what):
                failure.times -= 1
                if failure.times <= 0:
                    self._failures.remove(failure)
                return failure
        return None

    def _check_rules(self, call: Call) -> None:
        if any(refuses(call) for refuses in self.rules):
            raise ApiError(50035)

    def _is_swallowed(self, what: str) -> bool:
        for pattern, left in self.swallows.items():
            if left and re.search(pattern, what):
                self.swallows[pattern] -= 1
                return True
        return False

    def _rate(self, route: str, major: str) -> tuple[dict[str, str], bool]:
        limit, seconds = self.rate_limits.get(route, (1000, 1.0))
        key, now = f"{route}:{major}", time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None or bucket.resets <= now:
            bucket = self._buckets[key] = Bucket(now + seconds)
        bucket.used += 1
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - bucket.used)),
            "X-RateLimit-Reset": f"{time.time() + bucket.resets - now:.3f}",
            "X-RateLimit-Reset-After": f"{bucket.resets - now:.3f}",
            "X-RateLimit-Bucket": re.sub(r"\W", "", route),
        }
        return headers, bucket.used <= limit

    def _file_limit(self, request: web.Request) -> int:
        if self.upload_limit is not None:
            return self.upload_limit
        interaction = self.interactions.get(request.match_info.get("token", ""))
        channel_id = interaction.channel_id if interaction else request.match_info.get("c", "")
        guild_id = self._world.channels.get(channel_id, {}).get("guild_id")
        return UPLOAD_LIMITS[self._world.guilds[guild_id]["premium_tier"] if guild_id else 0]

    # ---- itself

    async def _me(self, request: web.Request, body: Body) -> Payload:
        return self._bot | {"verified": True, "mfa_enabled": False, "email": None, "locale": "en-US"}

    async def _application(self, request: web.Request, body: Body) -> Payload:
        return {
            "id": self._bot["id"],
            "name": self._bot["global_name"],
            "description": "",
            "icon": None,
            "bot_require_code_grant": False,
            "owner": next(iter(self._world.users.values())),
            "verify_key": "0" * 64,
            "team": None,
            "summary": "",
        } | self.application

    async def _gateway_bot(self, request: web.Request, body: Body) -> Payload:
        starts = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._gateway.url, "shards": 1, "session_start_limit": starts}

    async def _set_commands(self, request: web.Request, body: Body) -> list[Payload]:
        guild_id = request.match_info.get("g")
        self.commands[guild_id] = [
            {"description": "", "options": [], "type": 1, "nsfw": False, "default_member_permissions": None}
            | command
            | {"id": self._world.snowflake(), "application_id": self._bot["id"], "version": "1"}
            | ({"guild_id": guild_id} if guild_id else {})
            for command in body.json
        ]
        return self.commands[guild_id]

    async def _get_commands(self, request: web.Request, body: Body) -> list[Payload]:
        return self.commands.get(None, [])

    # ---- guilds

    def _guild_of(self, request: web.Request) -> Payload:
        guild = self._world.guilds.get(request.match_info["g"])
        if guild is None:
            raise ApiError(10004)
        return guild

    async def _guild(self, request: web.Request, body: Body) -> Payload:
        return self._guild_of(request)

    async def _guild_channels(self, request: web.Request, body: Body) -> list[Payload]:
        id_ = self._guild_of(request)["id"]
        here = [each for each in self._world.channels.values() if each.get("guild_id") == id_]
        return [each for each in here if "thread_metadata" not in each]

    async def _guild_roles(self, request: web.Request, body: Body) -> list[Payload]:
        return list(self._guild_of(request)["roles"])

    async def _guild_member(self, request: web.Request, body: Body) -> Payload:
        user = self._world.users[request.match_info["u"]]
        return self._world.member(self._guild_of(request)["id"], user)

    async def _leave(self, request: web.Request, body: Body) -> None:
        guild = self._guild_of(request)
        self.left_guilds.append(guild["id"])
        del self._world.guilds[guild["id"]]
        await self._gateway.emit("GUILD_DELETE", {"id": guild["id"]})

    # ---- channels

    def _channel(self, request: web.Request) -> Payload:
        channel = self._world.channels.get(request.match_info["c"])
        if channel is None:
            raise ApiError(10003)
        self._require(channel, view_channel=True, code=50001)
        return channel

    def _require(self, channel: Payload, *, code: int = 50013, **needed: bool) -> None:
        may = self._world.permissions(channel, self._bot["id"])
        if not all(getattr(may, name) for name in needed):
            raise ApiError(code)

    async def _open_dm(self, request: web.Request, body: Body) -> Payload:
        return self._world.dm(self._world.users[str(body.json["recipient_id"])])

    async def _get_channel(self, request: web.Request, body: Body) -> Payload:
        return self._channel(request)

    async def _edit_channel(self, request: web.Request, body: Body) -> Payload:
        channel = self._channel(request)
        meta = channel["thread_metadata"]
        if meta["locked"]:
            self._require(channel, manage_threads=True)
        meta |= {name: body.json[name] for name in ("archived", "locked") if name in body.json}
        await self._gateway.emit("THREAD_UPDATE", channel)
        return channel

    async def _type(self, request: web.Request, body: Body) -> None:
        self._check_may_send(self._channel(request))

    def _check_may_send(self, channel: Payload, files: dict[str, SentFile] | None = None) -> None:
        if channel["type"] == DM:
            if channel["recipients"][0]["id"] in self._world.closed_dms:
                raise ApiError(50007)
            return
        meta = channel.get("thread_metadata")
        if meta:
            self._require(channel, send_messages_in_threads=True)
            if meta["locked"] and not self._world.permissions(channel, self._bot["id"]).manage_threads:
                raise ApiError(160005)
        else:
            self._require(channel, send_messages=True)
        if files:
            self._require(channel, attach_files=True)

    async def _send(self, request: web.Request, body: Body) -> Payload:
        channel, data = self._channel(request), body.json
        self._check_may_send(channel, body.files)
        rules.check_new(data, body.files)
        nonce = str(data.get("nonce") or "")
        if data.get("enforce_nonce") and (earlier := self._by_nonce(channel["id"], nonce)):
            return earlier
        facts: Payload = {}
        if reference := data.get("message_reference"):
            self._require(channel, read_message_history=True)
            facts["message_reference"] = {key: str(value) for key, value in reference.items()}
            facts["referenced_message"] = self._world.messages.get(str(reference["message_id"]))
            facts["type"] = 19
        meta = channel.get("thread_metadata")
        if meta and meta["archived"]:
            meta["archived"] = False
            await self._gateway.emit("THREAD_UPDATE", channel)
        message = self._make(channel["id"], data, body.files, **facts)
        if nonce:
            self._nonces[channel["id"], nonce] = message["id"]
        await self._show(message)
        return message

    def _by_nonce(self, channel_id: str, nonce: str) -> Payload | None:
        message = self._world.messages.get(self._nonces.get((channel_id, nonce), ""))
        if message is None:
            return None
        age = self._world.clock.now() - datetime.fromisoformat(message["timestamp"])
        return message if age.total_seconds() < NONCE_SECONDS else None

    async def _history(self, request: web.Request, body: Body) -> list[Payload]:
        channel, query = self._channel(request), request.query
        if not self._world.permissions(channel, self._bot["id"]).read_message_history:
            return []
        found = [each for each in self._world.messages.values() if each["channel_id"] == channel["id"]]
        found = [each for each in found if not each["flags"] & EPHEMERAL]
        found.sort(key=lambda each: int(each["id"]), reverse=True)
        limit = int(query.get("limit", 50))
        if before := query.get("before"):
            found = [each for each in found if int(each["id"]) < int(before)]
        if after := query.get("after"):
            found = [each for each in found if int(each["id"]) > int(after)][-limit:]
        return [self._as_fetched(each) for each in found[:limit]]

    def _as_fetched(self, message: Payload) -> Payload:
        intents = [session.intents for session in self._gateway.sessions.values()]
        has_content = any(each & 1 << 15 for each in intents)
        fetched = message if has_content else self._gateway.without_content(message)
        channel_id = message["channel_id"]
        signed = [a | self._world.urls(channel_id, a["id"]) for a in fetched["attachments"]]
        return fetched | {"attachments": signed}

    # ---- messages

    def _message(self, request: web.Request) -> Payload:
        channel = self._channel(request)
        message = self._world.messages.get(request.match_info["m"])
        if message is None or message["channel_id"] != channel["id"] or message["flags"] & EPHEMERAL:
            raise ApiError(10008)
        return message

    async def _get_message(self, request: web.Request, body: Body) -> Payload:
        self._require(self._channel(request), read_message_history=True)
        return self._as_fetched(self._message(request))

    async def _edit(self, request: web.Request, body: Body) -> Payload:
        message, channel = self._message(request), self._channel(request)
        if message["author"]["id"] != self._bot["id"]:
            raise ApiError(50005)
        if channel.get("thread_metadata", {}).get("archived"):
            raise ApiError(50083)
        await self._change(message, body)
        return message

    async def _delete(self, request: web.Request, body: Body) -> None:
        message = self._message(request)
        if message["author"]["id"] != self._bot["id"]:
            self._require(self._channel(request), manage_messages=True)
        await self._remove(message)

    async def _react(self, request: web.Request, body: Body) -> None:
        if self._channel(request).get("thread_metadata", {}).get("archived"):
            raise ApiError(50083)

    async def _thread_on_message(self, request: web.Request, body: Body) -> Payload:
        message, channel = self._message(request), self._channel(request)
        self._require(channel, create_public_threads=True)
        if message["id"] in self._world.channels:
            raise ApiError(160004)
        return await self._new_thread(channel, body.json, message["id"])

    async def _thread(self, request: web.Request, body: Body) -> Payload:
        channel = self._channel(request)
        private = body.json.get("type") == PRIVATE_THREAD
        needed = {"create_private_threads": True} if private else {"create_public_threads": True}
        self._require(channel, **needed)
        if channel["type"] == FORUM:
            raise ApiError(50035, message="a post needs a first message")
        return await self._new_thread(channel, body.json)

    async def _new_thread(self, channel: Payload, data: Payload, id_: str | None = None) -> Payload:
        if not 1 <= len(data["name"]) <= 100:
            raise ApiError(50035, name="Must be between 1 and 100 in length.")
        active = [each for each in self._world.channels.values() if "thread_metadata" in each]
        if len(active) >= self.active_thread_limit:
            raise ApiError(160006)
        facts = {"type": data["type"]} if data.get("type") else {}
        thread = self._world.thread(channel, data["name"], self._bot["id"], id_, **facts)
        thread["member"] = {"id": thread["id"], "user_id": self._bot["id"], "flags": 0}
        thread["member"]["join_timestamp"] = self._world.now()
        await self._gateway.emit("THREAD_CREATE", thread | {"newly_created": True})
        return thread

    def _make(self, channel_id: str, data: Payload, files: dict[str, SentFile], **facts: Any) -> Payload:
        embeds, components = data.get("embeds") or [], data.get("components") or []
        message = self._world.message(
            channel_id,
            self._bot,
            data.get("content") or "",
            embeds=embeds,
            components=components,
            **{"flags": data.get("flags") or 0} | facts,
        )
        message["mentions"] = []  # nobody was meant to be pinged
        message["attachments"] = self._attachments(message, data, files)
        self._look_for_invisible_files(message)
        return message

    def _look_for_invisible_files(self, message: Payload) -> None:
        if hidden := rules.invisible(message):
            self.violations.append((message["id"], [f"nobody sees {name}" for name in sorted(hidden)]))

    def _attachments(self, message: Payload, data: Payload, files: dict[str, SentFile]) -> list[Payload]:
        made: list[Payload] = []
        kept = {each["id"]: each for each in message["attachments"]}
        for listed in data.get("attachments") or []:
            sent = files.get(f"files[{listed['id']}]")
            if sent:
                name = rules.stored_name(listed.get("filename") or sent.name)
                attachment = self._world.attachment(message["channel_id"], name, sent.content, None)
                described = listed.get("description")
                made.append(attachment | ({"description": described} if described else {}))
            elif str(listed["id"]) in kept:
                made.append(kept[str(listed["id"])])
        return made

    async def _change(self, message: Payload, body: Body) -> None:
        rules.check_edit(message, body.json, body.files)
        for name, empty in (("content", ""), ("embeds", []), ("components", [])):
            if name in body.json:
                message[name] = empty if body.json[name] is None else body.json[name]
        if body.json.get("flags") is not None:
            message["flags"] |= body.json["flags"] & ~EPHEMERAL
        if "attachments" in body.json or body.files:
            message["attachments"] = self._attachments(message, body.json, body.files)
        self._look_for_invisible_files(message)
        message["flags"] &= ~LOADING
        message["edited_timestamp"] = self._world.now()
        if not message["flags"] & EPHEMERAL:
            await self._gateway.emit("MESSAGE_UPDATE", self._in_event(message))

    async def _remove(self, message: Payload) -> None:
        del self._world.messages[message["id"]]
        gone = {"id": message["id"], "channel_id": message["channel_id"]}
        guild_id = self._world.channels[message["channel_id"]].get("guild_id")
        await self._gateway.emit("MESSAGE_DELETE", gone | ({"guild_id": guild_id} if guild_id else {}))

    async def _show(self, message: Payload) -> None:
        if not message["flags"] & EPHEMERAL:
            await self._gateway.emit("MESSAGE_CREATE", self._in_event(message))

    def _in_event(self, message: Payload) -> Payload:
        guild_id = self._world.channels[message["channel_id"]].get("guild_id")
        if not guild_id:
            return message
        author = self._world.users[message["author"]["id"]]
        return message | {
            "guild_id": guild_id,
            "member": self._world.member(guild_id, author, with_user=False),
        }

    # ---- interactions

    async def _respond(self, request: web.Request, body: Body) -> Any:
        interaction = self.interactions.get(request.match_info["token"])
        if interaction is None or interaction.id != request.match_info["id"]:
            raise ApiError(10062)
        kind, data = body.json["type"], body.json.get("data") or {}
        if kind == REPLY:
            rules.check_new(data, body.files)
        interaction.respond(kind, self._world.clock.now())
        made: Payload | None = None
        facts = {"application_id": self._bot["id"], "webhook_id": self._bot["id"], "type": 20}
        if kind == REPLY:
            made = self._make(interaction.channel_id, data, body.files, **facts)
        elif kind == DEFER:
            flags = (data.get("flags") or 0) & EPHEMERAL | LOADING
            made = self._world.message(interaction.channel_id, self._bot, flags=flags, **facts)
        elif kind in {DEFER_UPDATE, UPDATE}:
            made = interaction.message
            if made and kind == UPDATE:
                await self._change(made, Body(data, body.files))
        elif kind == SHOW_MODAL:
            interaction.modal = data
        interaction.original = made
        interaction.responded.set()
        if made and kind in {REPLY, DEFER}:
            await self._show(made)
        if request.query.get("with_response") not in {"1", "true"}:
            return None
        return _callback_answer(interaction, kind, made)

    def _by_token(self, request: web.Request) -> Interaction:
        interaction = self.interactions.get(request.match_info["token"])
        if interaction is None or request.match_info["app"] != self._bot["id"]:
            raise ApiError(10015)
        interaction.use_token(self._world.clock.now())
        return interaction

    async def _follow_up(self, request: web.Request, body: Body) -> Payload:
        interaction = self._by_token(request)
        flags = body.json.get("flags") or 0
        if interaction.is_waiting and interaction.original:
            # The first one fills what was deferred, and is ephemeral exactly if that was.
            await self._change(
                interaction.original, Body(body.json | {"flags": flags & ~EPHEMERAL}, body.files)
            )
            return interaction.original
        if interaction.user_install and len(interaction.followups) >= USER_INSTALL_FOLLOWUPS:
            raise ApiError(40094)
        rules.check_new(body.json, body.files)
        facts = {"application_id": self._bot["id"], "webhook_id": self._bot["id"]}
        message = self._make(interaction.channel_id, body.json, body.files, **facts)
        interaction.followups.append(message)
        await self._show(message)
        return message

    async def _get_response(self, request: web.Request, body: Body) -> Payload:
        return self._by_token(request).find(request.match_info["m"])

    async def _edit_response(self, request: web.Request, body: Body) -> Payload:
        message = self._by_token(request).find(request.match_info["m"])
        await self._change(message, body)
        return message

    async def _delete_response(self, request: web.Request, body: Body) -> None:
        interaction = self._by_token(request)
        message = interaction.find(request.match_info["m"])
        if message is interaction.original:
            interaction.original = None
        else:
            interaction.followups.remove(message)
        await self._remove(message)

    # ---- files

    async def _file(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            self.violations.append((request.path, ["a file server is shown the token"]))
        blob = self._world.blobs.get(request.match_info["id"])
        expires = int(request.query.get("ex", "0"), 16)
        if blob is None or expires < self._world.clock.now().timestamp():
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=blob.content, content_type=blob.media_type or "application/octet-stream")


def _callback_answer(interaction: Interaction, kind: int, made: Payload | None) -> Payload:
    answer: Payload = {"interaction": {"id": interaction.id, "type": interaction.kind}}
    if made:
        answer["interaction"] |= {
            "response_message_id": made["id"],
            "response_message_loading": kind == DEFER,
            "response_message_ephemeral": bool(made["flags"] & EPHEMERAL),
        }
        answer["resource"] = {"type": kind} | ({"message": made} if kind in {REPLY, UPDATE} else {})
    return answer


async def _read(request: web.Request) -> tuple[Body, int]:
    if request.content_type != "multipart/form-data":
        raw = await request.read()
        return Body(json.loads(raw) if raw else None), len(raw)
    body, size = Body(), 0
    async for part in await request.multipart():
        content = await part.read()  # type: ignore[union-attr]  # no multipart in a multipart
        size += len(content)
        if part.name == "payload_json":
            body.json = json.loads(content)
        else:
            body.files[str(part.name)] = SentFile(part.filename or "", bytes(content))  # type: ignore[union-attr]  # as above
    return body, size


def _answered(answer: Any, headers: dict[str, str]) -> web.Response:
    if isinstance(answer, web.Response):
        answer.headers.update(headers)
        return answer
    return web.Response(status=204, headers=headers) if answer is None else _json(answer, 200, headers)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Exactly this type, without a charset: discord.py compares it.
    return web.Response(
        body=json.dumps(value).encode(),
        status=status,
        headers={"Content-Type": "application/json"} | (headers or {}),
    )
