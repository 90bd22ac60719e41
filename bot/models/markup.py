"""What some models write into their text that is not for people: thoughts, and tool calls as text.

A server with the right template takes both out; many have a wrong one.
"""

import json
import re
from collections.abc import Sequence
from uuid import uuid4

import json_repair

from bot.ports import Tool
from bot.transcript import ToolCall

_THOUGHTS = re.compile(r"\s*<(think|thinking|thought)>.*?(</\1>\s*|$)", re.DOTALL)
_END_OF_THOUGHTS = "</think>"
"""Some templates put the opening tag into the prompt, so that only this one arrives."""
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|$)", re.DOTALL)
_CALLS_OF_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])", re.DOTALL)
_TAGS = ("<think>", "<thinking>", "<thought>", "<tool_call>", "[TOOL_CALLS]")


def visible(text: str) -> str:
    """The part of an unfinished reply that people may see: no thoughts, no calls, no tag cut in half."""
    said = without_thoughts(text)
    for tag in ("<tool_call>", "[TOOL_CALLS]"):
        said = said.partition(tag)[0]
    for tag in _TAGS:
        for length in range(len(tag) - 1, 0, -1):
            if said.endswith(tag[:length]):
                return said[:-length]
    return said


def without_thoughts(text: str) -> str:
    said = _THOUGHTS.sub("", text, count=1) if _THOUGHTS.match(text) else text
    return said.rpartition(_END_OF_THOUGHTS)[2].lstrip() if _END_OF_THOUGHTS in said else said


def calls_in(text: str, tools: Sequence[Tool]) -> tuple[str, tuple[ToolCall, ...]]:
    """The text without the calls in it, and these. Only what names one of `tools` is a call."""
    written = [*_CALL.findall(text), *_CALLS_OF_MISTRAL.findall(text)]
    rest = _CALLS_OF_MISTRAL.sub("", _CALL.sub("", text)).strip()
    if not written and (whole := _unfenced(text)).startswith("{"):
        written, rest = [whole], ""
    calls = tuple(call for each in written for call in _calls(each, tools))
    return (rest, calls) if calls else (text, ())


def _calls(written: str, tools: Sequence[Tool]) -> list[ToolCall]:
    if in_xml := re.match(
        r"<function=([\w.-]+)>\s*<parameter=[\w.-]+>\n?(.*?)\n?(?:</parameter>|$)", written, re.DOTALL
    ):
        return _known([ToolCall(_new_id(), in_xml[1], in_xml[2])], tools)
    try:
        asked = json.loads(written, strict=False)
    except (ValueError, RecursionError):
        asked = json_repair.loads(written)
    found = [each for each in (asked if isinstance(asked, list) else [asked]) if isinstance(each, dict)]
    return _known([_call(each) for each in found], tools)


def _call(asked: dict[str, object]) -> ToolCall:
    function = asked.get("function")
    if isinstance(function, dict):
        asked = function
    arguments = asked.get("arguments", asked.get("parameters", {}))
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(_new_id(), str(asked.get("name", "")), text)


def _known(calls: Sequence[ToolCall], tools: Sequence[Tool]) -> list[ToolCall]:
    names = {tool.name for tool in tools}
    return [call for call in calls if call.name in names]


def _unfenced(text: str) -> str:
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", text, re.DOTALL)
    return (fenced[1] if fenced else text).strip()


def _new_id() -> str:
    return f"call_{uuid4().hex}"
