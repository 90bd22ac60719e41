"""Text that calls nobody and leads nowhere unasked, whoever made the model write it. Pure."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

_GAP = "\u200b"
"""Stands in a mention that shall be none: nobody sees it."""
_MENTION = re.compile(r"<(?=!(?:here|channel|everyone|group|subteam)\b|@(?P<user>[UWB]\w+)|#[CGD]\w)")
_CALL = re.compile(r"(?<![\w.])@(?=(?:channel|here|everyone)\b)")

_SPAN = r"(?<![\\`])(?P<ticks>`+)(?!`)[^`\n|]+(?P=ticks)(?!`)"
_LABEL = r"(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]*\])*)"
_TARGET = r"<?(?P<target>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?"
_LINK = rf"!?\[{_LABEL}\]\(\s*{_TARGET}(?:\s+[\"'(][^\n]*?[\"')])?\s*\)"
_TOP = "com|org|net|io|dev|app|co|ai|me|info|biz|xyz|site|online|top|page|cloud|link|test"
_DOMAIN = rf"(?<![\w/.@-])(?:[a-z0-9-]+\.)+(?:{_TOP})(?=[/?#])"
_BARE = rf"<?(?P<bare>(?:[a-z][a-z0-9+.-]{{1,20}}://|www\.|{_DOMAIN})[^\s<>`|]*[^\s<>`|.,;:!?'\"*_~)\]])>?"
_LINKS = re.compile(f"{_LINK}|{_BARE}", re.IGNORECASE)
_LINKS_AND_CODE = re.compile(f"(?P<code>{_SPAN})|{_LINK}|{_BARE}", re.IGNORECASE)


def safe(markdown: str, hosts: Collection[str], asker: str = "") -> str:
    """Only `asker` may be called; a link whose host is none of `hosts` is shown as what it is, and leads nowhere."""
    lines = markdown.split("\n")
    parts: list[str] = []
    position = 0
    for first, end in _code_blocks(markdown):
        if position < first:
            parts.append(without_links("\n".join(lines[position:first]), hosts))
        parts += lines[first:end]
        position = end
    if position < len(lines):
        parts.append(without_links("\n".join(lines[position:]), hosts))
    return quiet("\n".join(parts), asker)


def quiet(text: str, asker: str = "") -> str:
    """Without mentions that Slack would act on, in code too."""

    def broken(match: re.Match[str]) -> str:
        return "<" if asker and match["user"] == asker else f"<{_GAP}"

    return _CALL.sub(f"@{_GAP}", _MENTION.sub(broken, text))


def without_links(text: str, hosts: Collection[str]) -> str:
    """Running text, in which code stays as it is."""
    # Where a backtick stands alone, it is not certain what is code: then nothing counts as such.
    is_certain = "`" not in re.sub(_SPAN, "", text)

    def shown(match: re.Match[str]) -> str:
        if is_certain and match["code"]:
            return match["code"]
        if match["bare"]:
            return match[0] if is_known(match["bare"], hosts) else _inert(match["bare"])
        label, target = match["label"].strip(), match["target"]
        if not target or is_known(target, hosts):
            # A picture from elsewhere is a link too: Slack would fetch it.
            return match[0].removeprefix("!")
        return f"{label} ({_inert(target)})" if label and label != target else _inert(target)

    return (_LINKS_AND_CODE if is_certain else _LINKS).sub(shown, text)


def _inert(target: str) -> str:
    """As code; and broken, so that it is no link either where a stray backtick makes the code end early."""
    broken = re.sub(r"(?<=:)(?=//)|(?<=\w)(?=\.)", _GAP, target.replace("`", "%60"))
    return f"`{broken}`"


def hosts_in(text: str) -> frozenset[str]:
    """Of the addresses in what somebody wrote."""
    found = (match["bare"] or match["target"] for match in _LINKS.finditer(text))
    return frozenset(host for host in map(_host, filter(None, found)) if host)


def is_known(url: str, hosts: Collection[str]) -> bool:
    return _host(url) in hosts


def _host(url: str) -> str:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme.lower() in {"http", "https"} else ""


def _code_blocks(markdown: str) -> Iterator[tuple[int, int]]:
    for token in MarkdownIt("commonmark").disable("inline").parse(markdown):
        if token.type in {"fence", "code_block"} and token.map:
            yield token.map[0], token.map[1]
