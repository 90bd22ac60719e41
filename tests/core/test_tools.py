"""What the model asks for, however it wrapped it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools import BadCall, code_in
from bot.transcript import ToolCall


def call(arguments: str, name: str = "run_python") -> ToolCall:
    return ToolCall("1", name, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        '{"code": "print(1)"}',
        '{"code": "print(1)",}',
        "{'code': 'print(1)'}",
        '{"code": "print(1)"',
        '```json\n{"code": "print(1)"}\n```',
        '{"code": "```python\\nprint(1)\\n```"}',
        "```python\nprint(1)\n```",
        "```\nprint(1)\n```\n",
        '"print(1)"',
        "print(1)",
        "\nprint(1)\n",
    ],
)
def test_every_usual_wrapping_gives_the_same_code(arguments: str) -> None:
    assert code_in(call(arguments)) == "print(1)"


def test_real_line_breaks_in_a_json_string_are_kept() -> None:
    assert code_in(call('{"code": "a = 1\nprint(a)"}')) == "a = 1\nprint(a)"


def test_unescaped_quotes_are_repaired() -> None:
    assert code_in(call('{"code": "print("hi")"}')) == 'print("hi")'


@pytest.mark.parametrize("code", ["{x for x in y}", '{"a": 1}["a"]', '"a" + "b"', "[1, 2]"])
def test_bare_code_that_begins_like_json_is_still_code(code: str) -> None:
    assert code_in(call(code)) == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"code": ', "not valid JSON"),
        ('{"source": "print(1)"}', '{"code": "print(1)"}'),
        ('{"code": 5}', '{"code": "print(1)"}'),
        ('{"code": " "}', "empty"),
        ("", "empty"),
    ],
)
def test_arguments_without_code_go_back_as_text(arguments: str, said: str) -> None:
    answer = code_in(call(arguments))

    assert isinstance(answer, BadCall)
    assert said in answer.text


def test_an_unknown_tool_is_named_and_so_is_the_known_one() -> None:
    answer = code_in(call("{}", name="browse"))

    assert isinstance(answer, BadCall)
    assert "'browse'" in answer.text
    assert "run_python" in answer.text


def test_nothing_is_guessed_of_a_call_that_was_cut_off() -> None:
    answer = code_in(call('{"code": "delete(everything'), cut_off=True)

    assert isinstance(answer, BadCall)
    assert "cut off" in answer.text


@given(st.text().filter(str.strip).filter(lambda code: code == code.strip("\n")))
def test_proper_json_gives_the_code_as_it_was(code: str) -> None:
    if "```" in code or "~~~" in code:
        return

    assert code_in(call(json.dumps({"code": code}))) == code


@given(st.text())
def test_whatever_the_model_writes_there_is_an_answer(arguments: str) -> None:
    assert isinstance(code_in(call(arguments)), str | BadCall)
