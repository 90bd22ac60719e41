"""A person's words, taken out of what others asked, read and answered. Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.codecs import message_from_json
from bot.prompt import meanwhile, said_above

log = structlog.get_logger()

GONE = "[deleted]"
"""What stands for a person's words in other people's turns."""
LEAST_QUOTED = 12
"""Characters: shorter words are too common to be looked for in what others wrote."""


@dataclass(frozen=True, slots=True)
class Said:
    """A person's words in other people's turns."""

    texts: tuple[str, ...] = ()
    """As they stand there, the longest first: a short one may be a part of a longer one."""
    ids: frozenset[str] = frozenset()
    """Of their messages."""
    files: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Names of their files that other people's turns have taken in, by the turn."""


def renderings(message: dict[str, Any]) -> list[str]:
    """The message as models have read it in somebody else's turn."""
    text = message["text"].strip()
    if not text:
        return []
    found = []
    try:
        written = message_from_json(message)
        found = [said_above(written), meanwhile(written)]
    except (ValueError, KeyError):
        log.info("message.not_read", keys=sorted(message))
    return [*found, text] if len(text) >= LEAST_QUOTED else found


def without_files(value: Any, hashes: Collection[str]) -> Any:
    """The same with no word of these files: neither names nor hashes."""

    def stays(each: Any) -> bool:
        return not (isinstance(each, dict) and "name" in each and each.get("sha256") in hashes)

    if isinstance(value, list):
        return [without_files(each, hashes) for each in value if stays(each)]
    if isinstance(value, dict):
        return {name: without_files(each, hashes) for name, each in value.items() if stays(each)}
    return value


def redacted(value: Any, said: Said, names: Collection[str] = ()) -> Any:
    """The same without that person's words and messages, and without what was found out about the files so named."""
    if isinstance(value, str):
        for text in said.texts:
            value = value.replace(text, GONE)
        for name in names:
            value = re.sub(rf'<file name="{re.escape(name)}".*?</file>', GONE, value, flags=re.DOTALL)
        return value
    if isinstance(value, list):
        return [redacted(each, said, names) for each in value]
    if isinstance(value, dict):
        if _is_message(value) and value["id"] in said.ids:
            nobody = {**value["author"], "id": "", "name": GONE}
            return {**value, "author": nobody, "text": GONE, "attachments": []}
        if value.get("name") in names and "schema" in value:
            return {**value, "name": GONE, "text": GONE, "schema": GONE}
        return {name: redacted(each, said, names) for name, each in value.items()}
    return value


def messages_in(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if _is_message(value):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from messages_in(each)


def _is_message(value: dict[str, Any]) -> bool:
    return isinstance(value.get("author"), dict) and isinstance(value.get("text"), str) and "id" in value


def author_of(message: dict[str, Any]) -> str:
    return str(message["author"].get("id", ""))
