"""Slack's two ways of writing, mrkdwn and rich text → Markdown; and text that is safe in mrkdwn. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Json = dict[str, Any]

_CODE = re.compile(r"```(?P<block>.*?)```|`(?P<span>[^`\n]+)`", re.DOTALL)
_TOKEN = re.compile(r"<(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_EDGE = r"(?<![\w{0}]){0}(?=\S)([^{0}\n]*?\S){0}(?![\w{0}])"
_BOLD = re.compile(_EDGE.replace("{0}", r"\*"))
_STRIKE = re.compile(_EDGE.replace("{0}", "~"))
_BULLET = re.compile(r"^([ \t]*)[•◦▪]\s+", re.MULTILINE)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def to_markdown(mrkdwn: str) -> str:
    """As people see it in Slack: mentions become names as far as they are in the text, links become Markdown."""
    mrkdwn = mrkdwn.replace("\0", "")
    parts: list[str] = []
    position = 0
    for code in _CODE.finditer(mrkdwn):
        parts.append(_prose(mrkdwn[position : code.start()]))
        if code["block"] is not None:
            parts.append(_fenced(unescape(_plain_tokens(code["block"]))))
        else:
            parts.append(f"`{unescape(_plain_tokens(code['span']))}`")
        position = code.end()
    parts.append(_prose(mrkdwn[position:]))
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip()


def escape(text: str) -> str:
    """Text as it stands, for mrkdwn: no link, no mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_markdown(markdown: str) -> str:
    """For forms and the Home tab, which know no Markdown: emphasis, links, headings and bullets."""
    parts = re.split(r"(```.*?```|`[^`\n]+`)", markdown, flags=re.DOTALL)
    parts[::2] = [_to_mrkdwn(escape(part)) for part in parts[::2]]
    parts[1::2] = [escape(re.sub(r"\A```\w+\n", "```\n", part)) for part in parts[1::2]]
    return "".join(parts).strip()


def _to_mrkdwn(text: str) -> str:
    text = re.sub(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)", r"<\2|\1>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"*\1*", text)
    text = re.sub(r"^#{1,6} +(.+?) *#*$", r"*\1*", text, flags=re.MULTILINE)
    return re.sub(r"^([ \t]*)[-*+] +", r"\1• ", text, flags=re.MULTILINE)


def unescape(text: str) -> str:
    return re.sub("|".join(_ENTITIES), lambda match: _ENTITIES[match[0]], text)


def _prose(text: str) -> str:
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        # Addresses may hold characters that mean something elsewhere.
        kept.append(_token(match["target"], match["label"]))
        return f"\0{len(kept) - 1}\0"

    text = _TOKEN.sub(keep, text)
    text = _STRIKE.sub(r"~~\1~~", _BOLD.sub(r"**\1**", _BULLET.sub(r"\1- ", text)))
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], unescape(text))


def _token(target: str, label: str | None) -> str:
    """What stands in angle brackets: https://docs.slack.dev/messaging/formatting-message-text#parse."""
    target, label = unescape(target), unescape(label) if label else None
    match target[:1]:
        case "@":
            return f"@{label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            name = target[1:].split("^")[0]
            return label or (f"@{name}" if name in {"here", "channel", "everyone"} else "")
    if target.startswith("mailto:") or label == target:
        return label or target.removeprefix("mailto:")
    return f"[{label}]({target})" if label else target


def _plain_tokens(code: str) -> str:
    """In code, an address is only an address."""
    return _TOKEN.sub(lambda match: match["label"] or match["target"], code)


def _fenced(code: str) -> str:
    return "\n```\n{}\n```\n".format(code.strip("\n"))


def rich_text_to_markdown(blocks: Sequence[Json]) -> str | None:
    """None where there is another kind of block too: the message's text says it better then."""
    if not blocks or any(block.get("type") != "rich_text" for block in blocks):
        return None
    written = [_rich(element) for block in blocks for element in block.get("elements", [])]
    text, previous = "", ""
    for kind, part in written:
        if text and not text.endswith("\n"):
            text += "\n"
        if kind == "rich_text_section" and previous in {"rich_text_list", "rich_text_quote"}:
            text += "\n"  # else it would belong to the last item
        text, previous = text + part, kind
    return text.strip("\n")


def _rich(element: Json) -> tuple[str, str]:
    kind = str(element.get("type"))
    inner = element.get("elements", [])
    match kind:
        case "rich_text_preformatted":
            return kind, _fenced("".join(_raw(each) for each in inner)).strip("\n")
        case "rich_text_quote":
            return kind, "\n".join(f"> {line}" for line in _inline(inner).split("\n"))
        case "rich_text_list":
            return kind, "\n".join(_items(element))
        case _:
            return kind, _inline(inner)


def _items(listed: Json) -> Iterable[str]:
    indent = "    " * int(listed.get("indent", 0))
    first = int(listed.get("offset", 0)) + 1
    for number, item in enumerate(listed.get("elements", []), first):
        marker = f"{number}." if listed.get("style") == "ordered" else "-"
        yield f"{indent}{marker} {_inline(item.get('elements', []))}"


def _inline(elements: Sequence[Json]) -> str:
    return "".join(_styled(element) for element in elements)


def _styled(element: Json) -> str:
    text, style = _raw(element), element.get("style") or {}
    if element.get("type") == "link" and element.get("text") not in {None, "", element.get("url")}:
        text = f"[{element['text']}]({element.get('url')})"
    core = text.strip()
    if not core or element.get("type") not in {"text", "link"}:
        return text
    start = text.index(core)
    return text[:start] + _marked(core, style) + text[start + len(core) :]


def _marked(text: str, style: Json) -> str:
    if style.get("code"):
        ticks = "``" if "`" in text else "`"
        return f"{ticks}{text}{ticks}"
    for name, mark in (("italic", "*"), ("bold", "**"), ("strike", "~~")):
        if style.get(name):
            text = f"{mark}{text}{mark}"
    return text


def _raw(element: Json) -> str:
    write = _ELEMENTS.get(str(element.get("type")))
    return write(element) if write else str(element.get("text") or element.get("fallback") or "")


def _emoji(element: Json) -> str:
    points = str(element.get("unicode") or "")
    try:
        return (
            "".join(chr(int(point, 16)) for point in points.split("-")) if points else f":{element['name']}:"
        )
    except (ValueError, OverflowError):
        return f":{element.get('name', '')}:"


_ELEMENTS: dict[str, Callable[[Json], str]] = {
    "link": lambda element: str(element.get("url") or ""),
    "emoji": _emoji,
    "user": lambda element: f"@{element.get('user_id', '')}",
    "channel": lambda element: f"#{element.get('channel_id', '')}",
    "usergroup": lambda element: f"@{element.get('usergroup_id', '')}",
    "broadcast": lambda element: f"@{element.get('range', '')}",
}
