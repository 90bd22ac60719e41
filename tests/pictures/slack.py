"""What Slack holds of a thread → a page that shows it. Pure; raises `KeyError` for what it cannot show."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

from bot.sentences import size
from tests.pictures import page
from tests.pictures.played import Json, Played


def html(played: Played) -> str:
    return page.page(played.title, [_said(each, played) for each in played.messages], "slack")


def _said(message: Json, played: Played) -> page.Said:
    blocks = [_BLOCKS[each["type"]](each) for each in message.get("blocks", ())]
    parts = blocks or [_text(message["text"], played)]
    parts += [_file(each, played, message["text"]) for each in message.get("files", ())]
    at = datetime.fromtimestamp(float(message["ts"]), UTC)
    return page.Said(played.names[message["user"]], "bot_id" in message, at, parts)


def _text(text: str, played: Played) -> str:
    shown = re.sub(r"&lt;@(\w+)&gt;", lambda found: f"<mark>@{played.names[found[1]]}</mark>", escape(text))
    return f'<div class="text"><p>{shown}</p></div>'


def _file(file: Json, played: Played, described: str) -> str:
    if file["name"].endswith(".png"):
        name = f'<div class="name">{escape(file["name"])}</div>'
        return name + page.picture(played.files[file["id"]], described)
    return page.file(file["name"], size("en", file["size"]))


def _markdown(block: Json) -> str:
    return page.markdown(block["text"])


def _table(block: Json) -> str:
    head, *rows = (
        [f'<td class="{cell["type"]}">{escape(cell["text"])}</td>' for cell in row] for row in block["rows"]
    )
    lines = "".join(f"<tr>{''.join(each)}</tr>" for each in rows)
    return f"<table><thead><tr>{''.join(head)}</tr></thead><tbody>{lines}</tbody></table>"


def _container(block: Json) -> str:
    """As it is at first: closed."""
    sign = "▸" if block["default_collapsed"] else "▾"
    return f'<div class="container">{sign} {escape(block["title"]["text"])}</div>'


def _actions(block: Json) -> str:
    return page.buttons([each["text"]["text"] for each in block["elements"]])


def _context_actions(block: Json) -> str:
    sides = ("positive_button", "negative_button")
    return page.buttons([each[side]["text"]["text"] for each in block["elements"] for side in sides], "small")


_BLOCKS: dict[str, Callable[[Json], str]] = {
    "markdown": _markdown,
    "data_table": _table,
    "container": _container,
    "actions": _actions,
    "context_actions": _context_actions,
}
