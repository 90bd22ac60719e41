"""What the model has seen and said in one thread. Plain values; each counts its tokens once, for threads get long."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, Literal

from bot.execution import Picture
from bot.tokens import ENTRY_TOKENS, PICTURE_TOKENS, text_tokens

DataMode = Literal["full", "schema"]
"""What the model endpoint may see of people's data: everything, or names and types only."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody put into the thread."""

    name: str
    """Where it lies in the workspace now: it changes when a newer file takes its name."""
    sha256: str
    uploaded_at: datetime
    """Aware."""


@dataclass(frozen=True)
class Prompt:
    """What a person said, with everything the model has to know about it: speaker, time, new files."""

    text: str
    pictures: tuple[Picture, ...] = ()
    uploads: tuple[Upload, ...] = ()
    """Every file that people have put into the thread so far, under its present name."""
    data: DataMode = "full"
    """How much of the data this prompt, and what follows it, may hold."""

    @cached_property
    def tokens(self) -> int:
        return ENTRY_TOKENS + text_tokens(self.text) + PICTURE_TOKENS * len(self.pictures)


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str
    """Exactly as the model wrote it: JSON, broken JSON, or bare code from a free-form tool."""


@dataclass(frozen=True, slots=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the endpoint read from its cache."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True)
class Reply:
    """One model answer. Without tool calls it is the last of its turn."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    raw: tuple[dict[str, Any], ...] = ()
    """The endpoint's own output items (reasoning among them), sent back as they were to the model that
    made them and to no other: see `made_by`."""
    made_by: str = ""
    """`wire format:model name`, as `responses:gpt-6-luna`."""
    truncated: bool = False
    """The model ran into its output limit in mid-sentence."""
    pictures: ClassVar[tuple[Picture, ...]] = ()

    @cached_property
    def tokens(self) -> int:
        calls = "".join(call.name + call.arguments for call in self.tool_calls)
        raw = json.dumps(self.raw, ensure_ascii=False) if self.raw else ""
        longest = max(text_tokens(self.text + calls), text_tokens(raw))
        return ENTRY_TOKENS * (1 + len(self.tool_calls)) + longest


@dataclass(frozen=True)
class ToolResult:
    call_id: str
    text: str
    pictures: tuple[Picture, ...] = ()

    @cached_property
    def tokens(self) -> int:
        return ENTRY_TOKENS + text_tokens(self.text) + PICTURE_TOKENS * len(self.pictures)


@dataclass(frozen=True)
class Digest:
    """Stands for rounds that were left out of a request to fit the model's window."""

    text: str
    pictures: ClassVar[tuple[Picture, ...]] = ()

    @cached_property
    def tokens(self) -> int:
        return ENTRY_TOKENS + text_tokens(self.text)


Entry = Prompt | Reply | ToolResult | Digest
Round = tuple[Entry, ...]
"""What is added at once: a `Prompt`; or a `Reply` together with the result of each of its tool calls,
since an API refuses a call without its result."""


@dataclass(slots=True)
class Transcript:
    """Grows by whole rounds only."""

    rounds: list[Round] = field(default_factory=list[Round])

    def add(self, *entries: Entry) -> None:
        self.rounds.append(entries)

    def drop_newest_pictures(self) -> list[Picture]:
        """Take the pictures out of the newest round that has any, and say which they were."""
        for number, entries in reversed(list(enumerate(self.rounds))):
            dropped = [picture for entry in entries for picture in entry.pictures]
            if dropped:
                self.rounds[number] = tuple(
                    without_pictures(entry, dropped) if isinstance(entry, Prompt | ToolResult) else entry
                    for entry in entries
                )
                return dropped
        return []

    def drop_raw(self) -> bool:
        """Forget the endpoint's own items; whether there were any."""
        had_any = any(isinstance(entry, Reply) and entry.raw for entry in self)
        self.rounds = [
            tuple(replace(entry, raw=()) if isinstance(entry, Reply) else entry for entry in entries)
            for entries in self.rounds
        ]
        return had_any

    def __iter__(self) -> Iterator[Entry]:
        for entries in self.rounds:
            yield from entries


def without_pictures(entry: Prompt | ToolResult, unwanted: Collection[Picture]) -> Prompt | ToolResult:
    """The same entry with a sentence where these pictures were."""
    if not (unwanted and entry.pictures):
        return entry
    gone = [picture.name for picture in entry.pictures if picture in unwanted]
    if not gone:
        return entry
    kept = tuple(picture for picture in entry.pictures if picture not in unwanted)
    return replace(entry, text=f"{entry.text}\n[Not shown any more: {', '.join(gone)}]", pictures=kept)


def pictures_of(entries: Sequence[Entry]) -> int:
    """How many pictures a request with these entries carries."""
    return sum(len(entry.pictures) for entry in entries)


def tokens_of(entries: Iterable[Entry]) -> int:
    """Good to a third: a request needs a correction by what the endpoint counted last."""
    return sum(map(attrgetter("tokens"), entries))
