"""What Discord holds of a thread → a page that shows it. Pure; raises `KeyError` for what it cannot show."""

import re
from collections.abc import Callable
from datetime import datetime

from bot.sentences import size
from tests.pictures import page
from tests.pictures.played import Json, Played

Shown = Callable[[Json, Json, Played], str]


def html(played: Played) -> str:
    return page.page(played.title, [_said(each, played) for each in played.messages], "discord")


def _said(message: Json, played: Played) -> page.Said:
    author = message["author"]
    parts = [_text(message["content"], played)] if message["content"] else []
    parts += [_COMPONENTS[each["type"]](each, message, played) for each in message["components"]]
    if not message["components"]:
        parts += [page.file(each["filename"], size("en", each["size"])) for each in message["attachments"]]
    at = datetime.fromisoformat(message["timestamp"])
    return page.Said(author["global_name"], author["bot"], at, parts)


def _text(text: str, played: Played) -> str:
    shown = page.markdown(re.sub(r"<@(\d+)>", lambda found: f"\ue000@{played.names[found[1]]}\ue001", text))
    return shown.replace("\ue000", "<mark>").replace("\ue001", "</mark>")


def _display(component: Json, _message: Json, played: Played) -> str:
    return _text(component["content"], played)


def _gallery(component: Json, message: Json, played: Played) -> str:
    ids = {each["filename"]: each["id"] for each in message["attachments"]}
    return "".join(
        page.picture(
            played.files[ids[each["media"]["url"].removeprefix("attachment://")]], each["description"]
        )
        for each in component["items"]
    )


def _row(component: Json, _message: Json, _played: Played) -> str:
    return page.buttons([each.get("label") or each["emoji"]["name"] for each in component["components"]])


_COMPONENTS: dict[int, Shown] = {1: _row, 10: _display, 12: _gallery}
"""By the numbers that https://discord.com/developers/docs/components/reference gives them."""
