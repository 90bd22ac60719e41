"""What a kernel says is cut to what a host takes, whatever it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import frames
from sandbox.guest import said

GOOD: dict[str, Any] = {
    "ev": "display",
    "kind": "display",
    "display_id": "d",
    "parts": [["image/png", 3], ["text/html", 2]],
    "name": "chart",
    "alt": "A chart",
    "saved_as": "out/chart.png",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
any_frame = st.dictionaries(
    st.sampled_from(
        ["kind", "display_id", "parts", "name", "alt", "saved_as", "message", "traceback", "wait"]
    ),
    anything | st.just("x" * 300_000) | st.just("\ud800"),
)


def test_what_a_kernel_of_ours_says_is_passed_on() -> None:
    assert said.display(GOOD, b"pngab") == {**GOOD, "parts": [("image/png", 3), ("text/html", 2)]}


@pytest.mark.parametrize(
    "parts",
    [
        None,
        5,
        [],
        [["image/png", 4]],
        [["image/png", -1], ["image/png", 6]],
        [["image/png", True]] * 5,
        [["image/png", 5.0]],
        [[5, 5]],
        [["image/png", 5, 6]],
        [["image/png", 1]] * 5 + [["image/png", 0]] * 9,
        {"image/png": 5},
    ],
)
def test_a_display_whose_parts_are_not_what_came_is_none(parts: object) -> None:
    assert said.display({**GOOD, "parts": parts}, b"pngab") is None


@given(any_frame)
def test_no_display_is_one_that_a_host_refuses(frame: dict[str, Any]) -> None:
    shown = said.display({**frame, "parts": [["image/png", 3]]}, b"png")

    assert shown
    frames.said({**shown, "cell": "c"}, b"png")


@given(any_frame)
def test_no_error_and_no_clearing_is_one_that_a_host_refuses(frame: dict[str, Any]) -> None:
    frames.said({**said.error(frame), "cell": "c"}, b"")
    frames.said({**said.clear(frame), "cell": "c"}, b"")


@given(anything | st.lists(anything))
def test_names_are_texts_and_have_an_end(names: object) -> None:
    kept = said.names(names)

    assert all(isinstance(name, str) and len(name) <= said.NAME_CHARACTERS for name in kept)
    assert len(kept) <= said.MOST_NAMES
