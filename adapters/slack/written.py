"""A text that is still being written: how much of it can be shown, and as which pieces of a stream. Pure."""

from collections.abc import Sequence
from typing import Any

from adapters.slack.safe import safe
from adapters.structure import boundaries

Json = dict[str, Any]


def showable(text: str, *, is_whole: bool) -> str:
    """As much of it as will not change when more follows: no half link, no half mention.

    Nothing in a draft leads anywhere: which hosts may be linked is decided with the answer.
    """
    return safe(text if is_whole else text[: _settled(text)], hosts=())


def _settled(text: str) -> int:
    """Where the last word begins, or before it the link or the code that has no end yet."""
    begins = text.rfind("\n") + 1
    end = max(text.rfind(" ") + 1, begins)
    line = text[begins:end]
    is_open = (
        line.count("[") > line.count("](") or line.count("<") > line.count(">") or line.count("`") % 2 == 1
    )
    opened = [at for at in map(line.find, "[<`") if at >= 0]
    return begins + min(opened) if is_open and not line.lstrip().startswith("```") else end


def opening_fence(text: str) -> str:
    """The line with which code has to go on after `text`; empty where it ends outside of code."""
    return "\n".join(boundaries(text.split("\n"))[-1].opening)


def closing_fence(text: str) -> str:
    """The line that ends the code in which `text` ends."""
    return boundaries(text.split("\n"))[-1].closing or ""


def chunk(text: str) -> Json:
    return {"type": "markdown_text", "text": text}


def text_in(chunks: Sequence[Json]) -> str:
    return "".join(each["text"] for each in chunks if each["type"] == "markdown_text")


def weight(chunks: Sequence[Json]) -> int:
    """Bytes as Slack counts them: what cards say is counted twice."""
    total = 0
    for each in chunks:
        said = [str(each.get(name) or "") for name in ("text", "title", "output")]
        total += len("".join(said).encode()) * (1 if each["type"] == "markdown_text" else 2)
    return total
