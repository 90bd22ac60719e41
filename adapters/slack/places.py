"""Where in Slack something is: teams, channels, threads, messages. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.messages import ThreadId

PLATFORM = "slack"
"""With it the ids of threads, messages and visits begin."""


@dataclass(frozen=True, slots=True)
class Place:
    """A thread. A message outside of any begins its own: `thread_ts` is then that message's."""

    team: str
    channel: str
    thread_ts: str

    @property
    def id(self) -> ThreadId:
        return ThreadId(f"{PLATFORM}:{self.team}/{self.channel}/{self.thread_ts}")

    @property
    def is_dm(self) -> bool:
        """Between one person and the bot."""
        return self.channel.startswith("D")

    @classmethod
    def of(cls, thread: ThreadId) -> "Place":
        team, channel, thread_ts = thread.removeprefix(f"{PLATFORM}:").split("/")
        return cls(team, channel, thread_ts)


def message_id(team: str, channel: str, ts: str, edited_ts: str | None = None) -> str:
    """Names one revision of a message, whatever events tell of it and how often."""
    return f"{PLATFORM}:{team}:{channel}:{ts}" + (f"@{edited_ts}" if edited_ts else "")


def ts_of(message: str) -> str | None:
    """The timestamp in a message's id, without its revision; None for a question that was no message."""
    ts = message.rpartition(":")[2].partition("@")[0]
    return ts if ts.replace(".", "", 1).isdigit() else None


def at(ts: str) -> datetime:
    """The moment that a message's timestamp stands for."""
    return datetime.fromtimestamp(float(ts), UTC)
