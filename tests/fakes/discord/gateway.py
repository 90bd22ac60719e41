"""The gateway: hello, identify, resume, heartbeats, and events as the intents allow."""

import json
import zlib
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.fakes.discord.rules import Payload
from tests.fakes.discord.world import DM, THREAD, World

GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11


@dataclass(slots=True)
class Session:
    """One identified client. It outlives its connection, so that it can be resumed."""

    id: str
    intents: int
    shard: list[int]
    sequence: int = 0
    sent: list[tuple[int, str, Payload]] = field(default_factory=list)
    connection: "Connection | None" = None


class Connection:
    def __init__(self, socket: web.WebSocketResponse, compressed: bool) -> None:
        self.socket = socket
        self._zlib = zlib.compressobj() if compressed else None

    async def send(self, payload: Payload) -> None:
        if self.socket.closed:
            return
        text = json.dumps(payload)
        if self._zlib:
            data = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(data)
        else:
            await self.socket.send_str(text)


class Gateway:
    def __init__(self, world: World, bot: Payload, token: str) -> None:
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.identified: list[Payload] = []
        self.resumed = 0
        self.heartbeats = 0
        self.heartbeat_ms = 41250
        self.acknowledges = True
        """Whether heartbeats are answered."""
        self.is_shut = False
        """Whether nobody is let in."""
        self.turned_away = 0
        """How often somebody was not."""
        self.forgets_sessions = False
        """Whether a resume is answered with "invalid session"."""
        self.allowed_intents = ~0
        self._world = world
        self._bot = bot
        self._token = token

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        if self.is_shut:
            self.turned_away += 1
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, request.query.get("compress") == "zlib-stream")
        await connection.send({"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._receive(connection, json.loads(message.data))
        finally:
            for session in self.sessions.values():
                if session.connection is connection:
                    session.connection = None
        return socket

    async def emit(self, event: str, payload: Payload) -> None:
        """To every session that its intents let hear of it."""
        guild = payload.get("guild_id") or (payload["id"] if event.startswith("GUILD_") else None)
        for session in self.sessions.values():
            if not _hears_of(session, guild):
                continue
            shown = self._as_seen(session, event, payload)
            if shown is not None:
                await self._send(session, event, shown)

    async def drop(self) -> None:
        """Every connection breaks; sessions can be resumed."""
        for session in self.sessions.values():
            if session.connection:
                await session.connection.socket.close(code=4000)

    async def ask_to_reconnect(self) -> None:
        for session in self.sessions.values():
            if session.connection:
                await session.connection.send({"op": RECONNECT, "d": None})

    async def close(self) -> None:
        for session in self.sessions.values():
            if session.connection:
                await session.connection.socket.close()

    async def _receive(self, connection: Connection, payload: Payload) -> None:
        match payload["op"]:
            case 1:
                self.heartbeats += 1
                if self.acknowledges:
                    await connection.send({"op": ACK})
            case 2:
                await self._identify(connection, payload["d"])
            case 6:
                await self._resume(connection, payload["d"])

    async def _identify(self, connection: Connection, data: Payload) -> None:
        self.identified.append(data)
        if data["token"] != self._token:
            await connection.socket.close(code=4004)
            return
        if data["intents"] & ~self.allowed_intents:
            await connection.socket.close(code=4014)
            return
        session = Session(self._world.snowflake(), data["intents"], data.get("shard", [0, 1]))
        self.sessions[session.id] = session
        session.connection = connection
        guilds = [each for each in self._world.guilds.values() if _hears_of(session, each["id"])]
        await self._send(
            session,
            "READY",
            {
                "v": 10,
                "user": self._bot,
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "application": {"id": self._bot["id"], "flags": 0},
                "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
                "session_type": "normal",
                "private_channels": [],
                "shard": session.shard,
            },
        )
        for guild in guilds:
            await self._send(session, "GUILD_CREATE", self.guild_payload(guild))

    async def _resume(self, connection: Connection, data: Payload) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or self.forgets_sessions:
            self.sessions.pop(data["session_id"], None)
            await connection.send({"op": INVALID, "d": False})
            return
        self.resumed += 1
        session.connection = connection
        for sequence, event, payload in session.sent:
            if sequence > data["seq"]:
                await connection.send({"op": DISPATCH, "s": sequence, "t": event, "d": payload})
        await self._send(session, "RESUMED", {})

    async def _send(self, session: Session, event: str, payload: Payload) -> None:
        session.sequence += 1
        session.sent.append((session.sequence, event, payload))
        if session.connection:
            sent = {"op": DISPATCH, "s": session.sequence, "t": event, "d": payload}
            await session.connection.send(sent)

    def guild_payload(self, guild: Payload) -> Payload:
        world, id_ = self._world, guild["id"]
        here = [each for each in world.channels.values() if each.get("guild_id") == id_]
        threads = [each for each in here if "thread_metadata" in each]
        return guild | {
            "channels": [each for each in here if "thread_metadata" not in each],
            "threads": [each for each in threads if not each["thread_metadata"]["archived"]],
            "members": [world.member(id_, each) for each in world.members[id_].values()],
            "member_count": len(world.members[id_]),
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _as_seen(self, session: Session, event: str, payload: Payload) -> Payload | None:
        """Without what the intents keep from it: https://discord.com/developers/docs/events/gateway#message-content-intent."""
        if not event.startswith("MESSAGE_"):
            return payload
        channel = self._world.channels.get(payload["channel_id"], {})
        wanted = DIRECT_MESSAGES if channel.get("type") == DM else GUILD_MESSAGES
        if not session.intents & wanted:
            return None
        return payload if session.intents & MESSAGE_CONTENT else self.without_content(payload)

    def without_content(self, payload: Payload) -> Payload:
        """Of others' messages that neither mention the bot nor were written to it alone."""
        me = self._bot["id"]
        channel = self._world.channels.get(payload["channel_id"], {})
        mine = payload.get("author", {}).get("id") == me
        mentions = any(each["id"] == me for each in payload.get("mentions", []))
        if "author" not in payload or mine or mentions or channel.get("type") == DM:
            return payload
        return payload | {"content": "", "attachments": [], "embeds": [], "components": []}


def _hears_of(session: Session, guild: str | None) -> bool:
    """Direct messages come to the first shard: https://discord.com/developers/docs/events/gateway#sharding."""
    shard, count = session.shard
    return (int(guild) >> 22) % count == shard if guild else shard == 0


def is_thread(channel: Payload) -> bool:
    return int(channel["type"]) >= THREAD and "thread_metadata" in channel
