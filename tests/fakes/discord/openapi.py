"""Requests held against Discord's own description of its API, where that file is at hand."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPECIFICATION = Path(__file__).parents[4] / "shared" / "specs" / "discord-openapi.json"
NUMBERS_TOO = ("id", "users", "roles", "sticker_ids", "applied_tags")
"""Discord takes numbers where its description wants ids as text, and discord.py sends them."""


def problems(operation: str, body: Any, content_type: str) -> list[str]:
    """What the description has against a request's body; nothing where it is not at hand."""
    if not SPECIFICATION.exists():
        return []
    found: list[str] = []
    for error in _validator(operation, content_type).iter_errors(_with_text_ids(body)):
        deepest = sorted(error.context or [error], key=lambda each: -len(each.path))[:3]
        found += [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:160]}" for each in deepest]
    return found


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPECIFICATION.read_text("utf-8"))
    return loaded


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource("urn:discord", Resource(_document(), DRAFT202012))


@cache
def _validator(operation: str, content_type: str) -> Draft202012Validator:
    path, method = next(
        (path, method)
        for path, item in _document()["paths"].items()
        for method, described in item.items()
        if isinstance(described, dict) and described.get("operationId") == operation
    )
    where = path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    content = content_type.replace("/", "~1")
    schema = {"$ref": f"urn:discord#/paths/{where}/{method}/requestBody/content/{content}/schema"}
    return Draft202012Validator(schema, registry=_registry())


def _with_text_ids(value: Any, key: str = "", parent: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _with_text_ids(each, name, key) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_text_ids(each, key, parent) for each in value]
    is_id = key in NUMBERS_TOO or key.endswith("_id")
    # A component's id is a number and stays one: those of everything else are far beyond 31 bits, or an attachment's.
    if is_id and isinstance(value, int) and (value > 2**31 or parent == "attachments"):
        return str(value)
    return value
