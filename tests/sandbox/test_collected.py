"""What a box says of a cell, put together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import collected as bounds
from sandbox.collected import Collected
from sandbox.frames import Busy, Clear, Display, Done, OfCell, Raised, Written
from sandbox.guest import cell as in_the_box
from sandbox.wire import WireError


def wrote(text: str) -> Written:
    return Written(ev="text", cell="c", payload=text.encode())


def showed(content: bytes, **facts: Any) -> Display:
    known: dict[str, Any] = {
        "ev": "display",
        "cell": "c",
        "kind": "display",
        "parts": [("image/png", len(content))],
    }
    return Display(**known | facts, payload=content)


def updated(content: bytes, display_id: str | None) -> Display:
    return showed(content, kind="update", display_id=display_id)


def raised(name: str = "ValueError") -> Raised:
    return Raised(ev="error", cell="c", name=name, message="bad", traceback=f"Traceback: {name}")


def cleared(wait: bool = False) -> Clear:
    return Clear(ev="clear", cell="c", wait=wait)


def collect(*frames: OfCell) -> Collected:
    collected = Collected()
    for frame in frames:
        collected.add(frame)
    return collected


def shown(collected: Collected) -> list[str | bytes]:
    return [item if isinstance(item, str) else item.payload for item in collected.items]


def test_text_displays_and_tracebacks_stand_in_their_order() -> None:
    collected = collect(wrote("a\n"), showed(b"1"), wrote("b"), showed(b"2"), raised())

    assert shown(collected) == ["a\n", b"1", "b", b"2", "Traceback: ValueError\n"]


def test_adding_says_which_text_is_new() -> None:
    collected = Collected()

    added = [collected.add(frame) for frame in (wrote("a"), showed(b"1"), cleared(), raised(), wrote(""))]

    assert added == ["a", "", "", "Traceback: ValueError\n", ""]


def test_the_last_error_counts() -> None:
    collected = collect(raised("ValueError"), raised("KeyError"))

    assert collected.error
    assert collected.error.name == "KeyError"
    assert len(collected.items) == 2


def test_text_that_is_not_utf8_is_read_as_far_as_it_goes() -> None:
    collected = collect(Written(ev="text", cell="c", payload=b"a\xffb"))

    assert shown(collected) == ["a�b"]


def test_an_update_takes_the_place_of_what_it_updates() -> None:
    collected = collect(
        showed(b"1", display_id="x"), wrote("a"), showed(b"2", display_id="y"), updated(b"3", "x")
    )

    assert shown(collected) == [b"3", "a", b"2"]


def test_an_update_of_an_update_does_too() -> None:
    collected = collect(showed(b"1", display_id="x"), updated(b"2", "x"), updated(b"3", "x"))

    assert shown(collected) == [b"3"]


@pytest.mark.parametrize("display_id", ["other", None])
def test_an_update_of_nothing_that_is_there_is_shown(display_id: str | None) -> None:
    collected = collect(showed(b"1", display_id="x"), showed(b"2"), updated(b"3", display_id))

    assert shown(collected) == [b"1", b"2", b"3"]


def test_displays_with_the_same_name_are_both_shown() -> None:
    assert shown(collect(showed(b"1", display_id="x"), showed(b"2", display_id="x"))) == [b"1", b"2"]


def test_clear_takes_everything_back() -> None:
    assert shown(collect(wrote("a"), showed(b"1"), cleared(), wrote("b"))) == ["b"]


def test_a_clear_that_waits_takes_it_back_when_something_new_comes() -> None:
    collected = collect(wrote("a"), cleared(wait=True))
    before = shown(collected)
    collected.add(showed(b"1"))
    collected.add(wrote("b"))

    assert before == ["a"]
    assert shown(collected) == [b"1", "b"]


def test_a_clear_that_waits_for_nothing_leaves_what_was_shown() -> None:
    collected = collect(wrote("a"), cleared(wait=True), wrote(""))

    assert shown(collected) == ["a"]


def test_an_update_after_a_clear_that_waits_is_shown_alone() -> None:
    assert shown(collect(showed(b"1", display_id="x"), cleared(wait=True), updated(b"2", "x"))) == [b"2"]


def test_how_it_ended_is_kept() -> None:
    done = Done(ev="done", cell="c", status="ok", seconds=1, kernel=1)

    assert collect(wrote("a"), done).done is done


def test_what_says_nothing_of_its_output_adds_nothing() -> None:
    assert shown(collect(Busy(ev="busy", cell="c"))) == []


def test_what_is_said_once_more_is_there_once() -> None:
    collected = collect(wrote("a"), showed(b"1"), cleared(wait=True))

    collected.start_again()
    for frame in (wrote("a"), showed(b"1"), wrote("b")):
        collected.add(frame)

    assert shown(collected) == ["a", b"1", "b"]


def test_what_was_said_before_does_not_count_after_starting_again() -> None:
    collected = Collected()

    for _ in range(4):
        collected.start_again()
        collected.add(wrote("x" * (bounds.TEXT_BYTES // 2)))
        for _ in range(bounds.DISPLAYS):
            collected.add(showed(b"1"))

    assert len(collected.items) == 1 + bounds.DISPLAYS


floods = {
    "text": wrote("x" * 10_000),
    "bytes of displays": showed(bytes(1024 * 1024)),
    "displays": showed(b""),
    "updates": updated(b"", "x"),
    "errors": raised(),
}


@pytest.mark.parametrize("frame", floods.values(), ids=floods.keys())
def test_more_than_a_box_lets_through_is_refused(frame: OfCell) -> None:
    collected = Collected()

    with pytest.raises(WireError):
        for _ in range(200):
            collected.add(frame)


@pytest.mark.parametrize("frame", [wrote(""), cleared(), cleared(wait=True)])
def test_frames_without_content_take_no_room(frame: OfCell) -> None:
    collected = Collected()

    for _ in range(10_000):
        collected.add(frame)

    assert collected.items == []


def test_a_box_lets_through_less_than_is_refused() -> None:
    assert in_the_box.HEAD_BYTES + in_the_box.TAIL_BYTES < bounds.TEXT_BYTES
    assert in_the_box.DISPLAYS <= bounds.DISPLAYS
    assert in_the_box.DISPLAY_BYTES <= bounds.DISPLAY_BYTES
    assert in_the_box.ERRORS <= bounds.ERRORS


@given(
    st.lists(
        st.one_of(
            st.text(max_size=3).map(wrote),
            st.sampled_from([showed(b"1"), showed(b"2", display_id="x"), updated(b"3", "x"), raised()]),
        ),
        max_size=20,
    )
)
def test_all_text_is_there_in_its_order_whatever_is_shown_in_between(frames: list[OfCell]) -> None:
    collected = Collected()

    added = [collected.add(frame) for frame in frames]

    assert "".join(added) == "".join(item for item in collected.items if isinstance(item, str))
    shown_at_all = sum(isinstance(frame, Display) for frame in frames)
    assert sum(isinstance(item, Display) for item in collected.items) <= shown_at_all
