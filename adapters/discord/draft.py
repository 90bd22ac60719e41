"""One message to be sent, and how discord.py wants it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
from discord import ui

from adapters.discord import buttons
from adapters.discord.buttons import Button
from adapters.discord.files import SentFile
from adapters.discord.render import Piece


@dataclass(frozen=True, slots=True)
class Draft:
    piece: Piece
    buttons: tuple[Button, ...] = ()
    marker: int = 0
    """The id of its first component: with it the message can be found again among our own. 0 for none."""
    is_rich: bool = True
    """With Discord's newer components; without them text is shorter, and pictures stand below it."""
    is_silent: bool = False
    """Nobody's phone rings."""

    def simpler(self, piece: Piece) -> "Draft":
        return replace(self, piece=piece, is_rich=False)

    def to_send(self) -> dict[str, Any]:
        """Arguments for discord.py's methods that send. Good for one call: files are read by it."""
        files = list(map(_file, self.piece.files))
        silent: dict[str, Any] = {"silent": True} if self.is_silent else {}
        if self.is_rich:
            return {"view": self._layout(), "files": files, **silent}
        sent: dict[str, Any] = {"content": self.piece.text, "files": files, "suppress_embeds": True, **silent}
        return sent | ({"view": self._view()} if self.buttons else {})

    def to_edit(self) -> dict[str, Any]:
        """Arguments for those that edit: nothing of what was there before stays."""
        files = list(map(_file, self.piece.files))
        if self.is_rich:
            return {"content": None, "embeds": [], "view": self._layout(), "attachments": files}
        view = self._view() if self.buttons else None
        return {"content": self.piece.text, "embeds": [], "view": view, "attachments": files}

    def _layout(self) -> ui.LayoutView:
        view = ui.LayoutView(timeout=None)
        if self.piece.text:
            view.add_item(ui.TextDisplay(self.piece.text))
        if self.piece.pictures:
            view.add_item(ui.MediaGallery(*map(_picture, self.piece.pictures)))
        for document in self.piece.documents:
            view.add_item(ui.File(f"attachment://{document.name}"))
        for row in _rows(self.buttons):
            view.add_item(ui.ActionRow(*map(buttons.item, row)))
        if self.marker:
            view.children[0].id = self.marker
        # Clicks are found by their ids (`clicks`), so discord.py need not remember this view.
        view.stop()
        return view

    def _view(self) -> ui.View:
        view = ui.View(timeout=None)
        for number, row in enumerate(_rows(self.buttons)):
            for button in row:
                item = buttons.item(button)
                item.row = number
                view.add_item(item)
        view.stop()
        return view


def markers(message: Mapping[str, Any]) -> set[int]:
    """Of a message as Discord sends it."""
    return {int(component.get("id") or 0) for component in message.get("components", ())}


def _rows(given: Sequence[Button]) -> list[list[Button]]:
    """Those with words beside each other, and those without below; each row has room for five:
    https://discord.com/developers/docs/components/reference#action-row."""
    rows = ([each for each in given if each.label], [each for each in given if not each.label])
    return [row for row in rows if row]


def _file(file: SentFile) -> discord.File:
    source = file.source if isinstance(file.source, Path) else io.BytesIO(file.source)
    return discord.File(source, filename=file.name, description=file.alt_text or None)


def _picture(file: SentFile) -> discord.MediaGalleryItem:
    return discord.MediaGalleryItem(f"attachment://{file.name}", description=file.alt_text or None)
