"""Putting a streamed Responses reply together, event by event."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bot.models.complaints import Failure, failure_in
from bot.transcript import ToolCall, Usage

Json = dict[str, Any]

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that ask for a tool, and the field in which what they ask for stands."""


@dataclass(slots=True)
class Events:
    """What has arrived so far. Kinds of events that we don't know are passed over."""

    items: list[Json] = field(default_factory=list[Json])
    """Of the output, those that are whole."""
    response: Json | None = None
    """Once the reply has come to its end."""
    failure: Failure | None = None
    """Once the endpoint has said that there will be none."""
    began: bool = False
    _texts: dict[int, str] = field(default_factory=dict[int, str])
    """Of messages, by their place in the output."""
    _phases: dict[int, str] = field(default_factory=dict[int, str])

    def take(self, event: Json) -> None:
        self.began = True
        place = event.get("output_index", 0)
        match event.get("type"):
            case "response.output_item.added":
                self._phases[place] = event["item"].get("phase", "")
            case "response.output_text.delta" | "response.refusal.delta":
                self._texts[place] = self._texts.get(place, "") + event["delta"]
            case "response.output_item.done":
                self.items.append(event["item"])
            case "response.completed" | "response.incomplete" | "response.failed":
                self.end(event["response"])
            case "error":
                self.failure = failure_in(event)

    def end(self, response: Json) -> None:
        """With the whole response, as it comes last, or alone where nothing is streamed."""
        self.began = True
        if response.get("error"):
            self.failure = failure_in(response)
        self.response = response
        self.items = self.items or response.get("output") or []

    @property
    def are_over(self) -> bool:
        return self.response is not None or self.failure is not None

    @property
    def text(self) -> str:
        whole = _joined([(item.get("phase", ""), _text(item)) for item in self.items])
        if self.response and whole:
            return whole
        return _joined([(self._phases.get(place, ""), text) for place, text in sorted(self._texts.items())])

    @property
    def cut_off_by(self) -> str:
        """Why the reply is not whole: `max_output_tokens`, `content_filter`; "" if it is."""
        details = (self.response or {}).get("incomplete_details") or {}
        return str(details.get("reason") or "")

    @property
    def usage(self) -> Usage:
        usage = (self.response or {}).get("usage") or {}
        details = usage.get("input_tokens_details") or {}
        return Usage(
            input_tokens=usage.get("input_tokens") or 0,
            output_tokens=usage.get("output_tokens") or 0,
            cached_tokens=details.get("cached_tokens") or 0,
        )

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(_tool_call(item) for item in self.items if item.get("type") in CALLS)


def _text(item: Json) -> str:
    if item.get("type") != "message":
        return ""
    return "".join(part.get("text") or part.get("refusal") or "" for part in item.get("content") or ())


def _joined(texts: Sequence[tuple[str, str]]) -> str:
    """What is said to people: the answer, once there is one, without the comments on the way to it."""
    answers = [text for phase, text in texts if phase == "final_answer"]
    return "\n\n".join(text for text in answers or [text for _, text in texts] if text)


def _tool_call(item: Json) -> ToolCall:
    """The item keeps the id that it gets here: it may go back to the endpoint, and so does the result."""
    item["call_id"] = item.get("call_id") or item.get("id") or f"call_{uuid4().hex}"
    asked = item.get(CALLS[item["type"]]) or ""
    arguments = asked if isinstance(asked, str) else json.dumps(asked)
    return ToolCall(item["call_id"], item.get("name", ""), arguments)
