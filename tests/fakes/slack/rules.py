"""What Slack refuses in messages, blocks, views and chunks, and by which error. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]

MARKDOWN_CHARACTERS = 12_000
PAYLOAD_CHARACTERS = 13_200
TABLE_CHARACTERS = 10_000
BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_VIEW = 100
VIEW_BYTES = 250_000
TABLES = {"table", "data_table"}
IN_CONTAINER = {"section", "divider", "image", "actions", "video", "header", "context", "table"}
"""Of the published list, those that the live validator takes too."""
ONLY_IN_VIEWS = {"input"}
ONLY_IN_MESSAGES = {"markdown", "table", "data_table", "context_actions", "container"}
STATUSES = {"processing", "active", "suspended", "closed"}
TASK_STATUSES = {"pending", "in_progress", "complete", "error"}


class Refusal(Exception):
    """`code` is what Slack calls it; the rest says which rule it was, as `response_metadata.messages` does."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def check_message(args: Json, *, text_limit: int | None) -> None:
    """`text_limit` is 4,000 for an update; posts are cut at 40,000 instead."""
    text, blocks, markdown = args.get("text") or "", args.get("blocks") or [], args.get("markdown_text")
    if not (text or blocks or markdown or args.get("attachments")):
        raise Refusal("no_text")
    if markdown is not None:
        if text or blocks:
            raise Refusal("markdown_text_conflict")
        if len(markdown) > MARKDOWN_CHARACTERS:
            raise Refusal("msg_too_long")
    if text_limit is not None and len(text) > text_limit:
        raise Refusal("msg_too_long")
    check_metadata(args.get("metadata"))
    check_blocks(blocks)


def check_metadata(metadata: Json | None) -> None:
    if metadata is not None and not (
        isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refusal("invalid_metadata_format")


def check_blocks(blocks: Sequence[Json], *, in_view: bool = False) -> None:
    if len(blocks) > (BLOCKS_IN_VIEW if in_view else BLOCKS_IN_MESSAGE):
        raise Refusal("invalid_blocks", "no more than 50 items allowed")
    for block in blocks:
        if block.get("type") in (ONLY_IN_MESSAGES if in_view else ONLY_IN_VIEWS):
            raise Refusal("invalid_blocks", f"unsupported type: {block.get('type')}")
        _check_block(block)
    _check_unique([block["block_id"] for block in blocks if "block_id" in block], "block_id")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_CHARACTERS:
        raise Refusal("msg_too_long", "markdown blocks are too long together")
    if sum(block["type"] in TABLES for block in blocks) > 1:
        raise Refusal("invalid_blocks", "only_one_table_allowed")
    if not in_view and len(json.dumps(blocks, ensure_ascii=False)) > PAYLOAD_CHARACTERS:
        raise Refusal("msg_blocks_too_long")


def _check_block(block: Json) -> None:
    kind = block.get("type")
    check = _BLOCKS.get(str(kind))
    if check is None:
        raise Refusal("invalid_blocks", f"unsupported type: {kind}")
    if not 0 <= len(block.get("block_id", "")) <= 255:
        raise Refusal("invalid_blocks", "block_id is too long")
    check(block)


def _markdown(block: Json) -> None:
    _text(block.get("text"), "markdown", MARKDOWN_CHARACTERS)


def _section(block: Json) -> None:
    if "text" not in block and "fields" not in block:
        raise Refusal("invalid_blocks", "a section needs text or fields")
    if "text" in block:
        _text_object(block["text"], 3000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        raise Refusal("invalid_blocks", "fields")
    for each in fields:
        _text_object(each, 2000)
    if "accessory" in block:
        _element(block["accessory"])


def _header(block: Json) -> None:
    _text_object(block.get("text"), 150, plain=True)


def _context(block: Json) -> None:
    _count(block.get("elements"), 1, 10)
    for element in block["elements"]:
        if element.get("type") == "image":
            _image(element)
        else:
            _text_object(element, 3000)


def _actions(block: Json) -> None:
    _count(block.get("elements"), 1, 25)
    for element in block["elements"]:
        _element(element)
    _check_unique([element["action_id"] for element in block["elements"]], "action_id")


def _context_actions(block: Json) -> None:
    _count(block.get("elements"), 1, 5)
    for element in block["elements"]:
        if element.get("type") not in {"feedback_buttons", "icon_button"}:
            raise Refusal("invalid_blocks", f"unsupported element: {element.get('type')}")
        _element(element)


def _image(block: Json) -> None:
    _text(block.get("alt_text"), "alt_text", 2000)
    if ("image_url" in block) == ("slack_file" in block):
        raise Refusal("invalid_blocks", "either image_url or slack_file")
    if len(block.get("image_url", "")) > 3000:
        raise Refusal("invalid_blocks", "image_url")


def _table(block: Json) -> None:
    rows = block.get("rows")
    _count(rows, 1, 100)
    _cells(rows or [])
    if len(block.get("column_settings") or []) > 20:
        raise Refusal("invalid_blocks", "column_settings")


def _data_table(block: Json) -> None:
    rows = block.get("rows")
    _text(block.get("caption"), "caption", 10_000)
    _count(rows, 2, 101)
    _cells(rows or [])
    if len({len(row) for row in rows or []}) != 1:
        raise Refusal("invalid_blocks", "rows of different lengths")
    if any(cell.get("type") == "rich_text" for cell in (rows or [[]])[0]):
        raise Refusal("invalid_blocks", "header cells cannot be rich_text")
    if not 1 <= block.get("page_size", 5) <= 100:
        raise Refusal("invalid_blocks", "page_size")


def _cells(rows: Sequence[Sequence[Json]]) -> None:
    characters = 0
    for row in rows:
        _count(row, 1, 20)
        for cell in row:
            if cell.get("type") not in {"raw_text", "raw_number", "rich_text"}:
                raise Refusal("invalid_blocks", f"cell type {cell.get('type')}")
            if cell["type"] == "raw_number" and not isinstance(cell.get("value"), int | float):
                raise Refusal("invalid_blocks", "raw_number without a value")
            if cell["type"] != "rich_text":
                _text(cell.get("text"), "cell", TABLE_CHARACTERS)
                characters += len(cell["text"])
    if characters > TABLE_CHARACTERS:
        raise Refusal("invalid_blocks", "table is too long")


def _container(block: Json) -> None:
    _text_object(block.get("title"), 150, plain=True)
    if "subtitle" in block:
        _text_object(block["subtitle"], 150)
    _count(block.get("child_blocks"), 1, 10)
    if block.get("default_collapsed") and not block.get("is_collapsible"):
        raise Refusal("invalid_blocks", "default_collapsed needs is_collapsible")
    for child in block["child_blocks"]:
        if child.get("type") not in IN_CONTAINER:
            raise Refusal("invalid_blocks", f"unsupported child: {child.get('type')}")
        _check_block(child)


def _input(block: Json) -> None:
    _text_object(block.get("label"), 2000, plain=True)
    if "hint" in block:
        _text_object(block["hint"], 2000, plain=True)
    _element(block.get("element") or {})


def _anything(block: Json) -> None:
    """Taken as it is."""


_BLOCKS = {
    "markdown": _markdown,
    "section": _section,
    "header": _header,
    "divider": _anything,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "image": _image,
    "table": _table,
    "data_table": _data_table,
    "container": _container,
    "rich_text": _anything,
    "input": _input,
}


def _element(element: Json) -> None:
    if not 1 <= len(element.get("action_id", "")) <= 255:
        raise Refusal("invalid_blocks", "action_id")
    check = _ELEMENTS.get(str(element.get("type")))
    if check is None:
        raise Refusal("invalid_blocks", f"unsupported element: {element.get('type')}")
    check(element)


def _button(element: Json) -> None:
    _text_object(element.get("text"), 75, plain=True)
    if len(element.get("value", "")) > 2000:
        raise Refusal("invalid_blocks", "value")
    if element.get("style", "primary") not in {"primary", "danger"}:
        raise Refusal("invalid_blocks", "style")


def _feedback_buttons(element: Json) -> None:
    for side in ("positive_button", "negative_button"):
        _text_object((element.get(side) or {}).get("text"), 75, plain=True)
        _text(element[side].get("value"), "value", 2000)


def _icon_button(element: Json) -> None:
    _text_object(element.get("text"), 75, plain=True)


def _plain_text_input(element: Json) -> None:
    if element.get("max_length", 3000) > 3000 or len(element.get("initial_value", "")) > 3000:
        raise Refusal("invalid_arguments", "plain_text_input takes 3000 characters")


def _file_input(element: Json) -> None:
    if not 1 <= element.get("max_files", 10) <= 10:
        raise Refusal("invalid_arguments", "max_files")


_ELEMENTS = {
    "button": _button,
    "feedback_buttons": _feedback_buttons,
    "icon_button": _icon_button,
    "plain_text_input": _plain_text_input,
    "file_input": _file_input,
    "conversations_select": _anything,
}


def check_view(view: Json) -> None:
    kind = view.get("type")
    if kind not in {"modal", "home"}:
        raise Refusal("invalid_arguments", "type")
    if kind == "modal":
        _text_object(view.get("title"), 24, plain=True, code="invalid_arguments")
        for name in ("submit", "close"):
            if name in view:
                _text_object(view[name], 24, plain=True, code="invalid_arguments")
        has_input = any(block.get("type") == "input" for block in view.get("blocks", []))
        if has_input and "submit" not in view:
            raise Refusal("invalid_arguments", "an input needs submit")
    if len(view.get("private_metadata", "")) > 3000:
        raise Refusal("invalid_arguments", "private_metadata")
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise Refusal("view_too_large")
    check_blocks(view.get("blocks", []), in_view=True)


def check_chunks(args: Json) -> None:
    chunks = args.get("chunks")
    if chunks is None:
        if len(args.get("markdown_text") or "") > MARKDOWN_CHARACTERS:
            raise Refusal("msg_too_long")
        return
    if args.get("markdown_text"):
        raise Refusal("invalid_arguments", "markdown_text and chunks")
    for chunk in chunks:
        match chunk.get("type"):
            case "markdown_text":
                _text(chunk.get("text"), "text", MARKDOWN_CHARACTERS, code="invalid_chunks")
            case "task_update":
                if not (chunk.get("id") and chunk.get("title") and chunk.get("status") in TASK_STATUSES):
                    raise Refusal("invalid_chunks", "task_update")
                for name in ("details", "output"):
                    if len(chunk.get(name) or "") > 256:
                        raise Refusal("invalid_chunks", name)
            case "plan_update":
                _text(chunk.get("title"), "title", 256, code="invalid_chunks")
            case "blocks":
                check_blocks(chunk.get("blocks") or [])
            case kind:
                raise Refusal("invalid_chunks", f"unsupported type: {kind}")


def weight(chunks: Sequence[Json]) -> int:
    """Bytes of a streamed message as Slack seems to count them: what tasks say counts double."""
    total = 0
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            total += len(chunk["text"].encode())
        elif chunk["type"] == "task_update":
            told = "".join(chunk.get(name) or "" for name in ("title", "details", "output"))
            total += 2 * len(told.encode())
        else:
            total += len(json.dumps(chunk).encode())
    return total


def strings_in(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from strings_in(each)
        case list() | tuple():
            for each in value:
                yield from strings_in(each)


def types_in(blocks: Sequence[Json]) -> set[str]:
    children = [child for block in blocks for child in block.get("child_blocks", [])]
    return {str(block.get("type")) for block in [*blocks, *children]}


def _text_object(
    given: Json | None, limit: int, *, plain: bool = False, code: str = "invalid_blocks"
) -> None:
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if not given or given.get("type") not in kinds:
        raise Refusal(code, "text object")
    _text(given.get("text"), "text", limit, code=code)


def _text(text: Any, name: str, limit: int, *, code: str = "invalid_blocks") -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= limit:
        raise Refusal(code, f"{name} must have 1 to {limit} characters")


def _count(items: Any, least: int, most: int) -> None:
    if not isinstance(items, list) or not least <= len(items) <= most:
        raise Refusal("invalid_blocks", f"must have {least} to {most} items")


def _check_unique(ids: Sequence[str], name: str) -> None:
    if len(set(ids)) != len(ids):
        raise Refusal("invalid_blocks", f"{name} is not unique")
