"""Where a Markdown text may be cut, how much is torn there, and what mends it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Boundary:
    """The place before a line, or behind the last one."""

    cost: float = 0.0
    """Of a cut: 0 between two paragraphs, `NEVER` where it would change what the lines mean."""
    torn: tuple[int, int] | None = None
    """First line of the code or table that a cut would tear, and the line behind it."""
    opening: tuple[str, ...] = ()
    """Lines that have to stand before what follows: the fence's first line, the table's head."""
    closing: str | None = None
    """The line that has to end what came before."""
    item_end: int = 0
    """The line behind the list item that a cut would leave: its lines are indented no more than need be."""
    number: tuple[str, str] | None = None
    """An ordered item: as it is numbered in the text, and as people see it numbered."""


NEVER = 5.0
_AFTER_HEADING = 1.0
_EMPTY_FENCE = 1.0
_AFTER_COLON = 0.25
_NO_BLANK_LINE = 0.05
_BETWEEN_ITEMS = 0.3
_IN_QUOTE = 0.4
_IN_ITEM = 0.5
_IN_PARAGRAPH = 0.6

_MARKERS = re.compile(r"(?:[ \t>]|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))*")
"""What stands before a block in lists and quotations."""


def boundaries(lines: Sequence[str]) -> list[Boundary]:
    """One before each line, and one behind the last."""
    found = [_between(lines, at) for at in range(len(lines) + 1)]
    for token in _Parser().parse("\n".join(lines)):
        _mark(found, lines, token)
    return found


class _Parser:
    def __init__(self) -> None:
        self._parser = MarkdownIt("commonmark").enable("table").disable("inline")

    def parse(self, text: str) -> list[Token]:
        """Blocks, outer ones before those in them; items of ordered lists have `meta["number"]`."""
        tokens = self._parser.parse(text)
        numbers: list[int | None] = []
        for token in tokens:
            if token.type == "ordered_list_open":
                numbers.append(int(token.attrs.get("start", 1)))
            elif token.type == "bullet_list_open":
                numbers.append(None)
            elif token.type in {"ordered_list_close", "bullet_list_close"}:
                numbers.pop()
            elif token.type == "list_item_open" and (number := numbers[-1]) is not None:
                token.meta["number"] = str(number)
                numbers[-1] = number + 1
        return tokens


def _between(lines: Sequence[str], at: int) -> Boundary:
    at_blank = at in {0, len(lines)} or not lines[at].strip() or not lines[at - 1].strip()
    return Boundary(cost=0.0 if at_blank else _NO_BLANK_LINE)


def _mark(found: list[Boundary], lines: Sequence[str], token: Token) -> None:
    if token.map is None:
        return
    first, end = token.map
    inside = range(first + 1, min(end, len(lines)))
    match token.type:
        case "bullet_list_open" | "ordered_list_open":
            _change(found, inside, cost=_BETWEEN_ITEMS)
        case "blockquote_open":
            _change(found, inside, cost=_IN_QUOTE)
        case "list_item_open":
            _change(found, inside, cost=_IN_ITEM, item_end=end)
            if token.meta.get("number", token.info) != token.info:
                _change(found, range(first, first + 1), number=(token.info, token.meta["number"]))
        case "paragraph_open":
            _change(found, inside, cost=_IN_PARAGRAPH)
            if lines[end - 1].rstrip().endswith(":"):
                _raise(found, lines, end, _AFTER_COLON)
        case "heading_open":
            _change(found, inside, cost=NEVER)
            _raise(found, lines, end, _AFTER_HEADING)
        case "code_block" | "html_block":
            _change(found, inside, torn=(first, end))
        case "table_open":
            _change(found, inside, torn=(first, end), opening=(_bare(lines[first]), _bare(lines[first + 1])))
            _change(found, inside[:2], cost=NEVER)
        case "fence":
            _mark_fence(found, lines, token)


def _mark_fence(found: list[Boundary], lines: Sequence[str], token: Token) -> None:
    first, end = token.map or (0, 0)
    opening = _bare(lines[first])
    closing = opening[: len(opening) - len(opening.lstrip(" \t>"))] + token.markup
    inside = range(first + 1, min(end, len(lines)))
    _change(found, inside, torn=(first, end), opening=(opening,), closing=closing)
    # A code block that is all fence says nothing.
    _change(found, inside[:1], cost=_EMPTY_FENCE)
    if _ends_with_fence(lines, token):
        _change(found, inside[-1:], cost=_EMPTY_FENCE)
    elif not any(line.strip() for line in lines[end:]):
        found[len(lines)] = replace(found[len(lines)], opening=(opening,), closing=closing)


def _ends_with_fence(lines: Sequence[str], token: Token) -> bool:
    first, end = token.map or (0, 0)
    fence = rf"[ \t>]*{re.escape(token.markup)}{re.escape(token.markup[0])}*[ \t]*"
    return end - 1 > first and bool(re.fullmatch(fence, lines[min(end, len(lines)) - 1]))


def _change(found: list[Boundary], where: range, **facts: object) -> None:
    for at in where:
        found[at] = replace(found[at], **facts)  # type: ignore[arg-type]  # fields of a Boundary


def _raise(found: list[Boundary], lines: Sequence[str], behind: int, cost: float) -> None:
    """What belongs together: the block that ends there, and the next one."""
    at = behind
    while at < len(lines):
        found[at] = replace(found[at], cost=found[at].cost + cost)
        if lines[at].strip():
            break
        at += 1


def _bare(line: str) -> str:
    """The line as it would stand in the same place without beginning a list item."""
    match = _MARKERS.match(line)
    markers = match[0] if match else ""
    return re.sub(r"[^ \t>]", " ", markers) + line[len(markers) :]
