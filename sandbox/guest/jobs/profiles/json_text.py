"""JSON, lines of JSON, notebooks, maps. Standard library only."""

import json
import re
from collections import Counter
from typing import Any

from sandbox.guest.jobs.profiles.finding import Broken, Finding
from sandbox.guest.jobs.profiles.hint import text_literal
from sandbox.guest.jobs.profiles.json_shape import RECORDS_LOOKED_AT, outline, record_lines, top
from sandbox.guest.jobs.profiles.lines import split_lines
from sandbox.guest.jobs.profiles.text_file import TextFile
from sandbox.guest.jobs.profiles.wording import count, listed, plain

ENDINGS = frozenset(["json", "geojson", "ipynb"])
LINE_ENDINGS = frozenset(["jsonl", "ndjson"])
PART_CHARACTERS = 2_000_000
"""Of a file that was not read whole."""
LINES_CHARACTERS = 4_000_000
GEOMETRIES = frozenset(
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]
)
CELL_TYPES = frozenset(["markdown", "code", "raw"])
LANGUAGES = frozenset(
    ["python", "R", "julia", "scala", "javascript", "typescript", "bash", "sql", "C++", "ruby"]
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z)|[\[\]{},]', re.DOTALL)


def profile(file: TextFile) -> Finding | None:
    """None for what is no such thing. Raises `Broken` for a .json that is none."""
    if not file.text[:4096].lstrip().startswith(("{", "[")) and file.ending not in ENDINGS | LINE_ENDINGS:
        return None
    lines = [line for line in split_lines(file.text[:LINES_CHARACTERS]) if line.strip()]
    if file.ending in LINE_ENDINGS or (len(lines) > 1 and _is_value(lines[0]) and _is_value(lines[1])):
        return _json_lines(file, lines)
    try:
        data = json.loads(file.text if file.whole else _closed(file.text[:PART_CHARACTERS]))
    except (ValueError, RecursionError) as error:
        if file.ending not in ENDINGS:
            return None
        if file.whole:
            raise Broken(_what_is_wrong(error)) from error
        line = "JSON whose first value goes on beyond what was looked at"
        return Finding("text", (line, _load(file)), (line, _load(file)))
    return _data(file, data)


def _is_value(line: str) -> bool:
    """Whether a line holds an object or a list."""
    if not line.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"This is no valid JSON: it breaks off in line {error.lineno}."
    if isinstance(error, RecursionError):
        return "This JSON is nested too deeply to be read."
    return "This JSON holds a number of more digits than Python reads."


def _closed(text: str) -> str:
    """The start of a JSON text, made whole: cut where a value was complete, then closed."""
    opened: list[str] = []
    cut = depth = 0
    for found in _TOKEN.finditer(text):
        sign = found[0]
        if sign == "[":
            opened.append("]")
        elif sign == "{":
            opened.append("}")
        elif sign == ",":
            cut, depth = found.start(), len(opened)
        elif sign in {"]", "}"} and opened:
            opened.pop()
            cut, depth = found.end(), len(opened)
    # What was opened after the cut is left out.
    return text[:cut] + "".join(reversed(opened[:depth]))


def _data(file: TextFile, data: Any) -> Finding:  # whatever JSON holds
    if isinstance(data, dict):
        if "cells" in data and ("nbformat" in data or file.ending == "ipynb"):
            return _notebook(data)
        if "url" in data and "doc_id" in data:
            line = "A link to a document in Google Drive, not the document: export it there and send the file"
            return Finding("other", (line,), (line,))
        if data.get("type") == "FeatureCollection":
            return _map(data, file.whole)
    what = f"JSON, {top(data, file.whole)}"
    if isinstance(data, list) and data and all(isinstance(each, dict) for each in data[:100]):
        records = _objects(data)
        return _records((what, _read_records(file, records), "Keys:"), records)
    head = (what, _load(file))
    return Finding("text", (*head, *outline(data, values=True)), (*head, *outline(data, values=False)))


def _records(head: tuple[str, ...], records: list[dict[str, Any]], kind: str = "text") -> Finding:
    return Finding(
        kind, (*head, *record_lines(records, values=True)), (*head, *record_lines(records, values=False))
    )


def _load(file: TextFile) -> str:
    return f"Read: data = json.load({file.opened})"


def _read_records(file: TextFile, records: list[dict[str, Any]]) -> str:
    if any(isinstance(value, dict | list) for each in records[:100] for value in each.values()):
        return f"Read: df = pd.json_normalize(json.load({file.opened}))"
    return f"Read: df = pd.read_json({_facts(file, records)})"


def _facts(file: TextFile, records: list[dict[str, Any]], lines: bool = False) -> str:
    facts = [text_literal(file.name)]
    if lines:
        facts.append("lines=True")
    if file.encoding.name != "utf-8":
        facts.append(f'encoding="{file.encoding.name}"')
    # pandas makes numbers of texts that look like them, and a postcode loses its zero.
    sample = records[:RECORDS_LOOKED_AT]
    codes = dict.fromkeys(
        key
        for each in sample
        for key, value in each.items()
        if isinstance(value, str) and value[:1].isdigit() and value.isdigit()
    )
    if codes:
        facts.append("dtype={" + ", ".join(f"{text_literal(key)}: str" for key in codes) + "}")
    return ", ".join(facts)


def _json_lines(file: TextFile, lines: list[str]) -> Finding:
    complete = file.whole and len(file.text) <= LINES_CHARACTERS
    records: list[Any] = []
    bad: list[int] = []
    for order, line in enumerate(lines[: RECORDS_LOOKED_AT * 5], 1):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            if complete or order < len(lines):
                bad.append(order)
    if not records:
        raise Broken("No line of it is valid JSON.")
    shown = ("" if complete else "at least ") + count(len(lines), "line")
    objects = [each for each in records if isinstance(each, dict)]
    head = [f"JSON Lines: {shown}", f"Read: df = pd.read_json({_facts(file, objects, lines=True)})"]
    if bad:
        bad_lines = f"{count(len(bad), 'line')} that is no JSON, line {bad[0]} first"
        head.append(f"Watch out: {bad_lines}: read line by line and skip it")
    if len(objects) < len(records):
        head.append(f"Watch out: {count(len(records) - len(objects), 'line')} that is no object")
    return _records((*head, "Keys:"), objects, "table" if objects else "text")


def _map(data: dict[str, Any], complete: bool) -> Finding:
    features = _objects(data.get("features"))
    kinds = Counter(_known(_inside(each, "geometry").get("type"), GEOMETRIES) for each in features)
    counted = ("" if complete else "at least ") + count(len(features), "feature")
    head = f"GeoJSON: {counted}: {listed(kinds)}"
    properties = [each["properties"] for each in features if isinstance(each.get("properties"), dict)]
    return _records((head, "Properties:"), properties)


def _known(word: object, words: frozenset[str]) -> str:
    """A word that says what something is; what is none of these may be a value."""
    return word if isinstance(word, str) and word in words else "other"


def _notebook(data: dict[str, Any]) -> Finding:
    cells = _objects(data["cells"])
    kinds = Counter(_known(each.get("cell_type"), CELL_TYPES) for each in cells)
    counted = listed(f"{times} {kind}" for kind, times in kinds.items())
    language = _known(_inside(_inside(data, "metadata"), "kernelspec").get("language"), LANGUAGES)
    facts = [f"Jupyter notebook in {language}: {counted or 'no'} cells"]
    failed = sum(
        any(out.get("output_type") == "error" for out in _objects(each.get("outputs"))) for each in cells
    )
    facts += [f"{count(failed, 'cell')} with an error in its output"] if failed else []
    shown = [
        f"- {_known(each.get('cell_type'), CELL_TYPES)}: {plain(_source(each), 140)}" for each in cells[:12]
    ]
    return Finding("text", (*facts, *shown), tuple(facts))


def _source(cell: dict[str, Any]) -> str:
    """Text, or lines of it."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _inside(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
