"""Putting a streamed chat reply together, from servers that cut it in ways of their own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bot.transcript import ToolCall, Usage

Json = dict[str, Any]

REASONING = ("reasoning_content", "reasoning")
"""Where thoughts arrive: https://docs.vllm.ai/en/latest/features/reasoning_outputs/."""


@dataclass(slots=True)
class Pieces:
    """What has arrived so far. Chunks are JSON as the server sent it."""

    text: str = ""
    reasoning: str = ""
    calls: "list[_Pieced]" = field(default_factory=lambda: [])
    usage: Usage = field(default_factory=Usage)
    finish_reason: str = ""
    began: bool = False
    ended: bool = False

    def take(self, chunk: Json) -> None:
        self.began = True
        if usage := chunk.get("usage"):
            # Some send it with every chunk, some behind the last one, with no choice in it.
            self.usage = _usage(usage)
            self.ended |= not chunk.get("choices")
        for choice in (chunk.get("choices") or ())[:1]:
            # Where nothing is streamed, the whole message is one large delta.
            self._take_delta(choice.get("delta") or choice.get("message") or {})
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            self.ended |= bool(self.finish_reason)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        for call in self.calls:
            seen = {other.id for other in self.calls if other is not call}
            if not call.id or call.id in seen:
                call.id = f"call_{uuid4().hex}"
        return tuple(ToolCall(call.id, call.name, call.arguments) for call in self.calls)

    def _take_delta(self, delta: Json) -> None:
        self.text += _text(delta.get("content")) + _text(delta.get("refusal"))
        self.reasoning += next((_text(delta[name]) for name in REASONING if delta.get(name)), "")
        for fragment in delta.get("tool_calls") or ():
            self._take_fragment(fragment)
        if function := delta.get("function_call"):  # what calls were before there could be several
            self._take_fragment({"index": 0, "function": function})

    def _take_fragment(self, fragment: Json) -> None:
        function = fragment.get("function") or {}
        id_, name = fragment.get("id") or "", function.get("name") or ""
        call = _continued(self.calls, fragment.get("index"), id_, name)
        if call is None:
            call = _Pieced(fragment.get("index"))
            self.calls.append(call)
        call.id, call.name = call.id or id_, call.name or name
        call.extras |= {key: value for key, value in fragment.items() if key == "extra_content"}
        arguments = function.get("arguments")
        call.arguments += (
            arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        )


@dataclass(slots=True)
class _Pieced:
    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""
    extras: Json = field(default_factory=dict[str, Any])
    """What some endpoints want back with a call, such as Gemini's signatures of thoughts."""


def _continued(calls: "Sequence[_Pieced]", index: int | None, id_: str, name: str) -> "_Pieced | None":
    """The call that a fragment belongs to; None if it begins a new one.

    The index says so, if it is there. Some servers give each call the index 0, some leave it out, and the id
    may be missing, empty, or repeated with each fragment; the name comes with the first fragment or with all.
    """
    same = [call for call in calls if (call.index == index if index is not None else id_ and call.id == id_)]
    if same:
        is_other = name and id_ and same[-1].id and id_ != same[-1].id
        return None if is_other else same[-1]
    if index is not None or not calls or (id_ and name):
        return None
    last = calls[-1]
    is_other = name and (name != last.name or _is_whole(last.arguments))
    return None if is_other else last


def _is_whole(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True


def _text(content: Any) -> str:
    """Text that comes in parts, thoughts among them, is joined without these."""
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict))
        return "".join(_text(part.get("text")) for part in parts if part.get("type", "text") == "text")
    return content if isinstance(content, str) else ""


def _usage(usage: Json) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
    )
