"""Slack's blocks, as few kinds as we use: https://docs.slack.dev/reference/block-kit/blocks. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from adapters.slack.mrkdwn import escape

Json = dict[str, Any]

SECTION_CHARACTERS = 3000
MARKDOWN_CHARACTERS = 12_000
"""Of all markdown blocks of a message together."""
PAYLOAD_CHARACTERS = 12_600
"""Of all blocks of a message as JSON: Slack was seen to refuse some 13,200 (slackapi/bolt-js#2509)."""
TEXT_CHARACTERS = 3900
"""Of a message's plain text, so that it fits into an update too."""


def size(value: object) -> int:
    """Characters of it as JSON, counted as JavaScript counts them."""
    return len(json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")) // 2


def markdown(text: str) -> Json:
    return {"type": "markdown", "text": text}


def section(mrkdwn: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def header(text: str) -> Json:
    return {"type": "header", "text": plain(text[:150])}


def context(mrkdwn: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def actions(elements: Sequence[Json]) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(text: str, action: str, value: str, **facts: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action, "value": value, **facts}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def folded(title: str, children: Sequence[Json]) -> Json:
    """Closed until somebody opens it."""
    return {
        "type": "container",
        "title": plain(title[:150]),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": list(children),
    }


def code_sections(code: str) -> list[Json]:
    """The code in as many sections as it takes, cut between lines where that is possible."""
    room = SECTION_CHARACTERS - len("```\n\n```")
    found: list[Json] = []
    part = ""
    for line in escape(code.replace("```", "`\u200b``")).splitlines(keepends=True):
        for start in range(0, len(line), room):
            chunk = line[start : start + room]
            if len(part) + len(chunk) > room:
                found.append(section(f"```\n{part.rstrip()}\n```"))
                part = ""
            part += chunk
    return [*found, section(f"```\n{part.rstrip()}\n```")] if part.strip() else found
