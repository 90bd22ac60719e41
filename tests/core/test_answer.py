"""The model's Markdown, made ready for a thread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import for_people


def test_a_picture_in_the_text_becomes_an_alt_text() -> None:
    answer = for_people("Sales rose.\n\n![Line chart, rising](sales.png)\n\nThat is all.", {"sales.png"})

    assert answer.text == "Sales rose.\n\nThat is all."
    assert answer.alt_texts == {"sales.png": "Line chart, rising"}


def test_a_file_name_with_spaces_is_a_link_too() -> None:
    answer = for_people("![Bars](Umsatz 2026.png)", {"Umsatz 2026.png"})

    assert answer.alt_texts == {"Umsatz 2026.png": "Bars"}
    assert answer.text == ""


@pytest.mark.parametrize(
    "target",
    [
        "sandbox:/mnt/data/out.csv",
        "sandbox:out.csv",
        "/mnt/data/out.csv",
        "/workspace/out.csv",
        "file:///workspace/out.csv",
        "attachment://out.csv",
        "./out.csv",
        "out.csv",
        "results/out.csv",
        "C:\\out.csv",
        "<out file.csv>",
        'out.csv "A title"',
    ],
)
def test_a_link_to_a_local_file_keeps_its_label(target: str) -> None:
    assert (
        for_people(f"Here: [the **cleaned** file]({target}).", {"x.png"}).text
        == "Here: the **cleaned** file."
    )


@pytest.mark.parametrize(
    "text",
    [
        "[site](https://example.org/workspace/out.csv)",
        "[mail](mailto:someone@example.org)",
        "<https://example.org/mnt/data/x>",
        "https://example.org/?file=file:///x",
        "[part](#heading)",
        "[docs](www.example.org/a)",
        "[docs](example.org/a)",
        "```python\n[a](sandbox:/x)\n![b](c.png)\n```",
        "    [a](sandbox:/x)",
        "`[a](sandbox:/x)` and `/mnt/data/x`",
        "- item\n\n      [a](sandbox:/x)",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "either/or, and/or [1] (see: x)",
        "a\n\n\n\nb",
    ],
)
def test_code_and_links_to_the_web_stay_as_they_are(text: str) -> None:
    assert for_people(text, {"out.csv"}).text == text


def test_paths_in_running_text_become_names() -> None:
    answer = for_people("Saved to sandbox:/mnt/data/a.csv and /workspace/b.csv.", set())

    assert answer.text == "Saved to a.csv and b.csv."


def test_a_picture_inside_a_dead_link_goes_with_it() -> None:
    answer = for_people("[![Bars](chart.png)](sandbox:/chart.png)\n\nDone.", {"chart.png"})

    assert answer.text == "Done."
    assert answer.alt_texts == {"chart.png": "Bars"}


def test_a_list_item_that_was_only_a_picture_goes() -> None:
    assert for_people("- ![Bars](a.png)\n- [data](b.csv)", {"a.png", "b.csv"}).text == "- data"


def test_a_link_over_two_quoted_lines_keeps_their_marks() -> None:
    assert for_people("> see [the\n> file](sandbox:/x.csv) now", set()).text == "> see the\n> file now"


def test_links_in_tables_and_headings_are_found() -> None:
    text = "## [File](./a.csv)\n\n| name | file |\n|---|---|\n| x | [a](sandbox:/a.csv) |"

    assert for_people(text, set()).text == "## File\n\n| name | file |\n|---|---|\n| x | a |"


def test_a_reference_to_a_local_file_loses_its_definition() -> None:
    assert for_people("See [the file][1].\n\n[1]: sandbox:/a.csv", set()).text == "See the file."


def test_a_picture_dumped_as_base64_goes() -> None:
    assert for_people("Look: ![chart](data:image/png;base64,iVBORw0KGgo=) nice", set()).text == "Look:  nice"


words = st.text("abc `*_[]()!<>\n-#|~:/.\\\"'", max_size=30)
links = st.sampled_from(
    [
        "[a](sandbox:/x.csv)",
        "![b](c.png)",
        "[w](https://example.org/x)",
        "```\n[a](sandbox:/x)\n```\n",
        "`x`",
        "/mnt/data/y.csv",
        "\n\n",
        "\n- ",
        "\n> ",
    ]
)
texts = st.lists(words | links, max_size=8).map("".join)


@given(texts)
def test_any_text_is_taken_and_a_second_pass_finds_nothing_more(text: str) -> None:
    once = for_people(text, {"c.png"}).text

    assert for_people(once, {"c.png"}).text == once


@given(texts.filter(lambda text: "](" not in text and "mnt" not in text and "]:" not in text))
def test_text_without_links_is_left_alone(text: str) -> None:
    assert for_people(text, {"c.png"}).text == text
