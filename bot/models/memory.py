"""What has been found out about an endpoint, kept in a file so that it is found out once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog

from bot import atomic

log = structlog.get_logger()

Format = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True)
class Learned:
    """Of one model at one endpoint. None where nobody has found out yet."""

    format: Format | None = None
    refused: frozenset[str] = frozenset()
    """Parts of a request that it does without, by the names that the formats give them."""
    images: bool | None = None
    window_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """One JSON object for all endpoints. Blocks. A file that is lost or spoilt costs a few requests."""

    file: Path
    key: str

    def load(self) -> Learned:
        return _from_json(self._all().get(self.key))

    def save(self, learned: Learned) -> None:
        known = {
            "format": learned.format,
            "refused": sorted(learned.refused),
            "images": learned.images,
            "window_tokens": learned.window_tokens,
        }
        data = json.dumps({**self._all(), self.key: known}, indent=2) + "\n"
        try:
            atomic.write(self.file, data.encode(), durable=False)
        except OSError as error:
            log.warning("endpoint.not_remembered", reason=error.strerror)

    def _all(self) -> Mapping[str, Any]:
        try:
            known = json.loads(self.file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def key(base_url: str, model: str) -> str:
    """Names a model at an endpoint, without what is secret in an address."""
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')} {model}"


def _from_json(known: Any) -> Learned:
    if not isinstance(known, dict):
        return Learned()
    format_, refused = known.get("format"), known.get("refused")
    images, window_tokens = known.get("images"), known.get("window_tokens")
    return Learned(
        format=format_ if format_ in ("responses", "chat") else None,
        refused=frozenset(map(str, refused)) if isinstance(refused, list) else frozenset(),
        images=images if isinstance(images, bool) else None,
        window_tokens=window_tokens if isinstance(window_tokens, int) and window_tokens > 0 else None,
    )
