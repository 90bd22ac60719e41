"""What models write into their text that people should not see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.markup import calls_in, visible, without_thoughts
from bot.tools import RUN_PYTHON
from tests.fakes.openai_answers import Says
from tests.models.conftest import LOCAL_MODEL, Wire

CALL = '{"name": "run_python", "arguments": {"code": "1+1"}}'


@pytest.mark.parametrize(
    "text",
    [
        "<think>hm\n\nhm</think>\n\n42.",
        "\n<think></think>42.",
        "<thinking>hm</thinking>42.",
        "hm, the opening tag is in the prompt</think>\n42.",
        "42.",
    ],
)
def test_thoughts_are_taken_out(text: str) -> None:
    assert without_thoughts(text) == "42."


def test_thoughts_that_do_not_end_are_all_there_is() -> None:
    assert without_thoughts("<think>hm") == ""


def test_a_tag_in_the_middle_of_an_answer_stays() -> None:
    text = "Write `<think>` to make it think."

    assert without_thoughts(text) == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (f"I look.\n<tool_call>\n{CALL}\n</tool_call>", "I look."),
        (f"<tool_call>{CALL}", ""),
        (
            "<tool_call>\n<function=run_python>\n<parameter=code>\n1+1\n</parameter>\n</function>\n</tool_call>",
            "",
        ),
        (f"[TOOL_CALLS][{CALL}]", ""),
        (CALL, ""),
        (f"```json\n{CALL}\n```", ""),
        ('{"name": "run_python", "parameters": {"code": "1+1"}}', ""),
        ('{"function": {"name": "run_python", "arguments": "{\\"code\\": \\"1+1\\"}"}}', ""),
        ('<tool_call>{"name": "run_python", "arguments": {"code": "1+1"}</tool_call>', ""),
    ],
)
def test_calls_in_text_are_calls(text: str, rest: str) -> None:
    left, (call,) = calls_in(text, [RUN_PYTHON])

    assert left == rest
    assert call.name == "run_python"
    assert call.arguments in {'{"code": "1+1"}', "1+1"}


@pytest.mark.parametrize(
    "text",
    [
        '{"total": 42}',
        '{"name": "delete_everything", "arguments": {}}',
        "Use <tool_call> for that.",
        "[1, 2]",
        "",
    ],
)
def test_what_names_none_of_our_tools_is_text(text: str) -> None:
    assert calls_in(text, [RUN_PYTHON]) == (text, ())


def test_nothing_of_a_tag_is_shown_while_it_arrives() -> None:
    text = f"<think>hm</think>I look.\n<tool_call>{CALL}</tool_call>"

    shown = {visible(text[:length]).strip() for length in range(len(text) + 1)}

    assert all("I look.".startswith(each) for each in shown)


@given(st.text(alphabet="<>/think[TOL_CAS] \n{}42"))
def test_what_is_shown_is_always_a_part_of_what_was_written(text: str) -> None:
    assert visible(text) in text


async def test_a_call_as_text_is_made_and_not_shown(wire: Wire) -> None:
    said = f"<think>\nhm\n</think>\nI look. <tool_call>{CALL}</tool_call>"
    model = await wire.connect(await wire.serve(Says(said)), LOCAL_MODEL)

    reply = await wire.ask(model)

    assert reply.text == "I look."
    assert json.loads(reply.tool_calls[0].arguments) == {"code": "1+1"}
    assert "tool_call" not in "".join(wire.shown)
    assert "hm" not in "".join(wire.shown)
