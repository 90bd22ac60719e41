"""Which files a step of a turn names, and which the record of a session."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    kind: str
    name: str
    size_bytes: int


def in_step(step: str, result: Any) -> list[File]:
    """The files that a step has brought in."""
    found = [_file(each) for each in _mentions(result)]
    if step == "prompt":
        # It names every upload of the thread; those that came with it have been looked into.
        new = {profile.get("name") for profile in result["taken"]["profiles"]}
        return [file for file in found if file.kind != "upload" or file.name in new]
    return [file for file in found if file.kind != "upload"]


def in_session(record: dict[str, Any]) -> list[File]:
    kept = [
        File(each["sha256"], "session", name, each["size_bytes"])
        for name, each in record.get("files", {}).items()
    ]
    packages = record.get("packages", {}).items()
    return [*kept, *(File(sha256, "package", name, 0) for name, sha256 in packages)]


def _mentions(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("sha256"), str) and "name" in value:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _mentions(each)


def _file(named: dict[str, Any]) -> File:
    kind = "upload" if "uploaded_at" in named else "artifact" if "path" in named else "picture"
    return File(named["sha256"], kind, named["name"], named.get("size_bytes") or 0)
