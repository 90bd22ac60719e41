"""Tables of a model's Markdown → Slack's own tables, as far as they fit. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.workbook import is_number

Json = dict[str, Any]

ROWS = 100
"""Of a table block, its head included: https://docs.slack.dev/reference/block-kit/blocks/table-block."""
COLUMNS = 20
CELL_CHARACTERS = 9_500
"""Of all cells together; Slack takes 10,000."""
BLOCK_CHARACTERS = 9_000
"""Of the block as JSON: some 13,200 are all that a message may have, and each cell takes thirty besides its text."""
FIRST_ROWS = 20
"""Of a table that comes as a file, shown in the message."""
PAGE = 10
CAPTION_CHARACTERS = 150
BLANK = "\u00a0"
"""What an empty cell holds: Slack wants a character."""


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as the head. Cells are plain text."""
    align: tuple[str, ...]
    """`left`, `center` or `right`, by column."""
    source: str
    """Its Markdown."""

    @property
    def is_small(self) -> bool:
        """Whether a message can show all of it, one way or another."""
        characters = sum(len(cell) for row in (self.head, *self.rows) for cell in row)
        return len(self.rows) < ROWS and len(self.head) <= COLUMNS and characters <= CELL_CHARACTERS

    def first(self, rows: int) -> "Table":
        """Its beginning, in as many columns as a message can show."""
        head, rest = self.head[:COLUMNS], tuple(row[:COLUMNS] for row in self.rows[:rows])
        align = self.align[:COLUMNS]
        return Table(head, rest, align, _markdown(head, rest, align))


def parts(markdown: str) -> Iterator[str | Table]:
    """The text in pieces: tables that stand by themselves, and what is between them. Blank text is left out."""
    lines = markdown.split("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    position = 0
    for at, token in enumerate(tokens):
        if token.type == "table_open" and token.level == 0 and token.map:
            first, end = token.map
            if text := "\n".join(lines[position:first]).strip("\n"):
                yield text
            yield _table(tokens[at:], "\n".join(lines[first:end]).strip("\n"))
            position = end
    if text := "\n".join(lines[position:]).strip("\n"):
        yield text


def data_table(table: Table) -> Json | None:
    """Pages, sorting, search; None where it would be too large. Newer than some Slacks are."""
    if not table.is_small or not table.rows:
        return None
    numbers = [all(is_number(row[at]) for row in table.rows) for at in range(len(table.head))]
    rows = [[_text(cell) for cell in table.head]]
    rows += [
        [_number(cell) if numbers[at] else _text(cell) for at, cell in enumerate(row)] for row in table.rows
    ]
    caption = ", ".join(cell for cell in table.head if cell)[:CAPTION_CHARACTERS] or BLANK
    return _if_short({"type": "data_table", "caption": caption, "rows": rows, "page_size": PAGE})


def plain_table(table: Table) -> Json | None:
    """The older kind."""
    if not table.is_small:
        return None
    rows = [[_text(cell) for cell in row] for row in (table.head, *table.rows)]
    return _if_short(
        {"type": "table", "rows": rows, "column_settings": [{"align": each} for each in table.align]}
    )


def _if_short(block: Json) -> Json | None:
    return block if len(json.dumps(block, ensure_ascii=False)) <= BLOCK_CHARACTERS else None


def _number(cell: str) -> Json:
    return {"type": "raw_number", "value": float(cell) if "." in cell else int(cell), "text": cell}


def _text(cell: str) -> Json:
    return {"type": "raw_text", "text": cell or BLANK}


def _table(tokens: Sequence[Token], source: str) -> Table:
    lines: list[list[str]] = []
    align: list[str] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            lines.append([])
        elif token.type == "th_open":
            style = str(token.attrs.get("style", ""))
            align.append(next((each for each in ("center", "right") if each in style), "left"))
        elif token.type == "inline":
            lines[-1].append(_plain(token))
    return Table(tuple(lines[0]), tuple(tuple(line) for line in lines[1:]), tuple(align), source)


def _plain(inline: Token) -> str:
    """What is read of a cell, without marks."""
    shown = (_shown(token) for token in inline.children or ())
    return "".join(shown).strip()


def _shown(token: Token) -> str:
    match token.type:
        case "text" | "code_inline" | "text_special":
            return token.content
        case "softbreak" | "hardbreak":
            return " "
        case "html_inline":
            return " " if re.fullmatch(r"<br\s*/?>", token.content) else token.content
        case "image":
            return token.content
    return ""


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str]) -> str:
    rule = {"left": "---", "center": ":-:", "right": "--:"}
    lines = [_line(head), _line([rule[each] for each in align], escape=False), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str], *, escape: bool = True) -> str:
    shown = (re.sub(r"([\\|`*_\[\]<])", r"\\\1", cell) if escape else cell for cell in cells)
    return "| " + " | ".join(shown) + " |"
