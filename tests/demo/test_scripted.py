"""A script in the model's place: which reply it gives, and where the numbers in it come from."""

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from bot.messages import Writing
from bot.models import scripted
from bot.models.scripted import ScriptedModel
from bot.ports import Request
from bot.results import for_model
from bot.tools import RUN_PYTHON, code_in
from bot.transcript import Entry, Prompt, Reply, ToolResult
from tests.core.conftest import Chat
from tests.fakes.ports import artifact, calls, failed, printed

CODE = '# no heading: ## best\nprint(\'{"best": "May"}\')\n'
SCRIPT = f"""\
# For readers

Not said.

## Best, month

A look first.

```python
{CODE}```

---

**{{best}}**, with {{total:,.0f}} €.

```
not run
```

## mean

The middle.
"""
SALES = Prompt(
    "[Anna, Mon 2026-03-02 14:05]\nWhich MONTH was the best?\n\nAlso in the current directory: mean.csv"
)


def asked(*entries: Entry) -> Request:
    return Request("", entries, (RUN_PYTHON,))


async def said(script: str, *entries: Entry) -> Reply:
    return await ScriptedModel(script, pause_seconds=0).reply(asked(*entries), lambda _: None)


def result(text: str) -> ToolResult:
    return ToolResult("1", text)


async def test_a_question_with_all_phrases_gets_the_text_and_the_code_below_them() -> None:
    reply = await said(SCRIPT, SALES)

    assert reply.text == "A look first."
    assert [code_in(call) for call in reply.tool_calls] == [CODE.strip("\n")]


async def test_the_next_reply_says_what_the_code_printed() -> None:
    printed_by_code = result('[ok, 0.1 s]\nMay\n{"best": "May", "total": 1234.5}\nFiles written: a.csv')

    reply = await said(SCRIPT, SALES, calls("…"), printed_by_code)

    assert reply == Reply("**May**, with 1,234 €.\n\n```\nnot run\n```")


async def test_values_of_several_cells_come_together_and_the_newest_one_counts() -> None:
    first, second = result('{"best": "May", "total": 1}'), result('{"best": "June"}')

    reply = await said(SCRIPT, SALES, calls("1", "2"), first, second)

    assert reply.text.startswith("**June**, with 1 €.")


@pytest.mark.parametrize(
    "text", ["ValueError: no", '{"best": "May", "total": "much"}', "{'best': 1}\n{broken"]
)
async def test_values_that_are_missing_are_said_not_made_up(text: str) -> None:
    reply = await said(SCRIPT, SALES, calls("…"), result(text))

    assert "did not print what the script counts on" in reply.text
    assert text in reply.text


async def test_values_of_an_earlier_question_are_forgotten() -> None:
    earlier: list[Entry] = [SALES, calls("…"), result('{"best": "May", "total": 1}'), Reply("May.")]

    reply = await said(SCRIPT, *earlier, SALES, calls("…"), result("nothing"))

    assert "did not print" in reply.text


async def test_a_file_that_the_code_left_is_named_as_the_model_is_told() -> None:
    execution = printed("", artifacts=[artifact("a b.png", alt_text="x; y"), artifact("c.png")])
    told = ToolResult("1", for_model("", execution, "full"))

    reply = await said("## best\n\n---\n\n![a]({artifacts[0]}) ![c]({artifacts[1]})", SALES, calls("…"), told)

    assert reply.text == "![a](a b.png) ![c](c.png)"


async def test_only_the_question_is_searched_not_what_is_told_of_files() -> None:
    reply = await said(SCRIPT, Prompt("[Anna, Mon]\nWho are you?\n\nAlso in the current directory: mean.csv"))

    assert "A script plays the model's part" in reply.text
    assert "- Best, month\n- mean" in reply.text
    assert not reply.tool_calls


async def test_a_script_that_is_over_says_so() -> None:
    reply = await said(SCRIPT, Prompt("mean?"), Reply("The middle."))

    assert reply.text == scripted.NO_MORE


async def test_without_tools_no_code_is_asked_for() -> None:
    request = replace(asked(SALES), tools=())

    reply = await ScriptedModel(SCRIPT, pause_seconds=0).reply(request, lambda _: None)

    assert reply == Reply("A look first.")


async def test_the_text_grows_word_by_word() -> None:
    texts: list[str] = []

    await ScriptedModel(SCRIPT, pause_seconds=0).reply(asked(SALES), texts.append)

    assert texts == ["A ", "A look ", "A look first."]


async def test_the_example_in_the_documentation_works() -> None:
    documented = scripted.__doc__ or ""
    example = textwrap.dedent(documented[documented.index("    ## ") : documented.index("\n`{name}`")])

    reply = await said(
        example, Prompt("Best month?"), calls("…"), result('{"month": "May", "total": 1234.5}')
    )

    assert reply.text == "**May** was the best month, with 1,234 € in sales."


async def test_a_turn_goes_through_it(chat: Chat, tmp_path: Path) -> None:
    script = tmp_path / "script.md"
    script.write_text(SCRIPT, "utf-8")
    chat.session.does[CODE.strip("\n")] = printed('{"best": "May", "total": 2}')

    turn = await chat.ask(ScriptedModel.load(script, pause_seconds=0), "Which month was the best?")

    assert turn.status == "ok"
    assert turn.text.startswith("**May**, with 2 €.")
    assert Writing("A look first.") in chat.thread.updates


async def test_a_cell_that_fails_ends_in_words_that_say_so(chat: Chat) -> None:
    chat.session.does[CODE.strip("\n")] = failed("KeyError", "'price'")

    turn = await chat.ask(ScriptedModel(SCRIPT, pause_seconds=0), "Which month was the best?")

    assert turn.status == "ok"
    assert "KeyError" in turn.text
