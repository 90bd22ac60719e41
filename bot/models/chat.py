"""The Chat Completions format, which everybody else speaks: Ollama, vLLM, llama.cpp, LM Studio and many more."""

import json
from collections.abc import Mapping, Sequence

from bot.errors import InputRefused
from bot.execution import Picture
from bot.models.complaints import Rejected, Unspoken, WorthRetrying, failure_in, to_error
from bot.models.deltas import Pieces
from bot.models.markup import calls_in, visible, without_thoughts
from bot.models.memory import Format
from bot.models.wire import (
    Call,
    Json,
    answered_once,
    as_object,
    data_url,
    made_by,
    parameters,
    tool_named,
    with_text,
)
from bot.ports import Tool
from bot.transcript import Digest, Entry, Prompt, Reply, ToolCall, ToolResult

NAME: Format = "chat"
THOUGHTS_LEFT_OUT = "thoughts_left_out"
"""Not a part but the lack of one: a few endpoints want a model's thoughts back with its calls."""
OPTIONAL: Mapping[str, str] = {
    THOUGHTS_LEFT_OUT: r"reasoning_content",
    "streamed_tools": r"tools?\b.{0,60}stream|stream\w*.{0,60}\btool",
    "stream_options": r"stream_options|include_usage",
    "effort": r"reasoning_effort|reasoning\.effort|effort",
    "max_tokens": r"max_tokens",
    "max_completion_tokens": r"max_completion_tokens",
}


async def ask(call: Call) -> Reply:
    if call.request.tools and not call.has("streamed_tools"):
        completion = await call.patience.begin(
            call.client.chat.completions.create(**body(call), stream=False)
        )
        return _reply(_whole(completion.to_dict(mode="json", warnings=False), call), call)
    pieces = await _streamed(call)
    reply = _reply(pieces, call)
    if call.request.tools and _lost_its_calls(pieces, reply):
        raise Rejected("no tool calls in a stream that should have some", param="streamed_tools")
    return reply


def body(call: Call) -> Json:
    """The request, without the parts that this endpoint does without and without what concerns streaming."""
    request = call.request
    made: Json = {"model": call.model, "messages": messages(call)}
    if request.tools:
        made["tools"] = [_tool(tool) for tool in request.tools]
    if call.effort and call.has(call.effort_part):
        made["reasoning_effort"] = call.effort
    if request.max_output_tokens:
        limits = (name for name in ("max_tokens", "max_completion_tokens") if call.has(name))
        made |= dict.fromkeys(list(limits)[:1], request.max_output_tokens)
    return made


def messages(call: Call) -> list[Json]:
    """The transcript in messages whose roles take turns, as the templates of many models want it."""
    made: list[Json] = [{"role": "system", "content": call.request.instructions}]
    pictures: list[Picture] = []
    for entry in answered_once(call.request.entries):
        if pictures and not isinstance(entry, ToolResult):
            _add(made, _shown(pictures))
            pictures = []
        _add(made, _message(entry, call))
        if isinstance(entry, ToolResult):
            pictures += entry.pictures
    if pictures:
        _add(made, _shown(pictures))
    return made


async def _streamed(call: Call) -> Pieces:
    options: Json = {"stream_options": {"include_usage": True}} if call.has("stream_options") else {}
    stream = await call.patience.begin(
        call.client.chat.completions.create(**body(call), **options, stream=True)
    )
    async with stream:
        if "json" in stream.response.headers.get("content-type", ""):
            # The endpoint knows no streaming, or it complains with status 200.
            return _whole(json.loads(await call.patience.begin(stream.response.aread())), call)
        pieces = Pieces()
        async for chunk in call.patience.each(aiter(stream), lambda: pieces.ended):
            pieces.take(chunk.to_dict(warnings=False))
            if shown := visible(pieces.text):
                call.on_text(shown)
    if not pieces.began:
        raise Unspoken("an empty stream", reason="address")
    if not pieces.ended:
        raise WorthRetrying("the stream ended before the reply did")
    return pieces


def _whole(completion: Json, call: Call) -> Pieces:
    if completion.get("error"):
        raise to_error(failure_in(completion), with_pictures=call.with_pictures)
    pieces = Pieces()
    pieces.take(completion)
    return pieces


def _reply(pieces: Pieces, call: Call) -> Reply:
    calls = pieces.tool_calls()
    text = without_thoughts(pieces.text)
    if not calls:
        text, calls = calls_in(text, call.request.tools)
    if pieces.finish_reason == "content_filter" and not (text or calls):
        raise InputRefused("content_filter")
    reply = Reply(
        text=text,
        tool_calls=calls,
        usage=pieces.usage,
        raw=_kept(pieces, calls, call),
        made_by=made_by(NAME, call.model),
        truncated=pieces.finish_reason == "length",
    )
    call.on_text(reply.text)
    return reply


def _kept(pieces: Pieces, calls: Sequence[ToolCall], call: Call) -> tuple[Json, ...]:
    """What the endpoint wants to see again, and which has no place in a `Reply`."""
    extras = [
        {"id": made.id, **piece.extras}
        for made, piece in zip(calls, pieces.calls, strict=False)
        if piece.extras
    ]
    if pieces.reasoning and not call.has(THOUGHTS_LEFT_OUT):
        extras.append({"reasoning_content": pieces.reasoning})
    return tuple(extras)


def _lost_its_calls(pieces: Pieces, reply: Reply) -> bool:
    """Some servers drop tool calls from streams: https://github.com/ollama/ollama/issues/12557."""
    if reply.tool_calls or reply.truncated:
        return False
    return pieces.finish_reason in {"tool_calls", "function_call"} or not reply.text.strip()


def _message(entry: Entry, call: Call) -> Json:
    match entry:
        case Prompt():
            return {"role": "user", "content": _content(entry.text, entry.pictures)}
        case Digest():
            return {"role": "user", "content": entry.text}
        case Reply():
            return _assistant(entry, call)
        case ToolResult():
            # Text only: pictures follow all results of a reply, see `messages`.
            return {"role": "tool", "tool_call_id": entry.call_id, "content": with_text(entry).text}


def _assistant(reply: Reply, call: Call) -> Json:
    kept = reply.raw if reply.made_by == made_by(NAME, call.model) else ()
    extras = {item["id"]: item for item in kept if "id" in item}
    # Not null, which some templates print as a word.
    made: Json = {"role": "assistant", "content": reply.text}
    if reply.tool_calls:
        made["tool_calls"] = [
            {
                "id": each.id,
                "type": "function",
                "function": {
                    "name": each.name,
                    "arguments": as_object(each.arguments, tool_named(each.name, call.request.tools)),
                },
                **extras.get(each.id, {}),
            }
            for each in reply.tool_calls
        ]
    if reply.tool_calls and not call.has(THOUGHTS_LEFT_OUT):
        made["reasoning_content"] = "".join(item.get("reasoning_content", "") for item in kept)
    return made


def _shown(pictures: Sequence[Picture]) -> Json:
    names = ", ".join(picture.name for picture in pictures)
    return {"role": "user", "content": _content(f"[Pictures that the code made: {names}]", pictures)}


def _content(text: str, pictures: Sequence[Picture]) -> str | list[Json]:
    # A list only where it has to be: many servers know strings alone.
    if not pictures:
        return text
    images = [
        {"type": "image_url", "image_url": {"url": data_url(picture), "detail": "auto"}}
        for picture in pictures
    ]
    return [{"type": "text", "text": text}, *images]


def _add(made: list[Json], message: Json) -> None:
    last = made[-1]
    if message["role"] != last["role"] or message["role"] == "tool" or "tool_calls" in last:
        made.append(message)
        return
    made[-1] = {**last, **message, "content": _together(last["content"], message["content"])}


def _together(one: str | list[Json], other: str | list[Json]) -> str | list[Json]:
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_parts(one), *_parts(other)]


def _parts(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tool(tool: Tool) -> Json:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters(tool)},
    }
