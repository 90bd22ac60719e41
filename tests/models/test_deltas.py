"""Streamed chat replies as servers really cut them."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.deltas import Pieces
from bot.transcript import Usage

CODE = json.dumps({"code": "print(1)"})
OTHER = json.dumps({"code": "print(2)"})


def put_together(*fragments: dict[str, Any]) -> list[tuple[str, str, str]]:
    pieces = Pieces()
    for fragment in fragments:
        pieces.take({"choices": [{"delta": {"tool_calls": [fragment]}}]})
    return [(call.id, call.name, call.arguments) for call in pieces.tool_calls()]


def fragment(arguments: Any = None, **facts: Any) -> dict[str, Any]:
    name = facts.pop("name", None)
    function = {"arguments": arguments, **({"name": name} if name is not None else {})}
    return {**facts, "function": function}


def test_calls_are_put_together_by_their_index() -> None:
    made = put_together(
        fragment("", index=0, id="a", name="run_python"),
        fragment("", index=1, id="b", name="run_python"),
        fragment(CODE[:5], index=0),
        fragment(OTHER[:7], index=1),
        fragment(CODE[5:], index=0),
        fragment(OTHER[7:], index=1),
    )

    assert made == [("a", "run_python", CODE), ("b", "run_python", OTHER)]


def test_an_index_of_0_for_every_call_still_makes_two() -> None:
    made = put_together(
        fragment(CODE, index=0, id="a", name="run_python"),
        fragment(OTHER, index=0, id="b", name="run_python"),
    )

    assert made == [("a", "run_python", CODE), ("b", "run_python", OTHER)]


def test_an_id_and_a_name_in_every_fragment_still_make_one() -> None:
    made = put_together(
        fragment(CODE[:5], index=0, id="a", name="run_python"),
        fragment(CODE[5:], index=0, id="a", name="run_python"),
    )

    assert made == [("a", "run_python", CODE)]


@pytest.mark.parametrize("nothing", [{}, {"id": ""}, {"index": None, "id": None}])
def test_without_index_and_id_whole_calls_are_told_apart(nothing: dict[str, Any]) -> None:
    made = put_together(
        fragment(CODE, name="run_python", **nothing), fragment(OTHER, name="run_python", **nothing)
    )

    assert [arguments for _, _, arguments in made] == [CODE, OTHER]
    assert len({id_ for id_, _, _ in made} - {"", None}) == 2


def test_without_index_and_id_fragments_go_to_the_last_call() -> None:
    made = put_together(
        fragment(CODE[:5], name="run_python"), fragment(CODE[5:9], name="run_python"), fragment(CODE[9:])
    )

    assert [call[1:] for call in made] == [("run_python", CODE)]


def test_without_index_the_id_tells_calls_apart() -> None:
    made = put_together(
        fragment(CODE[:5], id="a", name="run_python"),
        fragment(OTHER[:5], id="b", name="run_python"),
        fragment(CODE[5:], id="a"),
        fragment(OTHER[5:], id="b"),
    )

    assert made == [("a", "run_python", CODE), ("b", "run_python", OTHER)]


def test_arguments_may_be_an_object() -> None:
    ((id_, _, arguments),) = put_together(fragment({"code": "x"}, id="", name="run_python"))

    assert json.loads(arguments) == {"code": "x"}
    assert id_.startswith("call_")


def test_arguments_may_be_missing() -> None:
    assert put_together(fragment(None, id="a", name="run_python")) == [("a", "run_python", "")]


def test_two_calls_never_share_an_id() -> None:
    made = put_together(
        fragment(CODE, index=0, id="a", name="run_python"),
        fragment(OTHER, index=1, id="a", name="run_python"),
    )

    assert len({id_ for id_, _, _ in made}) == 2


def test_the_call_of_times_before_tools_is_understood() -> None:
    pieces = Pieces()
    pieces.take({"choices": [{"message": {"function_call": {"name": "run_python", "arguments": CODE}}}]})

    assert [call.arguments for call in pieces.tool_calls()] == [CODE]


def test_content_in_parts_loses_its_thoughts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "42"},
    ]
    pieces = Pieces()
    pieces.take({"choices": [{"delta": {"content": parts}}]})

    assert pieces.text == "42"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_in_fields_of_their_own_are_no_text(name: str) -> None:
    pieces = Pieces()
    pieces.take({"choices": [{"delta": {"content": "42", name: "hm"}}]})

    assert (pieces.text, pieces.reasoning) == ("42", "hm")


def test_the_last_usage_counts_wherever_it_stands() -> None:
    pieces = Pieces()
    for written in (1, 2):
        usage = {"prompt_tokens": 5, "completion_tokens": written, "prompt_tokens_details": None}
        pieces.take({"choices": [{"delta": {"content": "x"}}], "usage": usage})
    pieces.take({"choices": [], "usage": None})
    pieces.take({"choices": None})

    assert pieces.usage == Usage(5, 2, 0)
    assert not pieces.ended


def test_a_usage_of_its_own_ends_a_reply_like_a_reason() -> None:
    pieces = Pieces()
    pieces.take({"choices": [], "usage": {"prompt_tokens": 5}})

    assert pieces.ended


cuts = st.lists(st.integers(0, len(CODE)), max_size=6).map(sorted)
styles = st.sampled_from(["index", "id", "nothing"])


@given(cuts, styles, st.booleans())
def test_however_arguments_are_cut_they_come_out_whole(
    places: list[int], style: str, names_everywhere: bool
) -> None:
    ends = [0, *places, len(CODE)]
    fragments = []
    for number, (start, end) in enumerate(pairwise(ends)):
        facts: dict[str, Any] = {"index": {"index": 0}, "id": {"id": "a"}, "nothing": {}}[style]
        is_named = number == 0 or (names_everywhere and start < len(CODE))
        fragments.append(fragment(CODE[start:end], **facts, **({"name": "run_python"} if is_named else {})))

    made = put_together(*fragments)

    assert [call[1:] for call in made] == [("run_python", CODE)]
