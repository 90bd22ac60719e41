"""Marks in the text say where a frame belongs, and are taken out again."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest.marks import mark, unmarked


@given(st.lists(st.tuples(st.text().map(str.encode), st.integers(0, 10**9))))
def test_text_without_its_marks_is_the_text(parts: list[tuple[bytes, int]]) -> None:
    marked = b"".join(text + mark(number) for text, number in parts)

    assert unmarked(marked) == b"".join(text for text, _ in parts)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_one_mark_does_not_stand_in_another(one: int, other: int) -> None:
    assert (mark(one) in mark(other)) == (one == other)
