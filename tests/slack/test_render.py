"""Answers as messages that Slack takes: checked by the same rules as the fake's."""

import io
import re
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import blocks
from adapters.slack.render import Form, Json, Part, Rendered, Rendering
from adapters.slack.tables import Table, data_table, parts
from bot.messages import Output
from tests.fakes.ports import artifact
from tests.fakes.slack.rules import check_message, strings_in, types_in

TURN = "slack:T1:C1:1790000000.000100"


def render(text: str = "", *, codes: tuple[str, ...] = (), turn: str = TURN, **facts: Any) -> Rendered:
    return Rendering(turn=turn).render(Output(text, facts.pop("artifacts", ()), codes))


def part(text: str, **facts: Any) -> Part:
    (only,) = render(text, **facts).parts
    return only


def table_of(rows: int, columns: int = 3, width: int = 4) -> str:
    head = [f"c{at}" for at in range(columns)]
    lines = [head, ["---"] * columns]
    lines += [[f"{row}" if at == 0 else "x" * width for at in range(columns)] for row in range(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(form: Form) -> str:
    """Everything that is to be read in it."""
    return "\n".join(strings_in(list(form.blocks))) if form.blocks else form.text


@pytest.mark.parametrize(
    "text",
    [
        "Hello **you**.",
        "word " * 12_000,
        "\n\n".join(["A paragraph. " * 20] * 100),
        "```python\n" + "print('\"x\"')\n" * 3000 + "```",
        table_of(5),
        table_of(150),
        table_of(90, 5, 12),
        table_of(20, 30),
        "\n\n".join(["Before", table_of(3), "between", table_of(4), "after"]),
        "😀" * 9000,
        '<&>"\\' * 3000,
        "x" * 30_000,
    ],
)
def test_every_form_is_taken(text: str) -> None:
    for each in render(text, codes=("x = 1\n" * 50, "print(x)")).parts:
        assert each.forms
        for form in each.forms:
            check_message(form.args, text_limit=4000)
            assert form.text


@given(
    st.lists(
        st.sampled_from(["A sentence. ", "\n\n", "```\ncode\n```\n", "- item\n", table_of(3), "漢字" * 400])
    )
)
def test_every_form_of_anything_is_taken(pieces: list[str]) -> None:
    for each in render("".join(pieces)).parts:
        for form in each.forms:
            check_message(form.args, text_limit=4000)


def test_a_long_answer_is_all_there() -> None:
    words = [f"w{number}" for number in range(9000)]
    rendered = render(" ".join(words))

    for at in (0, -1):
        text = " ".join(shown(each.forms[at]) for each in rendered.parts)
        assert re.findall(r"\bw\d+\b", text) == words
    assert re.findall(r"w\d+", " ".join(each.markdown for each in rendered.parts)) == words


def test_a_small_table_is_a_table_of_slacks() -> None:
    rich, older, simple, *_ = part(f"Look:\n\n{table_of(2)}\n\nThat is all.", turn="").forms

    assert [block["type"] for block in rich.blocks] == ["markdown", "data_table", "markdown"]
    assert rich.blocks[1]["rows"][1] == [
        {"type": "raw_number", "value": 0, "text": "0"},
        {"type": "raw_text", "text": "xxxx"},
        {"type": "raw_text", "text": "xxxx"},
    ]
    assert [block["type"] for block in older.blocks] == ["markdown", "table", "markdown"]
    assert [block["type"] for block in simple.blocks] == ["markdown"]
    assert table_of(2) in simple.blocks[0]["text"]


def test_of_two_tables_the_second_stays_markdown() -> None:
    forms = part(f"{table_of(2)}\n\nand\n\n{table_of(3)}", turn="").forms

    assert [block["type"] for block in forms[0].blocks] == ["data_table", "markdown"]


def test_a_large_table_comes_as_a_workbook_with_its_first_rows_shown() -> None:
    rendered = render(f"Here:\n\n{table_of(150)}")
    (file,) = rendered.files

    (table,) = [block for block in rendered.parts[0].forms[0].blocks if block["type"] == "data_table"]
    assert len(table["rows"]) == 21
    assert (
        "The first 20 of 150 rows; all of them, in 3 columns, are in table-1.xlsx."
        in rendered.parts[0].markdown
    )
    assert file.name == "table-1.xlsx"
    assert isinstance(file.content, bytes)
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.read("xl/worksheets/sheet1.xml").count(b"<row ") == 151


def test_cells_are_plain_text() -> None:
    text = "| **a** | `b` |\n|:-:|--:|\n| [x](https://example.com) |  |"
    (table,) = [each for each in parts(text) if isinstance(each, Table)]

    assert (table.head, table.rows, table.align) == (("a", "b"), (("x", ""),), ("center", "right"))
    block = data_table(table)
    assert block is not None
    assert block["rows"][1][1]["text"].strip("\u00a0") == ""


def test_code_is_folded_below_the_answer() -> None:
    rich, older, *_ = part("Done.", codes=("x = 1 < 2\n", "print(x)")).forms

    folded = next(block for block in rich.blocks if block["type"] == "container")
    assert folded["default_collapsed"]
    assert folded["title"]["text"] == "Code (2)"
    assert [each["text"]["text"] for each in folded["child_blocks"]] == [
        "```\nx = 1 &lt; 2\n```",
        "```\nprint(x)\n```",
    ]
    assert "container" not in types_in(list(older.blocks))


def test_too_much_code_is_left_to_its_button() -> None:
    assert "container" not in types_in(list(part("Done.", codes=("x = 1\n" * 3000,)).forms[0].blocks))


def action_ids(form: Form) -> list[str]:
    return [each["action_id"] for block in form.blocks for each in block.get("elements", [])]


def test_buttons_are_below_the_last_message_only() -> None:
    first, *_, last = render("word " * 8000, codes=("x",)).parts

    assert action_ids(first.forms[0]) == []
    assert action_ids(last.forms[0]) == ["show_code", "edit_and_run", "notebook", "delete_answer", "feedback"]
    assert action_ids(last.forms[1])[-2:] == ["like", "dislike"]


def test_without_code_there_are_no_buttons_for_it() -> None:
    assert action_ids(part("Hello.").forms[0]) == ["delete_answer", "feedback"]


def test_buttons_tell_the_turn_and_nothing_else() -> None:
    form = part("Secret answer.", codes=("secret",)).forms[0]
    values = [each.get("value") for block in form.blocks for each in block.get("elements", [])]

    assert set(values) == {TURN, None}


def test_pictures_are_described() -> None:
    chart = artifact("chart.png", alt_text="Sales rise " + "x" * 2000)
    rendered = render(
        "See.", artifacts=(chart, artifact("data.csv", media_type="text/csv"), artifact("b.png"))
    )

    assert [file.alt_text[:10] for file in rendered.files] == ["Sales rise", "", "b.png"]
    assert all(len(file.alt_text) <= 1000 for file in rendered.files)
    assert rendered.comment.startswith("Sales rise")
    assert len(rendered.comment) <= 500


def test_what_a_chart_is_called_calls_nobody_and_leads_nowhere() -> None:
    chart = artifact("chart.png", alt_text="<!channel> <https://there.example/x|Open & read> by <@U2>, @here")

    comment = render(artifacts=(chart,)).comment

    assert "<" not in comment
    assert "https://there" not in comment
    assert "@here" not in comment
    assert comment.startswith("&lt;")


def test_nothing_is_rendered_of_nothing() -> None:
    assert render("") == Rendered((), (), "")


def test_forms_with_refused_blocks_are_passed_over() -> None:
    answer = part(table_of(2), codes=("x",))

    assert answer.without({"data_table"})[0].types >= {"table"}
    assert answer.without({"data_table", "table", "container", "context_actions"})[0].types == {
        "markdown",
        "actions",
    }
    assert answer.without({"markdown", "data_table", "table", "actions"}) == answer.forms[-1:]


def test_long_code_lines_are_cut_to_fit_a_section() -> None:
    sections: list[Json] = blocks.code_sections("x" * 9000 + "\n```\nend")

    check_message({"text": "x", "blocks": sections}, text_limit=None)
    assert sum(each["text"]["text"].count("x") for each in sections) == 9000
