"""What a box says of the ways out of it is hostile text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest import attempts
from sandbox.probes import CLOSED, SHOWN, SHOWN_CHARACTERS, said


def answer(name: str, possible: object) -> str:
    return json.dumps({"attempt": name, "possible": possible})


def test_there_is_a_sentence_for_each_attempt() -> None:
    assert list(CLOSED) == list(attempts.ATTEMPTS)


def test_nothing_was_possible() -> None:
    assert said("root", answer("root", [])) == ()


def test_what_was_possible_is_told() -> None:
    assert said("root", f"noise\n{answer('root', ['setuid', 'CapEff'])}\n") == ("setuid", "CapEff")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        "5",
        "[" * 100_000,
        answer("another", []),
        answer("root", "nothing"),
        answer("root", {"a": 1}),
        answer("root", None),
        '{"attempt": "root"}',
    ],
)
def test_what_has_not_the_right_form_says_nothing(text: str) -> None:
    assert said("root", text) is None


def test_nothing_of_it_does_anything_to_a_terminal() -> None:
    (told,) = said("root", answer("root", ["\x1b]0;title\x07\x1b[2J\u202egnp\n\ud800"])) or ()

    assert told == "?]0;title??[2J?gnp??"


@given(st.lists(st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_it_is_never_long(possible: list[object]) -> None:
    told = said("root", answer("root", possible))

    assert told is not None
    assert len(told) <= SHOWN
    assert all(0 < len(each) <= SHOWN_CHARACTERS and each.isprintable() for each in told)
    assert bool(told) == bool(possible)
