"""Long Markdown in pieces: each fits and stands alone, and together they say the same."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.split import split

LIMIT = 120
"""Short, so that short texts are cut in many ways."""

words = st.text("abcdefg äöß漢字🎉é", min_size=1, max_size=60).filter(str.strip)
sentences = words.map(str.strip)
code_lines = st.text("xyz(= )", max_size=40)


@st.composite
def fences(draw: st.DrawFn) -> str:
    info = draw(st.sampled_from(["python", "", "sql title=x"]))
    marker = draw(st.sampled_from(["```", "````", "~~~"]))
    return "\n".join([f"{marker}{info}", *draw(st.lists(code_lines, max_size=12)), marker])


@st.composite
def tables(draw: st.DrawFn) -> str:
    rows = draw(st.lists(st.integers(0, 99999), min_size=1, max_size=12))
    return "\n".join(["| name | value |", "|---|--:|", *(f"| r{row} | {row} |" for row in rows)])


@st.composite
def lists(draw: st.DrawFn) -> str:
    items = draw(st.lists(sentences, min_size=1, max_size=8))
    if draw(st.booleans()):
        return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
    inner = draw(fences())
    nested = "\n".join(f"  {line}" for line in inner.split("\n"))
    return "\n".join([*(f"- {item}" for item in items), nested, *(f"  - {item}" for item in items)])


blocks = st.one_of(sentences, fences(), tables(), lists(), words.map(lambda text: f"## {text.strip()}"))
texts = st.lists(blocks, max_size=6).map("\n\n".join)


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def code_in(pieces: Sequence[str]) -> str:
    return "".join(
        token.content for piece in pieces for token in parsed(piece) if token.type in {"fence", "code_block"}
    )


def rows_in(pieces: Sequence[str]) -> list[str]:
    rows: list[str] = []
    for piece in pieces:
        tokens = parsed(piece)
        rows += [
            tokens[at + 1].content + "|" + tokens[at + 4].content
            for at, token in enumerate(tokens)
            if token.type == "td_open" and tokens[at - 1].type == "tr_open"
        ]
    return rows


def running_text_in(pieces: Sequence[str]) -> str:
    texts = [token.content for piece in pieces for token in parsed(piece) if token.type == "inline"]
    return re.sub(r"\s|name|value", "", "".join(texts))


@given(st.one_of(texts, st.text()), st.integers(60, 200))
def test_every_piece_fits(text: str, limit: int) -> None:
    assert all(0 < len(piece) <= limit for piece in split(text, limit))


@given(texts)
def test_every_piece_fits_by_another_measure(text: str) -> None:
    pieces = split(text, LIMIT, lambda piece: len(piece.encode()) + 2)

    assert all(len(piece.encode()) + 2 <= LIMIT for piece in pieces)


@given(st.one_of(texts, st.text("`~ \n>-1.|xy#")))
def test_every_piece_closes_its_fences(text: str) -> None:
    for piece in split(text, LIMIT):
        assert code_in([piece + "\n\nbehind"]) == code_in([piece])


@given(texts)
def test_no_code_no_row_and_no_word_is_lost(text: str) -> None:
    pieces = split(text, LIMIT)

    assert code_in(pieces) == code_in([text])
    assert rows_in(pieces) == rows_in([text])
    assert running_text_in(pieces) == running_text_in([text])


@given(st.text(), st.integers(60, 200))
def test_whatever_the_text_only_blanks_are_lost(text: str, limit: int) -> None:
    assert "".join("".join(split(text, limit)).split()).startswith("".join(text.split()))


@given(texts)
def test_a_text_that_fits_stays_as_it_is(text: str) -> None:
    whole = split(text, max(60, len(text)))

    assert whole == ([text.strip("\n").rstrip()] if text.strip() else [])


def test_code_is_closed_and_opened_again_with_the_same_first_line() -> None:
    first, second, *_ = split("```python title=x\n" + "print(1)\n" * 30 + "```", LIMIT)

    assert first.startswith("```python title=x\nprint(1)\n")
    assert first.endswith("print(1)\n```")
    assert second.startswith("```python title=x\nprint(1)\n")


def test_code_that_fits_alone_is_not_cut() -> None:
    code = "```\n" + "x = 1\n" * 14 + "```"

    assert split(f"{'Some words. ' * 4}\n\n{code}\n\nMore.", LIMIT)[1] == f"{code}\n\nMore."


def test_a_table_gets_its_head_again() -> None:
    head = "| a | b |\n|---|---|\n"
    pieces = split(head + "| 1 | 22222222 |\n" * 30, LIMIT)

    assert len(pieces) > 1
    assert all(piece.startswith(head) for piece in pieces)


def test_a_heading_stays_with_what_it_heads() -> None:
    pieces = split(f"{'word ' * 18}\n\n## Results\n\n{'word ' * 10}", LIMIT)

    assert pieces[1].startswith("## Results")


def test_an_introduction_stays_with_its_code() -> None:
    code = "```\n" + "x = 1\n" * 8 + "```"
    pieces = split(f"{'word ' * 15}\n\nThe code:\n\n{code}", LIMIT)

    assert pieces[1].startswith("The code:\n\n```")


def test_numbers_go_on_where_all_items_are_numbered_one() -> None:
    pieces = split("\n".join(f"1. {'item ' * 8}" for _ in range(4)), LIMIT)

    assert [re.findall(r"^\d+", piece, re.MULTILINE) for piece in pieces] == [["1", "1"], ["3", "1"]]


def test_a_nested_item_does_not_become_code() -> None:
    nested = "\n".join(f"        - nested {number} {'x' * 20}" for number in range(8))
    pieces = split(f"- outer\n    - middle\n{nested}\n- last", LIMIT)

    assert code_in(pieces) == ""
    assert sum(piece.count("nested") for piece in pieces) == 8


def test_code_in_a_list_goes_on_as_code() -> None:
    text = "1. Do this:\n\n    ```sh\n" + "    make it\n" * 20 + "    ```\n2. Done"
    pieces = split(text, LIMIT)

    assert len(pieces) > 2
    assert code_in(pieces) == "make it\n" * 20
    assert pieces[-1].endswith("2. Done")


def test_code_in_a_quotation_stays_in_it() -> None:
    pieces = split("> ```\n" + "> code here\n" * 20 + "> ```", LIMIT)

    assert all(line.startswith(">") for piece in pieces for line in piece.split("\n"))
    assert code_in(pieces) == "code here\n" * 20


def test_a_long_line_is_cut_behind_a_sentence_and_not_in_a_link() -> None:
    link = "[the source](https://example.com/a/long/path)"
    first, second = split(f"{'One two three. ' * 5}And then {link} {'and more ' * 6}", LIMIT)

    assert first.endswith("three.")
    assert second.startswith(f"And then {link}")


def test_an_accent_stays_on_its_letter() -> None:
    pieces = split("e\u0301" * 100, 61)

    assert all(piece.startswith("e") for piece in pieces)


@pytest.mark.parametrize("text", ["```\nx", "```\nx\n", "```\nx\n\n"])
def test_an_open_fence_is_closed_at_the_end(text: str) -> None:
    (piece,) = split(text, LIMIT)

    assert piece == text + "\n```"


@pytest.mark.parametrize("text", ["", " \n\n ", "\r\n"])
def test_nothing_comes_of_blanks(text: str) -> None:
    assert split(text, LIMIT) == []


def test_a_long_text_takes_no_long_time() -> None:
    text = ("A paragraph with some words in it. " * 10 + "\n\n") * 150 + "x\n" * 3000

    assert "".join("".join(split(text, 2000)).split()) == "".join(text.split())
