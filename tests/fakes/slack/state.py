"""What a workspace holds: people, channels, messages, files, streams, sessions, views."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.rules import Json, Refusal

TEAM = "T1"
BOT_USER, BOT_ID = "UBOT", "BBOT"
BOT_NAME = "plotline"
STREAM_SECONDS = 300
STREAM_BYTES = 10_600
STATUS_SECONDS = 120
START = 1_790_000_000.0


@dataclass
class Clock:
    """Stands still until somebody moves it, or waits on it."""

    now: float = START
    pauses: list[float] = field(default_factory=list[float])
    """How long somebody would have waited, each time."""
    _ticking: list[tuple[float, asyncio.Event]] = field(default_factory=list[tuple[float, asyncio.Event]])

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for due, event in self._ticking:
            if due <= self.now:
                event.set()

    async def pause(self, seconds: float) -> None:
        """As long as asked for on this clock, no time at all for others."""
        self.pauses.append(seconds)
        self.advance(seconds)

    @property
    def waiting(self) -> int:
        """How many wait for it to be moved."""
        return len(self._ticking)

    async def tick(self, seconds: float) -> None:
        """Until this clock has been moved so far."""
        waiting = self.now + seconds, asyncio.Event()
        self._ticking.append(waiting)
        try:
            await waiting[1].wait()
        finally:
            self._ticking.remove(waiting)


@dataclass
class Channel:
    id: str
    name: str = "general"
    members: set[str] = field(default_factory=set[str])
    messages: list[Json] = field(default_factory=list[Json])
    creator: str = "UBOSS"
    is_private: bool = False
    is_archived: bool = False

    @property
    def kind(self) -> str:
        """As events have it."""
        return {"D": "im", "G": "mpim"}.get(self.id[0], "group" if self.is_private else "channel")

    def message(self, ts: str) -> Json:
        for message in self.messages:
            if message["ts"] == ts:
                return message
        raise Refusal("message_not_found")

    def thread(self, thread_ts: str) -> list[Json]:
        return [each for each in self.messages if thread_ts in {each["ts"], each.get("thread_ts")}]


@dataclass
class File:
    id: str
    name: str
    content: bytes
    media_type: str
    by: str
    alt_text: str = ""
    title: str = ""
    mode: str = "hosted"
    needs_info: bool = False
    """Shared over Slack Connect: events have the id only."""
    is_complete: bool = True
    shares: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Channel → timestamps of the messages that it is on."""
    redirects_to: str | None = None
    declared_size: int | None = None
    """What Slack says its size is, where that is wrong."""


@dataclass
class Stream:
    started: float
    chunks: list[Json] = field(default_factory=list[Json])
    is_open: bool = True
    stopped_by_user: bool = False


@dataclass
class Status:
    text: str
    until: float
    loading_messages: list[str] = field(default_factory=list[str])


@dataclass
class Workspace:
    clock: Clock = field(default_factory=Clock)
    users: dict[str, Json] = field(default_factory=dict[str, Json])
    groups: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """User group → its members."""
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    files: dict[str, File] = field(default_factory=dict[str, File])
    streams: dict[str, Stream] = field(default_factory=dict[str, Stream])
    sessions: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Channel and thread → status of the agent session."""
    statuses: dict[tuple[str, str], Status] = field(default_factory=dict[tuple[str, str], Status])
    """Channel and thread → what the older indicator says."""
    titles: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    prompts: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    """Suggested ones by channel."""
    reactions: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])
    ephemerals: list[Json] = field(default_factory=list[Json])
    views: list[Json] = field(default_factory=list[Json])
    """Every view that was opened, pushed or updated, in order."""
    homes: dict[str, Json] = field(default_factory=dict[str, Json])
    counter: int = 0

    def next(self) -> int:
        self.counter += 1
        return self.counter

    def new_ts(self) -> str:
        return f"{int(self.clock.now)}.{self.next():06d}"

    def add_user(self, user: str, name: str, **facts: Any) -> Json:
        profile = {"display_name": name, "real_name": name}
        locale, zone = facts.pop("locale", "en-US"), facts.pop("tz", "Europe/Vienna")
        self.users[user] = {
            "id": user,
            "team_id": TEAM,
            "name": name.lower(),
            "deleted": False,
            "is_bot": False,
            "is_admin": False,
            "is_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_stranger": False,
            "locale": locale,
            "tz": zone,
            "profile": profile,
            **facts,
        }
        return self.users[user]

    def channel(self, channel: str | None) -> Channel:
        if not channel or channel not in self.channels:
            raise Refusal("channel_not_found")
        return self.channels[channel]

    def add_message(self, channel: Channel, message: Json) -> Json:
        message = {"type": "message", "ts": self.new_ts(), **message}
        channel.messages.append(message)
        thread = message.get("thread_ts")
        if thread and any(each["ts"] == thread for each in channel.messages):
            root = channel.message(thread)
            if root is not message:
                root["reply_count"] = root.get("reply_count", 0) + 1
                root.setdefault("thread_ts", thread)
        if thread and message.get("bot_id") == BOT_ID:
            # A message ends what the older indicator said.
            self.statuses.pop((channel.id, thread), None)
        return message

    def status(self, channel: str, thread: str) -> str:
        """What the older indicator shows now."""
        status = self.statuses.get((channel, thread))
        return status.text if status and status.until > self.clock.now else ""

    def file_object(self, file: File, url: str, *, in_event: bool = False) -> Json:
        """As it is on messages; `url` is where files are served."""
        if file.needs_info and in_event:
            return {"id": file.id, "file_access": "check_file_info", "mode": "file_access"}
        if file.mode in {"tombstone", "hidden_by_limit"}:
            return {"id": file.id, "mode": file.mode}
        described = {
            "id": file.id,
            "name": file.name,
            "title": file.title or file.name,
            "mimetype": file.media_type,
            "size": len(file.content) if file.declared_size is None else file.declared_size,
            "mode": file.mode,
            "is_external": file.mode == "external",
            "user": file.by,
            "file_access": "visible",
        }
        if not in_event:
            described["shares"] = self._shares(file)
        if file.mode == "external":
            return {**described, "external_type": "gdrive", "url_private": "https://docs.example.com/d/1"}
        address = f"{url}/files-pri/{TEAM}-{file.id}/{file.name}"
        return {**described, "url_private": address, "url_private_download": f"{address}?download=1"}

    def _shares(self, file: File) -> Json:
        return {
            "public": {
                channel: [{"ts": ts, "thread_ts": self._thread_of(channel, ts)} for ts in stamps]
                for channel, stamps in file.shares.items()
            }
        }

    def _thread_of(self, channel: str, ts: str) -> str | None:
        thread: str | None = self.channels[channel].message(ts).get("thread_ts")
        return thread
