"""The Responses format, which OpenAI speaks.

Nothing is stored there: what the model needs of its earlier replies, its encrypted thoughts among them, is kept in
`Reply.raw` and sent back.
"""

import json
from collections.abc import Iterator, Mapping

from bot.errors import InputRefused
from bot.models.complaints import Unspoken, WorthRetrying, to_error
from bot.models.events import CALLS, Events
from bot.models.memory import Format
from bot.models.wire import (
    Call,
    Json,
    answered_once,
    as_object,
    as_text,
    data_url,
    made_by,
    parameters,
    tool_named,
    with_text,
)
from bot.ports import Tool
from bot.transcript import Digest, Entry, Prompt, Reply, ToolCall, ToolResult

NAME: Format = "responses"
OPTIONAL: Mapping[str, str] = {
    "raw": r"encrypted_content|encrypted content could not|\brs_\w|following item|item .{0,80}not found|['\"`.]phase",
    "custom_tool": r"custom|^'tools'|tools?\W{0,3}\d?\W{0,3}type|tool type|type.{0,20} of tool",
    "include": r"['\"`]include\b|encrypted content is not supported",
    "effort": r"reasoning|effort",
    "parallel_tool_calls": r"parallel_tool_calls",
    "prompt_cache_key": r"prompt_cache_key",
    "safety_identifier": r"safety_identifier",
    "max_output_tokens": r"max_output_tokens",
    "strict": r"['\"`.]strict\b",
    "store": r"['\"`]store\b",
}


async def ask(call: Call) -> Reply:
    events = Events()
    stream = await call.patience.begin(call.client.responses.create(**body(call), stream=True))
    async with stream:
        if "json" in stream.response.headers.get("content-type", ""):
            # The endpoint knows no streaming, or it complains with status 200.
            events.end(json.loads(await call.patience.begin(stream.response.aread())))
        else:
            async for event in call.patience.each(aiter(stream), lambda: events.are_over):
                events.take(event.to_dict(mode="json", exclude_none=True, warnings=False))
                call.on_text(events.text)
    return _reply(events, call)


def body(call: Call) -> Json:
    """The request, without the parts that this endpoint does without."""
    request = call.request
    optional: Json = {
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "parallel_tool_calls": False,
        "prompt_cache_key": request.user,
        "safety_identifier": request.user,
        "max_output_tokens": request.max_output_tokens,
    }
    made: Json = {
        "model": call.model,
        "instructions": request.instructions,
        "input": list(_items(call)),
        **{part: value for part, value in optional.items() if call.has(part) and value not in (None, "")},
    }
    if request.tools:
        made["tools"] = [_tool(tool, call) for tool in request.tools]
    else:
        made.pop("parallel_tool_calls", None)
    if call.effort and call.has(call.effort_part):
        made["reasoning"] = {"effort": call.effort}
    return made


def _reply(events: Events, call: Call) -> Reply:
    if events.failure:
        raise to_error(events.failure, with_pictures=call.with_pictures)
    if not events.began:
        raise Unspoken("an empty stream", reason="address")
    if events.response is None:
        raise WorthRetrying("the stream ended before the reply did")
    calls = events.tool_calls()
    if events.cut_off_by == "content_filter" and not (events.text or calls):
        raise InputRefused("content_filter")
    return Reply(
        text=events.text,
        tool_calls=calls,
        usage=events.usage,
        raw=tuple(events.items),
        made_by=made_by(NAME, call.model),
        truncated=events.cut_off_by == "max_output_tokens",
    )


def _tool(tool: Tool, call: Call) -> Json:
    if call.has("custom_tool"):
        return {
            "type": "custom",
            "name": tool.name,
            "description": f"{tool.description} Its input: {tool.argument_description}",
            "format": {"type": "text"},
        }
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters(tool),
        "strict": call.has("strict"),
    }


def _items(call: Call) -> Iterator[Json]:
    kinds: dict[str, str] = {}
    for entry in answered_once(call.request.entries):
        for item in _items_of(entry, call, kinds):
            if item.get("type") in CALLS:
                kinds[item["call_id"]] = item["type"]
            yield item


def _items_of(entry: Entry, call: Call, kinds: Mapping[str, str]) -> Iterator[Json]:
    match entry:
        case Prompt():
            yield {"role": "user", "content": _content(entry)}
        case Digest():
            yield {"role": "user", "content": entry.text}
        case Reply() if entry.raw and call.has("raw") and entry.made_by == made_by(NAME, call.model):
            yield from filter(_can_go_back, entry.raw)
        case Reply():
            if entry.text:
                yield {"role": "assistant", "content": entry.text}
            yield from (_call_item(each, call) for each in entry.tool_calls)
        case ToolResult():
            kind = f"{kinds.get(entry.call_id, 'function_call')}_output"
            yield {"type": kind, "call_id": entry.call_id, "output": _content(with_text(entry))}


def _call_item(tool_call: ToolCall, call: Call) -> Json:
    """A call that another model made, or another format carried."""
    tool = tool_named(tool_call.name, call.request.tools)
    named = {"call_id": tool_call.id, "name": tool_call.name}
    if call.has("custom_tool"):
        return {"type": "custom_tool_call", **named, "input": as_text(tool_call.arguments, tool)}
    return {"type": "function_call", **named, "arguments": as_object(tool_call.arguments, tool)}


def _can_go_back(item: Json) -> bool:
    """Thoughts that came without their content are known by a number only, and nothing is stored under it."""
    return item.get("type") != "reasoning" or bool(item.get("encrypted_content") or item.get("content"))


def _content(entry: Prompt | ToolResult) -> str | list[Json]:
    if not entry.pictures:
        return entry.text
    images = [
        {"type": "input_image", "image_url": data_url(picture), "detail": "auto"}
        for picture in entry.pictures
    ]
    return [{"type": "input_text", "text": entry.text}, *images]
