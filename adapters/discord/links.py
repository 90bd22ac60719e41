"""Links whose host nobody in the thread has named are shown as what they are: text. Pure.

Code and data can make the model write any address, with somebody's secrets in it.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_CODE = r"(?P<code>(?<!`)`+(?!`)[^`]+`+)"
_LABEL = r"(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]*\])*)"
_TARGET = r"<?(?P<target>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?"
_TITLE = r"(?:\s+[\"'][^\n]{0,200}?[\"'])?"
_MASKED = rf"!?\[{_LABEL}\]\(\s*{_TARGET}{_TITLE}\s*\)"
_BARE = r"<?(?P<bare>[a-z][a-z0-9+.-]{0,20}://[^\s<>`|]*[^\s<>`|.,;:!?'\"*_)\]])>?"
_PLACES = re.compile(f"{_CODE}|{_MASKED}|{_BARE}", re.IGNORECASE)


def checked(text: str, known_hosts: Collection[str]) -> str:
    """`text`, not code, with only those links alive that lead to known hosts."""

    def replaced(match: re.Match[str]) -> str:
        if match["code"]:
            return match["code"]
        if match["bare"]:
            # In brackets Discord shows no preview of what is behind it.
            return f"<{match['bare']}>" if is_known(match["bare"], known_hosts) else f"`{match['bare']}`"
        label, target = match["label"].strip(), match["target"]
        if is_known(target, known_hosts):
            return f"[{label or target}](<{target}>)"
        return f"{label} (`{target}`)" if target and label and label != target else f"`{target or label}`"

    return _PLACES.sub(replaced, text)


def is_known(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() in hosts
