"""Modals and the Home tab: https://docs.slack.dev/surfaces. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adapters.slack import blocks
from adapters.slack.attachments import to_attachment
from adapters.slack.mrkdwn import from_markdown
from adapters.slack.safe import quiet
from adapters.split import split
from bot.messages import Attachment
from bot.sentences import say

Json = dict[str, Any]

ASK_FORM, CODE_FORM = "ask_form", "code_form"
FORGET = "forget_me"
INPUT_CHARACTERS = 3000
"""Of a text input; https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element."""
FILES = 10
HOME_CHARACTERS = 2900


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody filled in."""

    text: str
    attachments: tuple[Attachment, ...]
    channel: str
    """Where the answer belongs; empty for a DM."""


@dataclass(frozen=True, slots=True)
class About:
    """What a form for code is about. Slack keeps it with the form."""

    turn: str
    channel: str
    thread_ts: str

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "About":
        return cls(**json.loads(text))


def ask_form(locale: str) -> Json:
    return _modal(
        ASK_FORM,
        say(locale, "slack_ask_title"),
        say(locale, "slack_send"),
        say(locale, "slack_cancel"),
        [
            _text_input("question", say(locale, "slack_question"), ""),
            _file_input(say(locale, "slack_files"), FILES),
            {
                "type": "input",
                "block_id": "channel",
                "optional": True,
                "label": blocks.plain(say(locale, "slack_where")),
                "hint": blocks.plain(say(locale, "slack_where_hint")),
                "element": {"type": "conversations_select", "action_id": "channel"},
            },
        ],
    )


def code_form(code: str, about: About, locale: str) -> Json:
    """Code that is too long for an input is changed elsewhere and comes back as a file."""
    fits = len(code) <= INPUT_CHARACTERS
    note = [] if fits else [blocks.section(say(locale, "slack_code_too_long", limit=INPUT_CHARACTERS))]
    return {
        **_modal(
            CODE_FORM,
            say(locale, "slack_code_title"),
            say(locale, "slack_run"),
            say(locale, "slack_cancel"),
            [
                *note,
                _text_input("code", say(locale, "slack_code_label"), code if fits else ""),
                _file_input(say(locale, "slack_code_file"), 1),
            ],
        ),
        "private_metadata": str(about),
    }


def question_in(view: Json) -> Question:
    values = _values(view)
    text = str(values.get("question", {}).get("value") or "").strip()
    return Question(text, _files(values), str(values.get("channel", {}).get("selected_conversation") or ""))


def code_in(view: Json) -> tuple[str, tuple[Attachment, ...]]:
    """What was typed, or the file; the file counts where there are both."""
    values = _values(view)
    files = _files(values)
    return "" if files else str(values.get("code", {}).get("value") or ""), files


def error(block: str, sentence: str) -> Json:
    """The form stays open, with the sentence below that input."""
    return {"response_action": "errors", "errors": {block: sentence}}


def home(help_text: str, usage: str, introduction: str, locale: str) -> Json:
    sure = {
        "title": blocks.plain(say(locale, "slack_forget")[:100]),
        "text": blocks.plain(say(locale, "slack_forget_sure")[:300]),
        "confirm": blocks.plain(say(locale, "slack_delete")[:30]),
        "deny": blocks.plain(say(locale, "slack_keep")[:30]),
    }
    button = blocks.button(say(locale, "slack_forget"), FORGET, "me", style="danger", confirm=sure)
    return {
        "type": "home",
        "blocks": [
            *_words(help_text),
            {"type": "divider"},
            *_words(usage),
            {"type": "divider"},
            *_words(introduction),
            blocks.actions([button]),
        ],
    }


def prompts(locale: str) -> list[Json]:
    """At most four: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts."""
    keys = ("slack_prompt_file", "slack_prompt_chart", "slack_prompt_help")
    return [{"title": say(locale, key), "message": say(locale, f"{key}_message")} for key in keys]


def _words(markdown: str) -> list[Json]:
    return [blocks.section(from_markdown(piece)) for piece in split(quiet(markdown), HOME_CHARACTERS // 2)]


def _modal(callback: str, title: str, submit: str, close: str, inputs: Sequence[Json]) -> Json:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": blocks.plain(title[:24]),
        "submit": blocks.plain(submit[:24]),
        "close": blocks.plain(close[:24]),
        "blocks": list(inputs),
    }


def _text_input(name: str, label: str, value: str) -> Json:
    element: Json = {"type": "plain_text_input", "action_id": name, "multiline": True}
    if value:
        element["initial_value"] = value
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": blocks.plain(label),
        "element": {**element, "max_length": INPUT_CHARACTERS},
    }


def _file_input(label: str, most: int) -> Json:
    return {
        "type": "input",
        "block_id": "files",
        "optional": True,
        "label": blocks.plain(label),
        "element": {"type": "file_input", "action_id": "files", "max_files": most},
    }


def _values(view: Json) -> dict[str, Json]:
    """By the name of each input, which is its block's too."""
    state = (view.get("state") or {}).get("values") or {}
    return {block: (actions or {}).get(block) or {} for block, actions in state.items()}


def _files(values: dict[str, Json]) -> tuple[Attachment, ...]:
    return tuple(to_attachment(file) for file in values.get("files", {}).get("files") or [])
