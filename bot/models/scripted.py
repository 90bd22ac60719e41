"""A file that plays the model's part: fixed words and code for known questions. Nothing is sent anywhere.

A script is Markdown. A heading of the second level holds phrases, with commas between; what stands below it answers
every question in which all of them occur. A line `---` ends one reply and begins the next. Python in fences is run,
and the replies after it may name what it printed:

    ## best, month

    I look at the file first.

    ```python
    print('{"month": "May", "total": 1234.5}')
    ```

    ---

    **{month}** was the best month, with {total:,.0f} € in sales.

`{name}` is a value of a JSON object that the code printed on a line of its own, written as Python's formats say, and
`{artifacts[0]}` is the first file that it left. So the words are fixed, and the numbers never are. What stands above
the first such heading is for readers.
"""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bot.ports import Request
from bot.transcript import Entry, Prompt, Reply, ToolCall, ToolResult

PAUSE_SECONDS = 0.02
CONTEXT_TOKENS = 128_000

UNKNOWN = (
    "A script plays the model's part here, so nothing is sent anywhere; it knows only questions about:\n\n{known}\n\n"
    "Set OPENAI_API_KEY or OPENAI_BASE_URL to ask a real model."
)
NO_MORE = "(The script has no more to say about this.)"
NOT_PRINTED = (
    "The code did not print what the script counts on ({missing}). The last it gave was:\n\n{result}"
)


class ScriptedModel:
    """The Model port without a model. `pause_seconds` go by between two words, so that people see them come."""

    name = "script"
    context_tokens = CONTEXT_TOKENS
    sees_images = True

    def __init__(self, script: str, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._scenes = _scenes_in(script)
        self._pause_seconds = pause_seconds

    @classmethod
    def load(cls, path: Path, *, pause_seconds: float = PAUSE_SECONDS) -> "ScriptedModel":
        return cls(path.read_text("utf-8"), pause_seconds=pause_seconds)

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        line = _next_line(self._scenes, request.entries)
        for word in re.finditer(r"\S+\s*", line.text):
            on_text(line.text[: word.end()])
            await asyncio.sleep(self._pause_seconds)
        calls = [
            ToolCall(uuid.uuid4().hex, tool.name, json.dumps({tool.argument: code}))
            for tool in request.tools[:1]
            for code in line.cells
        ]
        return Reply(line.text, tuple(calls))


@dataclass(slots=True)
class _Line:
    """One reply: what is said, then the code that is to be run."""

    text: str = ""
    cells: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Scene:
    """All replies to one question."""

    phrases: list[str]
    lines: list[_Line] = field(default_factory=lambda: [_Line()])

    def answers(self, question: str) -> bool:
        return all(phrase.casefold() in question.casefold() for phrase in self.phrases)


def _scenes_in(script: str) -> list[_Scene]:
    source = script.splitlines()
    scenes: list[_Scene] = []
    for token in MarkdownIt().parse(script):
        if token.level or not token.map:
            continue
        written = "\n".join(source[slice(*token.map)]).strip()
        if token.type == "heading_open" and token.tag == "h2":
            scenes.append(_Scene([phrase.strip() for phrase in written.strip("# ").split(",")]))
        elif not scenes:
            continue
        elif token.type == "hr":
            scenes[-1].lines.append(_Line())
        elif token.type == "fence" and token.info.strip() == "python":
            scenes[-1].lines[-1].cells.append(token.content)
        else:
            line = scenes[-1].lines[-1]
            line.text = f"{line.text}\n\n{written}".strip()
    return scenes


def _next_line(scenes: Sequence[_Scene], entries: Sequence[Entry]) -> _Line:
    turn = _newest_turn(entries)
    # Only the first paragraph of a prompt is the question: names of files that follow would match as well.
    question = turn[0].text.partition("\n\n")[0] if turn else ""
    scene = next((each for each in scenes if each.answers(question)), None)
    if scene is None:
        known = "\n".join(f"- {', '.join(each.phrases)}" for each in scenes)
        return _Line(UNKNOWN.format(known=known))
    said = sum(isinstance(entry, Reply) for entry in turn)
    if said >= len(scene.lines):
        return _Line(NO_MORE)
    results = [entry.text for entry in turn if isinstance(entry, ToolResult)]
    return replace(scene.lines[said], text=_filled_in(scene.lines[said].text, results))


def _newest_turn(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The newest prompt and what has followed it."""
    prompts = [number for number, entry in enumerate(entries) if isinstance(entry, Prompt)]
    return entries[prompts[-1] :] if prompts else ()


def _filled_in(text: str, results: Sequence[str]) -> str:
    values: dict[str, Any] = {"artifacts": [name for result in results for name in _artifacts(result)]}
    for result in results:
        for printed in _objects(result):
            values |= printed
    try:
        return text.format_map(values)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return NOT_PRINTED.format(missing=error, result=results[-1] if results else "nothing")


def _objects(result: str) -> Iterator[dict[str, Any]]:
    for line in result.splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:  # a dict that Python printed, or a set
                continue


def _artifacts(result: str) -> list[str]:
    """By the line that `bot.results` writes of them."""
    listed = re.search(r"^People get with your answer: (.+)", result, flags=re.MULTILINE)
    return re.findall(r"(?:^|; )([^;]+?) \([\d,]+ bytes\)", listed[1]) if listed else []
