"""What Discord refuses in a message. Pure; a refusal is an `ApiError`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord.errors import ApiError

Payload = dict[str, Any]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
COMPONENTS_V2 = 1 << 15
SENDABLE = SUPPRESS_EMBEDS | EPHEMERAL | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2

REQUEST_BYTES = 25 * 2**20
FILES = 10
CONTENT = 2000
DISPLAYED = 4000
COMPONENTS = 40
ACTION_ROW, BUTTON, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE = 1, 2, 10, 11, 12, 13
OLD_COMPONENTS = {ACTION_ROW}


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    content: bytes


def check_files(files: Mapping[str, SentFile], request_bytes: int, file_limit: int) -> None:
    if request_bytes > REQUEST_BYTES or any(len(file.content) > file_limit for file in files.values()):
        raise ApiError(40005)
    if len(files) > FILES:
        raise ApiError(50035, attachments=f"Must be {FILES} or fewer in length.")


def check_new(body: Payload, files: Mapping[str, SentFile]) -> None:
    if not (body.get("content") or body.get("embeds") or body.get("components") or files):
        raise ApiError(50006)
    _check(body, body.get("flags") or 0, _names(body, files))


def check_edit(old: Payload, body: Payload, files: Mapping[str, SentFile]) -> None:
    flags = old["flags"]
    if "flags" in body and body["flags"] is not None:
        if flags & COMPONENTS_V2 and not body["flags"] & COMPONENTS_V2:
            raise ApiError(50035, flags="IS_COMPONENTS_V2 cannot be removed")
        flags |= body["flags"]
    merged = {
        "content": body["content"] if "content" in body else old["content"],
        "embeds": body["embeds"] if "embeds" in body else old["embeds"],
        "components": body["components"] if "components" in body else old["components"],
        "nonce": None,
    }
    if "attachments" in body:
        listed = {str(each["id"]) for each in body["attachments"]}
        names = _names(body, files) | {a["filename"] for a in old["attachments"] if a["id"] in listed}
    else:
        names = {a["filename"] for a in old["attachments"]} | {file.name for file in files.values()}
    if len(names) > FILES:
        raise ApiError(50035, attachments=f"Must be {FILES} or fewer in length.")
    _check(merged, flags, names)


def walk(components: list[Payload]) -> Iterator[Payload]:
    for component in components:
        yield component
        nested = [*component.get("components", []), component.get("accessory"), component.get("component")]
        yield from walk([each for each in nested if each])


def referenced(components: list[Payload]) -> set[str]:
    """Names of attachments that a component shows; others are invisible in a message of components."""
    urls: list[str] = []
    for component in walk(components):
        if component["type"] == GALLERY:
            urls += [item["media"]["url"] for item in component["items"]]
        if component["type"] == FILE:
            urls.append(component["file"]["url"])
        if component["type"] == THUMBNAIL:
            urls.append(component["media"]["url"])
    return {url.removeprefix("attachment://") for url in urls if url.startswith("attachment://")}


def invisible(message: Payload) -> set[str]:
    """Files of a message of components that none of these shows."""
    if not message["flags"] & COMPONENTS_V2:
        return set()
    return {each["filename"] for each in message["attachments"]} - referenced(message["components"])


def would_unfurl(body: Payload) -> bool:
    """Messages of components never do."""
    flags = body.get("flags") or 0
    return "://" in (body.get("content") or "") and not flags & (SUPPRESS_EMBEDS | COMPONENTS_V2)


def _names(body: Payload, files: Mapping[str, SentFile]) -> set[str]:
    given = {f"files[{each['id']}]": each.get("filename") for each in body.get("attachments") or []}
    return {stored_name(given.get(field) or file.name) for field, file in files.items()}


def stored_name(name: str) -> str:
    """How Discord calls a file that was sent under this name."""
    return re.sub(r"[^A-Za-z0-9._-]", "", name.replace(" ", "_")) or "unknown"


def _check(body: Payload, flags: int, names: set[str]) -> None:
    content, components = body.get("content") or "", body.get("components") or []
    if len(content) > CONTENT:
        raise ApiError(50035, content=f"Must be {CONTENT} or fewer in length.")
    if len(str(body.get("nonce") or "")) > 25:
        raise ApiError(50035, nonce="Must be 25 or fewer in length.")
    if flags & ~(SENDABLE | LOADING | 1 << 5):
        raise ApiError(50035, flags=f"{flags} may not be set")
    if flags & COMPONENTS_V2:
        _check_components(body, content, components, names)
    elif any(each["type"] not in OLD_COMPONENTS for each in components) or len(components) > 5:
        raise ApiError(50035, components="only five action rows without IS_COMPONENTS_V2")
    _check_buttons(components)


def _check_components(body: Payload, content: str, components: list[Payload], names: set[str]) -> None:
    if content or body.get("embeds") or body.get("poll") or body.get("sticker_ids"):
        raise ApiError(50035, content="not together with IS_COMPONENTS_V2")
    every = list(walk(components))
    if not every:
        raise ApiError(50006)
    if len(every) > COMPONENTS:
        raise ApiError(50035, components=f"Must be {COMPONENTS} or fewer in length.")
    texts = [each["content"] for each in every if each["type"] == TEXT_DISPLAY]
    if sum(map(len, texts)) > DISPLAYED or not all(text.strip() for text in texts):
        raise ApiError(50035, components="COMPONENT_MAX_TOTAL_TEXT_SIZE_EXCEEDED")
    for gallery in (each for each in every if each["type"] == GALLERY):
        if not 1 <= len(gallery["items"]) <= 10:
            raise ApiError(50035, components="a gallery has 1 to 10 items")
        if any(len(item.get("description") or "") > 1024 for item in gallery["items"]):
            raise ApiError(50035, components="description: Must be 1024 or fewer in length.")
    if not referenced(components) <= names:
        raise ApiError(50035, components="UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND")
    ids = [each["id"] for each in every if each.get("id")]
    if len(ids) != len(set(ids)):
        raise ApiError(50035, components="COMPONENT_ID_DUPLICATED")


def _check_buttons(components: list[Payload]) -> None:
    every = list(walk(components))
    ids = [each["custom_id"] for each in every if each.get("custom_id")]
    if len(ids) != len(set(ids)) or any(not 1 <= len(each) <= 100 for each in ids):
        raise ApiError(50035, components="custom_id: unique, 1 to 100 characters")
    for row in (each for each in every if each["type"] == ACTION_ROW):
        if not 1 <= len(row["components"]) <= 5:
            raise ApiError(50035, components="a row has 1 to 5 buttons")
    if any(len(each.get("label") or "") > 80 for each in every if each["type"] == BUTTON):
        raise ApiError(50035, components="label: Must be 80 or fewer in length.")
