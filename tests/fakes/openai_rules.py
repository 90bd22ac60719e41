"""What endpoints insist on. Each rule is one that some real endpoint answers with an error when it is broken."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

ITEMS = {
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "function_call_output",
    "custom_tool_call_output",
}


def complaints_about_chat(body: Json) -> Iterator[str]:
    messages = body["messages"]
    yield from _out_of_order(messages)
    yield from _unanswered(messages)
    for message in messages:
        yield from _unreadable(message)
        if "reasoning_content" in message and not body["model"].startswith("deepseek"):
            yield "thoughts sent back"
    for tool in body.get("tools", ()):
        if set(tool) != {"type", "function"} or not {"name", "parameters"} <= set(tool["function"]):
            yield "a tool that is not nested as Chat wants it"
    if "stream_options" in body and not body.get("stream"):
        yield "stream_options without a stream"


def complaints_about_responses(body: Json) -> Iterator[str]:
    calls: dict[str, str] = {}
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind not in ITEMS:
            yield f"an item of type {kind}"
        elif kind == "reasoning" and not item.get("encrypted_content"):
            yield f"Item {item['id']} not found: nothing is stored"
        elif kind.endswith("_call"):
            if item["call_id"] in calls:
                yield f"two calls {item['call_id']}"
            calls[item["call_id"]] = f"{kind}_output"
        elif kind.endswith("_output") and calls.pop(item["call_id"], None) != kind:
            yield f"{kind} answers no such call"
    if calls:
        yield f"No tool output found for {', '.join(calls)}"
    for tool in body.get("tools", ()):
        if "function" in tool or "name" not in tool:
            yield "a tool that is not flat as Responses wants it"
        if tool["type"] == "function" and "strict" not in tool:
            yield "a function without strict"


def images_in(body: Json) -> int:
    return json.dumps(body).count("data:image/")


def text_of(body: Json) -> str:
    """All that the model reads of it."""
    return body.get("instructions", "") + json.dumps(
        body.get("messages") or body.get("input"), ensure_ascii=False
    )


def _out_of_order(messages: list[Json]) -> Iterator[str]:
    """Templates of several models raise when roles do not take turns."""
    first, *roles = [message["role"] for message in messages]
    if first != "system" or "system" in roles:
        yield "one system message has to come first, and no other"
    if roles[:1] != ["user"]:
        yield f"the conversation begins with {roles[:1]}"
    for before, role in pairwise(roles):
        if role == before == "user":
            yield "two messages of the user in a row"


def _unreadable(message: Json) -> Iterator[str]:
    content = message["content"]
    if not isinstance(content, str) and not (isinstance(content, list) and message["role"] == "user"):
        yield f"{type(content).__name__} as the content of {message['role']}"
    for call in message.get("tool_calls", ()):
        if not isinstance(json.loads(call["function"]["arguments"]), dict):
            yield "arguments that are no object"


def _unanswered(messages: list[Json]) -> Iterator[str]:
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"a result for {message['tool_call_id']}, which was not asked for"
            else:
                open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            yield f"no result for {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls", ())]
    if open_calls:
        yield f"no result for {open_calls}"
