"""What JSON holds, in words: kinds of values, keys, records. Pure, standard library only."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from sandbox.guest.jobs.profiles.wording import count, listed, number, plain

KEYS_SHOWN = 30
DEPTH_SHOWN = 4
RECORDS_LOOKED_AT = 2000
MANY_KEYS = 8
"""Up to here keys of an object are taken for names, unless something speaks against it."""
_NAME = re.compile(r"[A-Za-z_$@][\w .:$-]{0,50}")
_KINDS = {bool: "true/false", int: "integer", float: "number", str: "text", list: "list", dict: "object"}


def top(data: Any, complete: bool) -> str:
    """`a list of 12 items`."""
    more = "" if complete else "at least "
    if isinstance(data, list):
        return f"a list of {more}{count(len(data), 'item')}"
    if isinstance(data, dict):
        return f"an object with {more}{count(len(data), 'key')}"
    return _kind(data)


def outline(data: Any, values: bool, indent: str = "", depth: int = 0) -> list[str]:
    """A line for each part; with `values`, examples too."""
    if isinstance(data, dict):
        return _outline_of_object(data, values, indent, depth)
    if not isinstance(data, list):
        return [f"{indent}- {_kind(data)}" + (f": {plain(data)}" if values else "")]
    kinds = Counter(map(_kind, data[:RECORDS_LOOKED_AT]))
    line = f"{indent}- list of {listed(f'{kind} × {times:,}' for kind, times in kinds.most_common())}"
    return [line, *_below(data, values, indent, depth)]


def _outline_of_object(data: dict[str, Any], values: bool, indent: str, depth: int) -> list[str]:
    if _has_values_for_keys(data) or (not values and not are_names(data)):
        such = f" such as {listed(map(plain, data), 3)}" if values else " that are values themselves"
        kinds = listed(dict.fromkeys(map(_kind, data.values())))
        line = f"{indent}- {count(len(data), 'key')}{such}, each with: {kinds}"
        return [line, *_below(list(data.values()), values, indent, depth)]
    lines: list[str] = []
    for key, value in list(data.items())[:KEYS_SHOWN]:
        line = f"{indent}- {plain(key)}: {_kind(value)}"
        if isinstance(value, list | dict):
            line += f" of {len(value):,}"
        elif values:
            line += f", {plain(value)}"
        lines.append(line)
        if isinstance(value, list | dict) and value and depth < DEPTH_SHOWN:
            lines += outline(value, values, indent + "  ", depth + 1)[:KEYS_SHOWN]
    if len(data) > KEYS_SHOWN:
        lines.append(f"{indent}- and {len(data) - KEYS_SHOWN:,} more keys")
    return lines


def _below(items: Sequence[Any], values: bool, indent: str, depth: int) -> list[str]:
    """The outline of the first that has parts."""
    first = next((each for each in items if isinstance(each, dict | list)), None)
    return outline(first, values, indent + "  ", depth + 1) if first and depth < DEPTH_SHOWN else []


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), "value")


def _has_values_for_keys(data: dict[str, Any]) -> bool:
    """Whether these are records under their keys, such as customers under their numbers."""
    first, *rest = list(data.values())[:200] or [None]
    return (
        len(data) > 2
        and isinstance(first, dict)
        and len(first) > 0
        and all(isinstance(each, dict) and each.keys() == first.keys() for each in rest)
    )


def are_names(keys: Mapping[str, Any]) -> bool:
    """Whether the keys are names, and not values such as mail addresses or numbers of customers."""
    if len(keys) > MANY_KEYS and all(isinstance(value, int | float) for value in keys.values()):
        return False
    return len(keys) <= 60 and all(_NAME.fullmatch(key) for key in keys)


def record_lines(records: Sequence[dict[str, Any]], values: bool) -> list[str]:
    """A line for each key of a list of objects."""
    sample = records[:RECORDS_LOOKED_AT]
    keys: Counter[str] = Counter(key for each in sample for key in each)
    if not values and not are_names(dict.fromkeys(keys)):
        return ["- the keys are values themselves"]
    lines: list[str] = []
    for key, times in list(keys.items())[:KEYS_SHOWN]:
        found = [each[key] for each in sample if key in each]
        line = f"- {plain(key)}: {' or '.join(dict.fromkeys(map(_kind, found)))}"
        if values:
            line += _examples(found)
        if times < len(sample):
            line += f", missing in {len(sample) - times:,}"
        lines.append(line)
    if len(keys) > KEYS_SHOWN:
        lines.append(f"- and {len(keys) - KEYS_SHOWN:,} more keys")
    return lines


def _examples(found: list[Any]) -> str:
    numbers = [value for value in found if type(value) in {int, float}]
    finite = [value for value in numbers if type(value) is int or isfinite(value)]
    if finite and len(numbers) > len(found) / 2:
        return f", {number(min(finite))} … {number(max(finite))}"
    different = Counter(value for value in found if isinstance(value, str))
    if not different:
        inner = next((value for value in found if isinstance(value, dict)), None)
        return f" with {listed((plain(key) for key in inner), 8)}" if inner else ""
    shown = listed((plain(text, 30) for text, _ in different.most_common(3)), 3)
    return f", {len(different):,} different, such as {shown}" if len(different) > 3 else f", {shown}"
