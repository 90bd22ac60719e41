"""Which files go into which message. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.execution import Artifact

FILES = 10
"""Of a message: https://discord.com/developers/docs/resources/message#create-message."""
REQUEST_BYTES = 25 * 1024 * 1024 - 256 * 1024
"""Of a message with all its files, less what is around them; same page."""
ALT_TEXT = 1024
"""Characters; https://discord.com/developers/docs/components/reference#media-gallery."""
NAME = 80


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    """As Discord takes it: letters without accents, digits, `.`, `_` and `-`, since it drops all others."""
    source: Path | bytes
    size_bytes: int
    original_name: str
    is_image: bool = False
    alt_text: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    batches: tuple[tuple[SentFile, ...], ...]
    """A message each."""
    too_large: tuple[str, ...]
    """Names of those that fit into none."""


def plan(files: Iterable[SentFile], file_bytes: int) -> Plan:
    """In order; `file_bytes` is what one may have in this place."""
    batches: list[list[SentFile]] = []
    too_large: list[str] = []
    filled = 0
    for file in files:
        if file.size_bytes > min(file_bytes, REQUEST_BYTES):
            too_large.append(file.original_name)
            continue
        if not batches or len(batches[-1]) == FILES or filled + file.size_bytes > REQUEST_BYTES:
            batches.append([])
            filled = 0
        batches[-1].append(file)
        filled += file.size_bytes
    return Plan(tuple(map(tuple, batches)), tuple(too_large))


def sent_files(artifacts: Iterable[Artifact], tables: Iterable[bytes] = ()) -> Iterator[SentFile]:
    """Files for the wire, each with a name of its own; `tables` are the contents of workbooks."""
    taken: set[str] = set()
    for number, content in enumerate(tables, 1):
        name = unique(table_name(number), taken)
        taken.add(name)
        yield SentFile(name, content, len(content), name)
    for artifact in artifacts:
        name = unique(wire_name(artifact.name), taken)
        taken.add(name)
        alt_text = artifact.alt_text[:ALT_TEXT]
        yield SentFile(name, artifact.path, artifact.size_bytes, artifact.name, artifact.is_image, alt_text)


def table_name(number: int) -> str:
    return f"table-{number}.xlsx"


def wire_name(name: str) -> str:
    path = PurePosixPath(name)
    return f"{_ascii(path.stem)[:NAME] or 'file'}{'.' if path.suffix else ''}{_ascii(path.suffix)[:20]}"


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace(" ", "_"))
    return re.sub(r"[^A-Za-z0-9._-]", "", decomposed).strip("._-")


def unique(name: str, taken: Collection[str]) -> str:
    path, number, candidate = PurePosixPath(name), 1, name
    while candidate in taken:
        number += 1
        candidate = f"{path.stem}-{number}{path.suffix}"
    return candidate
