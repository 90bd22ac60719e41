"""A page in HTML with the messages of a thread: what pages of both platforms have in common. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
WIDTH = 760
"""Pixels."""


@dataclass(frozen=True)
class Said:
    name: str
    is_bot: bool
    at: datetime
    parts: Sequence[str]
    """HTML."""


def page(title: str, messages: Sequence[Said], style: str) -> str:
    """`style` names the style sheet that stands beside this module."""
    css = Path(__file__).with_name(f"{style}.css").read_text("utf-8")
    body = "".join(_message(each) for each in messages)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{css}</style><main><header>{escape(title)}</header>{body}</main></html>"
    )


def markdown(text: str) -> str:
    return f'<div class="text">{MARKDOWN.render(text)}</div>'


def picture(content: bytes, described: str) -> str:
    data = base64.b64encode(content).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(described)}">'


def file(name: str, below: str) -> str:
    kind = escape(name.rpartition(".")[2].upper())
    return (
        f'<div class="file"><i>{kind}</i><div><b>{escape(name)}</b><span>{escape(below)}</span></div></div>'
    )


def buttons(captions: Sequence[str], kind: str = "") -> str:
    made = "".join(f"<button>{escape(each)}</button>" for each in captions)
    return f'<div class="buttons {kind}">{made}</div>'


def _message(said: Said) -> str:
    badge = "<em>APP</em>" if said.is_bot else ""
    head = f"<h2>{escape(said.name)}{badge}<time>{said.at:%H:%M}</time></h2>"
    who = "bot" if said.is_bot else "human"
    return (
        f'<article><div class="face {who}">{escape(said.name[:1].upper())}</div>'
        f"<section>{head}{''.join(said.parts)}</section></article>"
    )
