"""Buttons that work for ever: a click is understood by its id alone."""

import re
from typing import Any, Self

import discord
from discord import ui

from adapters.discord.buttons import PATTERN, Deed


class Click(ui.DynamicItem[ui.Button[Any]], template=PATTERN):
    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item)
        self._deed = Deed(match["deed"])
        self._own = match["own"] == "1"
        self._key = match["key"]

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, ui.Button)  # noqa: S101  # nothing else has ids of this form
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.client.clicked(interaction, self._deed, own=self._own, key=self._key)
