"""The model's Markdown made ready for a thread: alt texts taken out, links to local files removed.

Files arrive beside the answer by themselves. A link to a path inside the sandbox would be dead, however
sure of it the model is.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, image, link

NESTING = 3
"""A picture in a link in a label: each level takes one pass."""
LINKS = "links"
"""Where the parser finds, in its environment, the list that it adds links to."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    alt_texts: dict[str, str]
    """By file name, for the pictures that the model placed in its text."""


def for_people(text: str, names: Collection[str]) -> Answer:
    """`text` without pictures and without links to local files; code and links to the web stay as they are.

    `names` are the files that come with the answer or lie in the workspace: a link to one of them is dead.
    """
    alt_texts: dict[str, str] = {}
    for _ in range(NESTING):
        shorter = _without_dead_links(text, names, alt_texts)
        if shorter == text:
            break
        text = shorter
    return Answer(text, alt_texts)


def _without_dead_links(text: str, names: Collection[str], alt_texts: dict[str, str]) -> str:
    """One pass over everything that is not code. Adds to `alt_texts`."""
    parser, found = _recording_parser(), list[_Link]()
    env: dict[str, Any] = {LINKS: found}
    lines: list[str | None] = list(text.split("\n"))
    for token in parser.parse(text, env):
        if token.type != "inline" or token.map is None:
            continue
        found.clear()
        content = _spaces_allowed(token.content)
        parser.inline.parse(content, parser, env, [])
        dead = [each for each in found if each.within == content and _is_local(each.target, names)]
        alt_texts |= {_file_name(each.target): each.label for each in dead if each.is_image}
        shorter = _cut_out(content, dead) if dead else token.content
        _rewrite(lines, token.map[0], token.content, _plain_paths(shorter))
    for definition in env.get("references", {}).values():
        if _is_local(definition["href"], names):
            first, end = definition["map"]
            lines[first:end] = [None] * (end - first)
    return _joined(lines)


@dataclass(frozen=True, slots=True)
class _Link:
    within: str
    """The running text that it was found in."""
    start: int
    end: int
    label: str
    target: str
    is_image: bool


@cache
def _recording_parser() -> MarkdownIt:
    """Leaves the running text of each block unparsed; parsing it adds its links to those of its environment."""
    parser = MarkdownIt("commonmark").disable("inline")
    parser.validateLink = lambda _target: True  # type: ignore[assignment]  # else file:// is no link to it
    for name, rule, is_image in (("link", link, False), ("image", image, True)):
        parser.inline.ruler.at(name, partial(_record, rule, is_image))
    return parser


def _record(
    rule: Callable[[StateInline, bool], bool],
    is_image: bool,
    state: StateInline,
    silent: bool,
) -> bool:
    start, first_token = state.pos, len(state.tokens)
    if not rule(state, silent):
        return False
    if not silent:
        opening = start + 1 if is_image else start
        label_end = state.md.helpers.parseLinkLabel(state, opening, False)
        attribute = "src" if is_image else "href"
        target = next(
            str(token.attrs[attribute]) for token in state.tokens[first_token:] if attribute in token.attrs
        )
        label = state.src[opening + 1 : label_end]
        state.env[LINKS].append(_Link(state.src, start, state.pos, label, target, is_image))
    return True


def _spaces_allowed(content: str) -> str:
    """Markdown wants `<>` around a target with spaces; models forget it."""
    return re.sub(r"\]\((?=[^()<>]* )([^()<>\"'\n]*\.\w{1,5})\)", r"](<\1>)", content)


def _is_local(target: str, names: Collection[str]) -> bool:
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", target, re.IGNORECASE)
    if scheme:
        # One letter is a Windows drive.
        return scheme[1].lower() in {"sandbox", "file", "attachment", "data"} or len(scheme[1]) == 1
    if target.startswith(("#", "//", "www.")):
        return False
    if target.startswith(("/", "./", "../", "~")) or _file_name(target) in names:
        return True
    return not re.match(r"[\w-]+(\.[\w-]+)*\.(com|org|net|io|dev|app|gov|edu|info|[a-z]{2})(/|$)", target)


def _file_name(target: str) -> str:
    return PurePosixPath(unquote(target).split("?")[0].replace("\\", "/")).name


def _cut_out(content: str, dead: list[_Link]) -> str:
    """Links become their label, pictures vanish. Of two that are nested the inner one waits for the next pass."""
    result, position = "", 0
    for each in sorted(dead, key=lambda each: each.start):
        if each.start >= position:
            result += content[position : each.start]
            result += "" if each.is_image else each.label or _file_name(each.target)
            position = each.end
    return result + content[position:]


def _plain_paths(content: str) -> str:
    """Paths inside the sandbox that stand in the text as they are become file names."""
    kept = r"(?P<kept>(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)|https?://\S+)"
    path = r"<?(?:sandbox:|file://|(?<![\w/.:~-])/mnt/data/|(?<![\w/.:~-])/workspace/)[^\s<>()\[\]`*\"']+>?"

    def plain(match: re.Match[str]) -> str:
        return match["kept"] or _file_name(match[0].strip("<>")) or match[0]

    return re.sub(f"{kept}|{path}", plain, content, flags=re.DOTALL)


def _rewrite(lines: list[str | None], first: int, content: str, new: str) -> None:
    """Put `new` where `content` stood, behind each line's indentation, bullet or quotation mark."""
    if new == content:
        return
    old_lines, new_lines = content.split("\n"), new.split("\n")
    for offset, old in enumerate(old_lines):
        line = lines[first + offset] or ""
        start = line.rfind(old.strip())
        if start < 0:
            continue
        kept = new_lines[offset].strip() if offset < len(new_lines) else ""
        rest = line[:start] + kept + line[start + len(old.strip()) :]
        lines[first + offset] = rest if kept or rest.strip(" \t>-*+#.0123456789)") else None


def _joined(lines: list[str | None]) -> str:
    """The lines that are left; where one went out between two empty ones, one of these goes with it."""
    result: list[str] = []
    removed = False
    for line in lines:
        if line is None:
            removed = True
        elif not (removed and not line.strip() and (not result or not result[-1].strip())):
            result.append(line)
            removed = False
    while removed and result and not result[-1].strip():
        result.pop()
    return "\n".join(result)
