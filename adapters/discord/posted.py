"""What was posted for a key: remembered message by message, so that each is posted once."""

import json
from dataclasses import dataclass, field

from bot.reception import Journal

Sent = tuple[int, int]
"""Channel and id of a message."""


@dataclass(slots=True)
class Posted:
    journal: Journal
    key: str
    messages: list[list[int]] = field(default_factory=list[list[int]])
    """Ids, a list for each piece."""
    channels: list[int] = field(default_factory=list[int])
    """Where each of these pieces is."""
    trying: float | None = None
    """When a piece was begun whose end is not known, in seconds since the epoch."""
    is_done: bool = False

    @classmethod
    async def load(cls, journal: Journal, key: str) -> "Posted":
        noted = await journal.recall(f"discord:posted:{key}")
        return cls(journal, key, **json.loads(noted)) if noted else cls(journal, key)

    async def begin(self, at: float) -> None:
        self.trying = at
        await self._note()

    async def add(self, channel: int, ids: list[int]) -> None:
        self.messages.append(ids)
        self.channels.append(channel)
        self.trying = None
        await self._note()

    async def finish(self) -> None:
        self.is_done = True
        await self._note()

    def everything(self) -> list[Sent]:
        pieces = zip(self.channels, self.messages, strict=True)
        return [(channel, id_) for channel, ids in pieces for id_ in ids]

    async def _note(self) -> None:
        state = {
            "messages": self.messages,
            "channels": self.channels,
            "trying": self.trying,
            "is_done": self.is_done,
        }
        await self.journal.note(f"discord:posted:{self.key}", json.dumps(state))


@dataclass(frozen=True, slots=True)
class Outputs:
    """What stands under a message of somebody's, by the revision that it answers: an edit replaces it, deletion
    removes it."""

    journal: Journal
    source: str

    async def recall(self) -> list[Sent]:
        """Of every revision."""
        return [sent for messages in (await self._load()).values() for sent in messages]

    async def of_others(self, turn: str) -> list[Sent]:
        """Of other revisions than this."""
        found = await self._load()
        return [sent for revision, messages in found.items() if revision != turn for sent in messages]

    async def add(self, turn: str, messages: list[Sent], *, alone: bool) -> None:
        """`alone` where what other revisions had is gone, or has become this."""
        found = await self._load()
        kept = {turn: found.get(turn, [])} if alone else found
        kept[turn] = list(dict.fromkeys([*kept.get(turn, []), *messages]))
        await self.journal.note(self._key, json.dumps(kept))

    async def _load(self) -> dict[str, list[Sent]]:
        noted = await self.journal.recall(self._key)
        found: dict[str, list[list[int]]] = json.loads(noted) if noted else {}
        return {turn: [(channel, id_) for channel, id_ in sent] for turn, sent in found.items()}

    @property
    def _key(self) -> str:
        return f"discord:outputs:{self.source}"
