"""The form in which people write code."""

from typing import Final

import discord
from discord import ui

from bot.sentences import say

CODE: Final = "code"
FILE: Final = "file"
"""Custom ids of the fields, as `inbound.form` gives them."""
FIELD = 4000
"""Characters; https://discord.com/developers/docs/components/reference#text-input."""
RUN: Final = "plotline:run"
EDIT: Final = "plotline:form:"
"""Custom ids of the forms; behind the second stands whose code it changes, as on the button."""


def code_form(custom_id: str, title: str, locale: str, code: str = "") -> ui.Modal:
    """`code` to begin with; one that is too long for the field has to come back as a file."""
    form = ui.Modal(title=title, custom_id=custom_id, timeout=None)
    field: ui.TextInput[ui.Modal] = ui.TextInput(
        style=discord.TextStyle.paragraph,
        custom_id=CODE,
        default=code if len(code) <= FIELD else None,
        required=False,
        max_length=FIELD,
    )
    file: ui.FileUpload[ui.Modal] = ui.FileUpload(custom_id=FILE, required=False, max_values=1)
    form.add_item(ui.Label(text=say(locale, "discord_form_code"), component=field))
    form.add_item(ui.Label(text=say(locale, "discord_form_file"), component=file))
    # Submissions are found by their ids, also after a restart: discord.py need not remember the form.
    form.stop()
    return form
