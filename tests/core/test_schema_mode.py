"""MODEL_DATA=schema: the endpoint sees names and types, never a value."""

import pytest

from bot.execution import CellError, Execution, Outcome, Profile
from bot.transcript import Digest, Reply
from tests.core.conftest import Chat
from tests.fakes.ports import ReplyingModel, artifact, calls, printed

CANARY = "CANARY-7391"


@pytest.fixture
def chat(chat: Chat) -> Chat:
    """A file, cells, charts and errors that are full of a value."""
    chat.data = "schema"
    chat.session.profiles["pay.csv"] = Profile("pay.csv", "table", f"name: {CANARY}", "name: text")
    chat.session.lost_variables = (CANARY,)
    chat.session.does |= {
        "look()": printed(f"{CANARY}\n[2 rows x 1 columns]", artifacts=[artifact(f"{CANARY}.png")]),
        "fail()": Execution(
            Outcome.RAISED,
            f"KeyError: {CANARY}",
            0.1,
            error=CellError("KeyError", CANARY, f"Cell In[2], line 4\nKeyError: {CANARY}"),
        ),
        "sum()": Execution(Outcome.OK, f"{CANARY} earns most\n", 0.1, changed_files=(f"{CANARY}.csv",)),
    }
    chat.session.workspace[f"{CANARY}.csv"] = b""
    return chat


async def test_no_request_ever_holds_a_value(chat: Chat) -> None:
    first = ReplyingModel(
        calls("look()"), calls("fail()"), calls("sum()"), Reply("See below."), sees_images=True
    )
    await chat.ask(first, "Who earns most?", pay_csv=CANARY.encode())
    second = ReplyingModel(calls("sum()"), Reply("As before."), sees_images=True)
    await chat.ask(second, "Again?")

    assert len(first.requests) == 4
    assert CANARY not in first.read + second.read
    assert "name: text" in first.read
    assert "KeyError in line 4" in first.read


async def test_names_of_files_from_people_are_told_and_of_files_from_code_not(chat: Chat) -> None:
    await chat.ask(ReplyingModel(Reply("ok")), "?", pay_csv=b"old")
    model = ReplyingModel(Reply("ok"))
    await chat.ask(model, "?", pay_csv=b"new")

    assert "Also in the current directory: pay (uploaded 2026-03-02).csv" in model.read
    assert CANARY not in model.read


async def test_people_read_what_the_last_good_cell_printed(chat: Chat) -> None:
    model = ReplyingModel(calls("sum()"), calls("fail()"), Reply("See below."))

    result = await chat.ask(model, "Who earns most?", pay_csv=CANARY.encode())

    assert result.text == (
        "See below.\n\nWhat the code put out (the language model has not seen it):\n\n"
        f"```\n{CANARY} earns most\n```"
    )


async def test_output_with_fences_stays_inside_its_own(chat: Chat) -> None:
    chat.session.does["print()"] = printed("````\n[link](http://example.org)")

    result = await chat.ask(ReplyingModel(calls("print()"), Reply("See.")), "?")

    assert result.text.endswith("`````\n````\n[link](http://example.org)\n`````")


async def test_what_was_said_before_the_switch_stays_here(chat: Chat) -> None:
    chat.data = "full"
    await chat.ask(ReplyingModel(calls("sum()"), Reply(f"{CANARY} does.")), "Who?", pay_csv=CANARY.encode())
    chat.data = "schema"
    model = ReplyingModel(Reply("I can't see it."), context_tokens=4096)

    await chat.ask(model, "And now?")

    assert CANARY not in model.read
    assert not any(isinstance(entry, Digest) for entry in model.requests[0].entries)


async def test_the_canary_is_seen_where_values_are_allowed(chat: Chat) -> None:
    chat.data = "full"
    model = ReplyingModel(calls("sum()"), Reply("ok"))

    await chat.ask(model, "Who?", pay_csv=CANARY.encode())

    assert model.read.count(CANARY) > 2
