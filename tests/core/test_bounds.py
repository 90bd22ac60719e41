"""Every bound of a turn ends in a clear sentence, with what was done so far."""

import pytest

from bot.errors import ContextTooLong, InputRefused
from bot.limits import Limits
from bot.ports import Request
from bot.transcript import Digest, Reply, Usage, pictures_of
from tests.core.conftest import Chat
from tests.fakes.ports import ReplyingModel, SilentModel, artifact, calls, failed, printed, results_in


def for_ever(request: Request) -> Reply:
    """Another cell each time, and never an answer."""
    return calls(f"step({len(request.entries)})")


async def test_rounds(chat: Chat) -> None:
    chat.limits = Limits(rounds=3)
    model = ReplyingModel(*[for_ever] * 9)

    result = await chat.ask(model, "?")

    assert result.status == "error"
    assert "after 3 steps" in result.text
    assert len(model.requests) == 3
    assert "Answer now" in results_in(model.requests[2].entries)[-1].text


async def test_a_model_that_answers_in_its_last_round_is_fine(chat: Chat) -> None:
    chat.limits = Limits(rounds=2)

    assert (await chat.ask(ReplyingModel(for_ever, Reply("Done.")), "?")).status == "ok"


async def test_cells_leave_the_model_one_reply_to_answer(chat: Chat) -> None:
    chat.limits = Limits(cells=2)
    model = ReplyingModel(calls("1", "2", "3"), Reply("This far."))

    result = await chat.ask(model, "?")

    assert len(result.cells) == 2
    assert "no more code may run" in results_in(model.requests[1].entries)[2].text
    assert result.text.startswith("This far.\n\nI stopped after running 2 pieces of code")
    assert result.status == "error"


async def test_a_model_that_runs_code_nevertheless_is_ended(chat: Chat) -> None:
    chat.limits = Limits(cells=1)
    model = ReplyingModel(*[for_ever] * 9)

    result = await chat.ask(model, "?")

    assert len(model.requests) == 3
    assert len(result.cells) == 1
    assert "after running 1 pieces" in result.text


async def test_code_seconds_are_those_of_all_cells(chat: Chat) -> None:
    chat.limits = Limits(code_seconds=10, cell_seconds=8)
    chat.session.does["a"] = printed("", seconds=7)
    chat.session.does["b"] = printed("", seconds=3)
    model = ReplyingModel(calls("a"), calls("b"), calls("c"), Reply("This far."))

    result = await chat.ask(model, "?")

    assert [seconds for _, _, seconds in chat.session.ran] == [8, 3]
    assert "the code ran for 10 seconds" in result.text


async def test_model_seconds_do_not_count_code(chat: Chat) -> None:
    chat.limits = Limits(model_seconds=0.5)
    chat.session.does["a"] = printed("", seconds=1000)

    assert (await chat.ask(ReplyingModel(calls("a"), Reply("Done.")), "?")).text.startswith("Done.")

    result = await chat.ask(SilentModel("So far"), "?")

    assert result.status == "error"
    assert result.text.startswith("So far\n\nI stopped because the language model took 0 seconds")


async def test_tokens(chat: Chat) -> None:
    chat.limits = Limits(turn_tokens=1000)
    model = ReplyingModel(calls("1", usage=Usage(900, 200)), Reply("never asked"))

    result = await chat.ask(model, "?")

    assert len(model.requests) == 1
    assert "used 1000 tokens" in result.text


async def test_tokens_are_estimated_where_the_endpoint_does_not_count(chat: Chat) -> None:
    chat.limits = Limits(turn_tokens=1000)
    chat.session.does["1"] = printed("x" * 9000)

    result = await chat.ask(ReplyingModel(calls("1"), calls("2"), Reply("never asked")), "?")

    assert "used 1000 tokens" in result.text


async def test_the_same_failing_cell_three_times(chat: Chat) -> None:
    chat.session.does["bad"] = failed()
    model = ReplyingModel(*[calls("bad")] * 9)

    result = await chat.ask(model, "?")

    assert len(result.cells) == 3
    assert "failed 3 times" in result.text


async def test_a_cell_that_works_may_be_repeated(chat: Chat) -> None:
    model = ReplyingModel(*[calls("look()")] * 5, Reply("Done."))

    assert (await chat.ask(model, "?")).status == "ok"


async def test_a_context_that_is_too_long_is_compacted_once(chat: Chat) -> None:
    for number in range(6):
        await chat.ask(ReplyingModel(Reply("a" * 2000)), f"question {number}")
    model = ReplyingModel(ContextTooLong("8193 > 8192"), Reply("Fine."))

    result = await chat.ask(model, "And now?")

    assert result.text == "Fine."
    before, after = (list(request.entries) for request in model.requests)
    assert len(after) < len(before)
    assert isinstance(after[0], Digest)


async def test_a_context_that_stays_too_long_ends_with_a_sentence(chat: Chat) -> None:
    model = ReplyingModel(ContextTooLong("1"), ContextTooLong("2"))

    result = await chat.ask(model, "word " * 5000)

    assert result.status == "error"
    assert "more than the language model can read" in result.text


async def test_a_long_thread_is_compacted_before_it_is_refused(chat: Chat) -> None:
    for number in range(9):
        model = ReplyingModel(Reply("answer " * 300), context_tokens=6000)
        await chat.ask(model, f"question {number} " + "please " * 200)

    assert isinstance(model.requests[0].entries[0], Digest)
    assert "Asked: [Anna, Mon 2026-03-02 14:05] question 0" in model.requests[0].entries[0].text


async def test_an_endpoint_that_counts_more_than_we_do_gets_less(chat: Chat) -> None:
    for number in range(6):
        await chat.ask(ReplyingModel(Reply("a" * 7000)), f"question {number}")
    model = ReplyingModel(calls("1", usage=Usage(60_000, 10)), Reply("Done."), context_tokens=40_000)

    await chat.ask(model, "And now?")

    assert isinstance(model.requests[1].entries[0], Digest)


async def test_a_refused_picture_is_taken_out_and_the_thread_lives(chat: Chat) -> None:
    chat.session.does["plot()"] = printed("[a.png]", artifacts=[artifact("a.png")])
    model = ReplyingModel(calls("plot()"), InputRefused("invalid image"), Reply("Done."), sees_images=True)

    result = await chat.ask(model, "Plot")

    assert result.status == "ok"
    assert [pictures_of(request.entries) for request in model.requests] == [0, 1, 0]
    later = ReplyingModel(Reply("Yes."), sees_images=True)
    await chat.ask(later, "Still there?")
    assert pictures_of(later.requests[0].entries) == 0


async def test_refused_items_of_an_earlier_reply_are_taken_out(chat: Chat) -> None:
    raw = ({"type": "reasoning", "encrypted_content": "stale"},)
    await chat.ask(ReplyingModel(Reply("Hi.", raw=raw)), "Hello")
    model = ReplyingModel(InputRefused("reasoning item"), Reply("Fine."))

    result = await chat.ask(model, "And?")

    assert result.text == "Fine."
    assert [entry.raw for entry in model.requests[1].entries if isinstance(entry, Reply)] == [()]


async def test_a_refusal_that_nothing_mends_ends_with_a_sentence(chat: Chat) -> None:
    result = await chat.ask(ReplyingModel(InputRefused("no")), "?")

    assert result.status == "error"
    assert "refused something" in result.text


@pytest.mark.parametrize("limit", ["rounds", "cells"])
async def test_after_a_bound_the_thread_goes_on(chat: Chat, limit: str) -> None:
    chat.limits = Limits(**{limit: 1})
    await chat.ask(ReplyingModel(*[for_ever] * 9), "?")
    chat.limits = Limits()

    assert (await chat.ask(ReplyingModel(Reply("Going on.")), "Go on")).text == "Going on."


async def test_what_comes_after_the_third_failure_is_not_run(chat: Chat) -> None:
    chat.session.does["bad"] = failed()

    await chat.ask(ReplyingModel(calls("bad", "bad", "bad", "good")), "?")

    assert [code for _, code, _ in chat.session.ran] == ["bad", "bad", "bad"]
    assert "aborted" in results_in(await chat.entries())[3].text
