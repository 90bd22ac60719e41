"""What both wire formats share: a call to the endpoint, and what has to be true of every request."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from openai import AsyncOpenAI

from bot.execution import Picture
from bot.models.memory import Format
from bot.models.patience import Patience
from bot.ports import Request, Tool
from bot.transcript import Entry, Reply, ToolCall, ToolResult, pictures_of

Json = dict[str, Any]

ABORTED = "Not run: aborted."


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to the endpoint."""

    client: AsyncOpenAI
    model: str
    request: Request
    effort: str | None
    left_out: frozenset[str]
    """Optional parts that this endpoint does without."""
    on_text: Callable[[str], None]
    patience: Patience

    def has(self, part: str) -> bool:
        return part not in self.left_out

    @property
    def with_pictures(self) -> bool:
        return pictures_of(self.request.entries) > 0

    @property
    def effort_part(self) -> str:
        """Named with its value: an endpoint that refuses one may take another."""
        return f"effort={self.effort}"


class WireFormat(Protocol):
    """A module that speaks one."""

    NAME: Format
    OPTIONAL: Mapping[str, str]
    """The parts of a request that may be left out, each with a pattern of how a complaint about it reads."""

    async def ask(self, call: Call, /) -> Reply:
        """Raises a `ModelError`, or what `openai_errors` translates."""
        ...


def made_by(format_: Format, model: str) -> str:
    return f"{format_}:{model}"


def answered_once(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The same entries, with one result right behind each tool call and no others: endpoints refuse the rest."""
    calls: Sequence[ToolCall] = ()
    results: dict[str, ToolResult] = {}
    for entry in entries:
        if isinstance(entry, ToolResult):
            results.setdefault(entry.call_id, entry)
            continue
        yield from _in_order(calls, results)
        calls, results = (entry.tool_calls if isinstance(entry, Reply) else ()), {}
        yield entry
    yield from _in_order(calls, results)


def _in_order(calls: Sequence[ToolCall], results: Mapping[str, ToolResult]) -> Iterator[ToolResult]:
    return (results.get(call.id, ToolResult(call.id, ABORTED)) for call in calls)


def with_text(result: ToolResult) -> ToolResult:
    return result if result.text else replace(result, text="(nothing)")


def as_object(arguments: str, tool: Tool) -> str:
    """Arguments as the JSON object that servers insist on, also where the model wrote something else."""
    try:
        written = json.loads(arguments)
    except (ValueError, RecursionError):
        written = None
    return arguments if isinstance(written, dict) else json.dumps({tool.argument: arguments})


def as_text(arguments: str, tool: Tool) -> str:
    """The one string in the arguments, as a free-form tool takes it."""
    try:
        written = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    text = written.get(tool.argument) if isinstance(written, dict) else None
    return text if isinstance(text, str) else arguments


def tool_named(name: str, tools: Sequence[Tool]) -> Tool:
    """The tool of a call; a made-up one where there is none of that name."""
    return next((tool for tool in tools if tool.name == name), Tool(name, "", "input", ""))


def parameters(tool: Tool) -> Json:
    """Its JSON Schema, strict."""
    return {
        "type": "object",
        "properties": {tool.argument: {"type": "string", "description": tool.argument_description}},
        "required": [tool.argument],
        "additionalProperties": False,
    }


def data_url(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
