"""What the fake endpoint answers, written once and sent in whichever format it is asked in."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Calls:
    """One tool call."""

    code: str
    id: str = ""
    name: str = "run_python"
    arguments: str | None = None
    """As they are, where they are not simply the code in JSON."""

    @property
    def json(self) -> str:
        return json.dumps({"code": self.code}) if self.arguments is None else self.arguments


@dataclass(frozen=True)
class Says:
    """A reply, in pieces."""

    text: str = ""
    calls: tuple[Calls, ...] = ()
    reasoning: str = ""
    refusal: str = ""
    phase: str | None = None
    usage: tuple[int, int, int] | None = (100, 10, 40)
    """Input, output, cached; None where the endpoint doesn't count. `counts` replaces it."""
    is_cut_off: bool = False
    """At the output limit."""
    breaks: str | None = None
    """How the stream ends before the reply does: `abort`, `eof`, `error` or `silence`."""


@dataclass(frozen=True)
class Fails:
    """An HTTP error."""

    status: int
    message: str = "no"
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Sends:
    """Chunks or events as they are."""

    pieces: Sequence[Json]


@dataclass(frozen=True)
class Body:
    """JSON with status 200, whatever was asked for."""

    body: Json


@dataclass(frozen=True)
class Nonsense:
    """A stream of these bytes."""

    data: bytes


Answer = Says | Fails | Sends | Body | Nonsense
Scripted = Answer | Callable[[Json], Answer]
"""Or what makes an answer of the request's body."""

BROKEN = {"type": "error", "code": "server_error", "message": "boom", "param": None, "sequence_number": 99}


def chat_chunks(says: Says, model: str) -> Iterator[Json]:
    def chunk(delta: Json, finish_reason: str | None = None) -> Json:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces_of(says.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in pieces_of(says.text):
        yield chunk({"content": piece})
    for piece in pieces_of(says.refusal):
        yield chunk({"refusal": piece})
    for index, call in enumerate(says.calls):
        yield chunk({"tool_calls": [_begun(index, call)]})
        for piece in pieces_of(call.json):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    if says.breaks:
        if says.breaks == "error":
            yield {"error": {"message": "boom", "code": 500}}
        return
    yield chunk({}, finish_reason_of(says))
    if says.usage:
        yield {**chunk({}), "choices": [], "usage": _chat_usage(says.usage)}


def chat_completion(says: Says, model: str) -> Json:
    """All at once."""
    message: Json = {"role": "assistant", "content": says.text or None}
    if says.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}
            for call in says.calls
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason_of(says)}],
        "usage": _chat_usage(says.usage) if says.usage else None,
    }


def response_events(says: Says, model: str, *, custom: bool) -> Iterator[Json]:
    base: Json = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "in_progress",
        "output": [],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
    }
    yield {"type": "response.created", "response": base}
    items: list[Json] = []
    for item, deltas in _items(says, custom=custom):
        place = len(items)
        empty = {**item, "content": []} if item["type"] == "message" else item
        yield {"type": "response.output_item.added", "output_index": place, "item": empty}
        for kind, piece in deltas:
            yield {"type": kind, "output_index": place, "item_id": item["id"], "delta": piece}
        if says.breaks and item["type"] == "message":
            break
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
        items.append(item)
    if says.breaks:
        if says.breaks == "error":
            yield BROKEN
        return
    yield {"type": "response.of_a_kind_to_come", "novelty": 1}
    whole: Json = {**base, "status": "completed", "output": items}
    if says.usage:
        whole["usage"] = _response_usage(says.usage)
    if says.is_cut_off:
        whole |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    kind = "response.incomplete" if says.is_cut_off else "response.completed"
    yield {"type": kind, "response": whole}


def pieces_of(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s*$|\s*\S+", text)


def finish_reason_of(says: Says) -> str:
    return "length" if says.is_cut_off else "tool_calls" if says.calls else "stop"


def _begun(index: int, call: Calls) -> Json:
    return {
        "index": index,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }


def _items(says: Says, *, custom: bool) -> Iterator[tuple[Json, list[tuple[str, str]]]]:
    """Each with its deltas."""
    if says.reasoning:
        secret = {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "encrypted_content": f"<{says.reasoning}>",
        }
        yield secret, [("response.reasoning_summary_text.delta", says.reasoning)]
    if said := says.text or says.refusal:
        kind = "output_text" if says.text else "refusal"
        part = (
            {"type": kind, "text": said, "annotations": []} if says.text else {"type": kind, "refusal": said}
        )
        message: Json = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        if says.phase:
            message["phase"] = says.phase
        yield message, [(f"response.{kind}.delta", piece) for piece in pieces_of(said)]
    for number, call in enumerate(says.calls):
        named = {"id": f"item_{number}", "call_id": call.id, "name": call.name}
        if custom:
            code = call.code if call.arguments is None else call.arguments
            deltas = [("response.custom_tool_call_input.delta", piece) for piece in pieces_of(code)]
            yield {"type": "custom_tool_call", **named, "input": code, "async": False}, deltas
        else:
            deltas = [("response.function_call_arguments.delta", piece) for piece in pieces_of(call.json)]
            yield {"type": "function_call", **named, "arguments": call.json, "status": "completed"}, deltas


def _chat_usage(usage: tuple[int, int, int]) -> Json:
    read, written, cached = usage
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _response_usage(usage: tuple[int, int, int]) -> Json:
    read, written, cached = usage
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
