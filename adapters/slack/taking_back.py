"""Answers of ours that go from a thread again: somebody deletes one, or its question was edited and has another."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.slack.connection import Connection
from adapters.slack.errors import SlackRefused
from adapters.slack.posting import AS_FILE, delete
from bot.reception import Journal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted for a question, whatever its revision."""

    messages: tuple[str, ...] = ()
    """Timestamps."""
    files: tuple[str, ...] = ()
    """Slack's ids."""

    @classmethod
    async def recall(cls, journal: Journal, turn: str) -> "Posted":
        noted = json.loads(await journal.recall(_key(turn)) or "{}")
        return cls(tuple(noted.get("messages", ())), tuple(noted.get("files", ())))

    async def note(self, journal: Journal, turn: str) -> None:
        await journal.note(_key(turn), json.dumps({"messages": self.messages, "files": self.files}))

    def __or__(self, other: "Posted") -> "Posted":
        messages = dict.fromkeys([*self.messages, *other.messages])
        return Posted(tuple(messages), tuple(dict.fromkeys([*self.files, *other.files])))

    def __sub__(self, other: "Posted") -> "Posted":
        return Posted(
            tuple(each for each in self.messages if each not in other.messages),
            tuple(each for each in self.files if each not in other.files),
        )


async def take_back(connection: Connection, channel: str, posted: Posted, also: Sequence[str] = ()) -> None:
    """The messages with their files. Those that are gone already are fine.

    Raises `PlatformUnavailable`.
    """
    stamps = [ts for ts in posted.messages if ts != AS_FILE]
    for file in posted.files:
        stamps += await _shares(connection, file, channel)
        with suppress(SlackRefused):
            await connection.web.ask("files.delete", file=file)
    await delete(connection.web, channel, list(dict.fromkeys([*stamps, *also])))


async def _shares(connection: Connection, file: str, channel: str) -> list[str]:
    """Timestamps of the messages that the file is on."""
    try:
        answer = await connection.web.ask("files.info", file=file)
    except SlackRefused:
        return []
    shares: dict[str, dict[str, Sequence[Json]]] = (answer.get("file") or {}).get("shares") or {}
    return [str(share["ts"]) for places in shares.values() for share in places.get(channel, ())]


def _key(turn: str) -> str:
    return f"{turn.partition('@')[0]}:posted"
