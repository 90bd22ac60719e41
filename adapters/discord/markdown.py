"""A model's Markdown → what Discord shows of it: https://support.discord.com/hc/en-us/articles/210298617. Pure."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.discord import links, tables
from adapters.discord.tables import Table

_HEADING = re.compile(r"^(#{4,6})\s+(.*?)\s*#*$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_TASK = re.compile(r"^(\s*[-*+] )\[([ xX])\] ")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]+")
BROKEN_FENCE = "`\u200b`\u200b`"
"""Discord ends code at the first three backticks, however many it began with."""


@dataclass(frozen=True, slots=True)
class Translated:
    text: str
    tables: tuple[Table, ...]
    """Those that the text does not show whole, in order: they belong into files."""


def translate(text: str, known_hosts: Collection[str], table_note: Callable[..., str]) -> Translated:
    """`table_note` gives the line below a table that is not whole, of its `number`, `rows` and `columns`."""
    lines = text.replace("\r\n", "\n").split("\n")
    left: list[Table] = []
    parts: list[str] = []
    position = 0
    for first, end, block in _blocks("\n".join(lines)):
        parts += _words(lines[position:first], known_hosts)
        if isinstance(block, Table):
            parts.append(_table(block, left, table_note))
        else:
            parts.append(_fenced(*block))
        position = end
    parts += _words(lines[position:], known_hosts)
    return Translated("\n".join(parts), tuple(left))


def _blocks(text: str) -> Iterator[tuple[int, int, Table | tuple[str, str]]]:
    """Tables, and code with its language: each with its first line and the one behind it."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for at, token in enumerate(tokens):
        if token.map is None:
            continue
        first, end = token.map
        if token.type == "fence":
            yield first, end, (_language(token.info), token.content)
        elif token.type == "table_open":
            yield first, end, tables.table(_until_close(tokens, at))


def _until_close(tokens: Sequence[Token], at: int) -> Sequence[Token]:
    close = next(end for end in range(at, len(tokens)) if tokens[end].type == "table_close")
    return tokens[at:close]


def _language(info: str) -> str:
    word = info.strip().split(" ")[0]
    return word if _LANGUAGE.fullmatch(word) else ""


def _fenced(language: str, content: str) -> str:
    return f"```{language}\n{content.rstrip().replace('```', BROKEN_FENCE)}\n```"


def _table(found: Table, left: list[Table], note: Callable[..., str]) -> str:
    lines, is_whole = tables.shown(found)
    block = _fenced("", lines) if lines else ""
    if is_whole:
        return block
    left.append(found)
    said = note(number=len(left), rows=len(found.rows), columns=len(found.head))
    return f"{block}\n-# {said}".strip()


def _words(lines: Sequence[str], known_hosts: Collection[str]) -> list[str]:
    if not lines:
        return []
    text = "\n".join(_line(line, before) for line, before in zip(lines, ["", *lines], strict=False))
    return [links.checked(text, known_hosts)]


def _line(line: str, before: str) -> str:
    if _RULE.match(line) and not before.strip():
        return ""
    heading = _HEADING.match(line)
    if heading:
        return f"**{heading[2].replace('**', '')}**"
    line = _TASK.sub(lambda match: f"{match[1]}{'☐' if match[2] == ' ' else '☑'} ", line)
    return _BREAK.sub("\n", line)
