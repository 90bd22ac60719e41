"""Buttons: what they say and what they carry. All that a click needs is in its id, so that it works after a restart."""

import re
from dataclasses import dataclass
from enum import StrEnum

import discord
from discord import ui

from bot.messages import ThreadId
from bot.sentences import say

CUSTOM_ID = 100
"""Characters; https://discord.com/developers/docs/components/reference#custom-id."""


class Deed(StrEnum):
    STOP = "stop"
    SHOW_CODE = "code"
    EDIT = "edit"
    NOTEBOOK = "notebook"
    DELETE = "delete"
    LIKE = "like"
    DISLIKE = "dislike"
    ALLOW_ONCE = "once"
    ALLOW_THREAD = "thread"
    DENY = "deny"
    REVOKE = "revoke"


PATTERN = re.compile(rf"plotline:(?P<deed>{'|'.join(Deed)}):(?P<own>[01]):(?P<key>.+)")
"""`own` is 1 where the conversation is that of one member in the channel; `key` is the turn, the asker who may stop,
or the question about a host."""


@dataclass(frozen=True, slots=True)
class Button:
    deed: Deed
    key: str
    own: bool
    label: str = ""
    emoji: str = ""

    @property
    def custom_id(self) -> str:
        return f"plotline:{self.deed}:{int(self.own)}:{self.key}"


def under_answer(turn: str, thread: ThreadId, locale: str, *, has_code: bool) -> tuple[Button, ...]:
    """None where the key is too long to be carried."""
    own = is_own(thread)
    deeds = [Deed.SHOW_CODE, Deed.EDIT, Deed.NOTEBOOK] if has_code else []
    named = [Button(deed, turn, own, say(locale, _LABELS[deed])) for deed in deeds]
    named.append(Button(Deed.DELETE, turn, own, say(locale, "discord_delete")))
    rated = [Button(deed, turn, own, emoji=_EMOJI[deed]) for deed in (Deed.LIKE, Deed.DISLIKE)]
    made = (*named, *rated)
    return made if all(len(each.custom_id) <= CUSTOM_ID for each in made) else ()


def under_question(question: str, thread: ThreadId, locale: str) -> tuple[Button, ...]:
    """Whether code may reach a host."""
    deeds = (Deed.ALLOW_ONCE, Deed.ALLOW_THREAD, Deed.DENY)
    return tuple(Button(deed, question, is_own(thread), say(locale, _LABELS[deed])) for deed in deeds)


def revoke(question: str, locale: str, *, own: bool) -> Button:
    return Button(Deed.REVOKE, question, own, say(locale, _LABELS[Deed.REVOKE]))


def stop(asker: int, thread: ThreadId, locale: str) -> Button:
    return Button(Deed.STOP, str(asker), is_own(thread), say(locale, "discord_stop"))


def is_own(thread: ThreadId) -> bool:
    """Whether it is one member's conversation in a channel, as `inbound.of_member` names them."""
    return thread.count("/") > 1


def item(button: Button) -> ui.Button[ui.LayoutView]:
    style = _STYLES.get(button.deed, discord.ButtonStyle.secondary)
    label = button.label or None
    return ui.Button(style=style, label=label, emoji=button.emoji or None, custom_id=button.custom_id)


_LABELS = {
    Deed.SHOW_CODE: "discord_show_code",
    Deed.EDIT: "discord_edit",
    Deed.NOTEBOOK: "discord_notebook",
    Deed.ALLOW_ONCE: "host_allow_once",
    Deed.ALLOW_THREAD: "host_allow_thread",
    Deed.DENY: "host_deny",
    Deed.REVOKE: "host_revoke",
}
_STYLES = {
    Deed.STOP: discord.ButtonStyle.danger,
    Deed.ALLOW_ONCE: discord.ButtonStyle.primary,
    Deed.DENY: discord.ButtonStyle.danger,
}
_EMOJI = {Deed.LIKE: "👍", Deed.DISLIKE: "👎"}
