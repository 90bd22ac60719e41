"""One turn, from the message to what is posted."""

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.errors import ModelMisconfigured, ModelUnavailable, SandboxNotReady
from bot.execution import Profile
from bot.limits import Limits
from bot.messages import Above, Attachment, Author, CellFinished, CellStarted, Message, Writing
from bot.transcript import Prompt, Reply, ToolCall, ToolResult, Usage
from tests.core.conftest import MONDAY, Chat
from tests.fakes.ports import (
    USED,
    FakeSession,
    ReplyingModel,
    SilentModel,
    artifact,
    calls,
    failed,
    printed,
    results_in,
)


async def test_a_plain_question_gets_text_without_a_cell_or_a_container(chat: Chat) -> None:
    result = await chat.ask(ReplyingModel(Reply("Hello Anna.", usage=USED)), "Hello!")

    assert result.status == "ok"
    assert result.text == chat.thread.answer.text == "Hello Anna."
    assert result.cells == ()
    assert result.usage == USED
    assert chat.sandbox.lent == 0
    assert not chat.thread.is_working


async def test_code_runs_and_the_answer_says_what_it_found(chat: Chat) -> None:
    model = ReplyingModel(calls("print(6 * 7)", usage=USED), Reply("It is 42.", usage=USED))
    chat.session.does["print(6 * 7)"] = printed("42\n")

    result = await chat.ask(model, "6 times 7?")

    assert result.text == "It is 42."
    assert [code for code, _ in result.cells] == ["print(6 * 7)"]
    assert result.usage == USED + USED
    assert "[ok, 0.1 s]\n42" in results_in(model.requests[1].entries)[0].text


async def test_the_model_reads_the_traceback_and_mends_its_code(chat: Chat) -> None:
    model = ReplyingModel(calls("bad"), calls("good"), Reply("Done."))
    chat.session.does["bad"] = failed("KeyError", "'Umsatz'")

    result = await chat.ask(model, "Sum?")

    assert "KeyError: 'Umsatz'" in results_in(model.requests[1].entries)[0].text
    assert result.status == "ok"
    assert [execution.outcome for _, execution in result.cells] == ["raised", "ok"]


async def test_the_next_question_sees_the_whole_thread(chat: Chat) -> None:
    await chat.ask(ReplyingModel(calls("x = 1"), Reply("One.")), "First?")
    model = ReplyingModel(Reply("Two."))
    await chat.ask(model, "Second?")

    kinds = [type(entry) for entry in model.requests[0].entries]
    assert kinds == [Prompt, Reply, ToolResult, Reply, Prompt]


async def test_progress_comes_in_order_and_before_the_answer(chat: Chat) -> None:
    await chat.ask(ReplyingModel(calls("1", text="Let me see."), Reply("One.")), "?")

    updates = chat.thread.updates
    assert [type(update) for update in updates] == [Writing, CellStarted, CellFinished, Writing]
    assert updates[-1] == Writing("One.")


async def test_charts_are_posted_once_with_the_alt_text_of_the_answer(chat: Chat) -> None:
    chart = artifact("sales.png", alt_text="Line chart")
    chat.session.does["plot()"] = printed("[sales.png]", artifacts=[chart])
    model = ReplyingModel(calls("plot()"), Reply("Rising.\n\n![Line chart, from 1 to 9, rising](sales.png)"))

    await chat.ask(model, "Plot it")

    assert chat.thread.answer.text == "Rising."
    assert chat.thread.answer.artifacts == (chart.described("Line chart, from 1 to 9, rising"),)


async def test_a_redrawn_chart_replaces_the_older_one(chat: Chat) -> None:
    old, new, other = artifact("a.png", b"old"), artifact("a.png", b"new"), artifact("b.png")
    chat.session.does |= {"1": printed("", artifacts=[old, other]), "2": printed("", artifacts=[new])}

    await chat.ask(ReplyingModel(calls("1"), calls("2"), Reply("See.")), "Plot")

    assert chat.thread.answer.artifacts == (other, new)


async def test_files_alone_are_an_answer(chat: Chat) -> None:
    table = artifact("clean.csv", media_type="text/csv")
    chat.session.does["save()"] = printed("", artifacts=[table])

    result = await chat.ask(ReplyingModel(calls("save()"), Reply("")), "Clean it")

    assert result.status == "ok"
    assert chat.thread.answer.artifacts == (table,)
    assert [type(entry) for entry in await chat.entries()] == [Prompt, Reply, ToolResult]


async def test_files_beyond_the_limits_are_named(chat: Chat) -> None:
    files = [artifact(f"{number}.csv", media_type="text/csv") for number in range(3)]
    chat.session.does["1"] = printed("", artifacts=[artifact("big.bin", b"x" * 2000), *files])
    chat.limits = Limits(artifacts=2, artifact_bytes=1000)

    await chat.ask(ReplyingModel(calls("1"), Reply("Here.")), "Split it")

    assert [each.name for each in chat.thread.answer.artifacts] == ["1.csv", "2.csv"]
    assert "big.bin, 0.csv" in chat.thread.answer.text


async def test_the_bytes_of_one_answer_are_bounded(chat: Chat) -> None:
    files = [artifact(f"{number}.bin", bytes([number]) * 600) for number in range(3)]
    chat.session.does["1"] = printed("", artifacts=files)
    chat.limits = Limits(turn_output_bytes=1500)

    await chat.ask(ReplyingModel(calls("1"), Reply("Here.")), "Make them")

    assert [each.name for each in chat.thread.answer.artifacts] == ["1.bin", "2.bin"]
    assert "0.bin" in chat.thread.answer.text


async def test_a_model_with_eyes_sees_its_charts(chat: Chat) -> None:
    chat.session.does["plot()"] = printed("[a.png]", artifacts=[artifact("a.png")])
    seeing = ReplyingModel(calls("plot()"), Reply("See."), sees_images=True)
    await chat.ask(seeing, "Plot")
    blind = ReplyingModel(calls("plot()"), Reply("See."))
    await chat.ask(blind, "Plot")

    assert [picture.name for picture in results_in(seeing.requests[1].entries)[0].pictures] == ["a.png"]
    assert all(result.pictures == () for result in results_in(blind.requests[1].entries))


async def test_parallel_calls_run_in_order_and_each_is_answered(chat: Chat) -> None:
    model = ReplyingModel(calls("a = 1", "b = 2", "a + b"), Reply("3"))

    await chat.ask(model, "?")

    _, reply, *results = model.requests[1].entries
    assert isinstance(reply, Reply)
    assert [code for _, code, _ in chat.session.ran] == ["a = 1", "b = 2", "a + b"]
    assert [result.call_id for result in results_in(results)] == [call.id for call in reply.tool_calls]


async def test_every_cell_has_an_id_of_its_own(chat: Chat) -> None:
    await chat.ask(ReplyingModel(calls("1", "2"), Reply("ok")), "?")
    await chat.ask(ReplyingModel(calls("1"), Reply("ok")), "?")

    assert [cell_id for cell_id, _, _ in chat.session.ran] == ["m1:cell:1", "m1:cell:2", "m2:cell:1"]


async def test_broken_arguments_go_back_as_text_and_cost_no_cell(chat: Chat) -> None:
    broken = Reply("", (ToolCall("c", "run_python", '{"source": 1}'), ToolCall("d", "search", "{}")))
    model = ReplyingModel(broken, Reply("Sorry."))

    result = await chat.ask(model, "?")

    first, second = results_in(model.requests[1].entries)
    assert '{"code": "print(1)"}' in first.text
    assert "no tool called 'search'" in second.text
    assert result.cells == ()


async def test_an_empty_message_is_asked_back_without_the_model(chat: Chat) -> None:
    result = await chat.ask(ReplyingModel(), "  ")

    assert result.status == "ok"
    assert "What would you like to know?" in chat.thread.answer.text


async def test_a_failure_is_answered_without_its_details(
    chat: Chat, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.CRITICAL)
    result = await chat.ask(ReplyingModel(RuntimeError("/secret/path")), "?")

    assert result.status == "error"
    assert "the help desk" in chat.thread.answer.text
    assert "secret" not in chat.thread.answer.text
    assert "/secret/path" in capsys.readouterr().out


async def test_an_expected_failure_has_its_own_sentence_in_the_language_of_the_asker(chat: Chat) -> None:
    chat.author = replace(chat.author, locale="de-AT")

    await chat.ask(ReplyingModel(ModelMisconfigured("401 sk-secret")), "?")

    assert chat.thread.answer.text == (
        "Das Sprachmodell lehnt die Einstellungen dieses Bots ab. Mehr weiß: the help desk."
    )


async def test_what_was_done_before_a_failure_is_delivered(chat: Chat) -> None:
    chart = artifact("a.png")
    chat.session.does["plot()"] = printed("", artifacts=[chart])
    model = ReplyingModel(calls("plot()", text="First the plot.", usage=USED), ModelUnavailable("503"))

    result = await chat.ask(model, "?")

    assert result.status == "error"
    assert chat.thread.answer.artifacts == (chart,)
    assert chat.thread.answer.text.startswith("First the plot.\n\nThe language model does not answer")
    assert result.usage == USED
    assert len(result.cells) == 1


async def test_the_model_learns_what_people_were_told_in_its_place(chat: Chat) -> None:
    await chat.ask(ReplyingModel(ModelUnavailable("503")), "First?")
    model = ReplyingModel(Reply("Yes."))
    await chat.ask(model, "Are you back?")

    asked, told, _ = model.requests[0].entries
    assert isinstance(asked, Prompt)
    assert isinstance(told, Reply)
    assert told.text.startswith("The language model does not answer")


async def test_a_question_that_could_not_even_be_asked_is_not_forgotten(chat: Chat) -> None:
    chat.sandbox.error = SandboxNotReady("no engine", mend="make image")
    await chat.ask(ReplyingModel(), "How many rows?", a_csv=b"a")
    chat.sandbox.error = None
    model = ReplyingModel(Reply("Two."))
    await chat.ask(model, "Try again")

    asked, told, _ = model.requests[0].entries
    assert "How many rows?" in asked.text
    assert told.text.startswith("Code cannot run here yet.")


async def test_files_that_were_taken_before_a_stop_are_still_known(chat: Chat) -> None:
    stop_at_profile = chat.session.profile

    async def profile(name: str) -> Profile:
        chat.stop.set()
        return await stop_at_profile(name)

    chat.session.profile = profile  # type: ignore[method-assign]  # the person stops just then
    await chat.ask(ReplyingModel(), "?", a_csv=b"1", b_csv=b"2")
    chat.stop.clear()
    model = ReplyingModel(Reply("ok"))
    await chat.ask(model, "?", a_csv=b"newer")

    assert "a (uploaded 2026-03-02).csv" in chat.session.workspace


async def test_words_that_are_in_the_transcript_are_not_added_again(chat: Chat) -> None:
    chat.limits = Limits(cells=1)

    await chat.ask(ReplyingModel(calls("1", "2"), Reply("This far.")), "?")

    last = (await chat.entries())[-1]
    assert last.text.startswith("I stopped after")


async def test_an_answer_that_cannot_be_posted_is_an_error_and_not_lost(chat: Chat) -> None:
    chat.thread.refuses_posts = True

    result = await chat.ask(ReplyingModel(Reply("Yes.")), "?")

    assert result.status == "error"
    assert result.text == "Yes."


async def test_a_sandbox_that_is_not_ready_names_the_command_that_mends_it(chat: Chat) -> None:
    chat.sandbox.error = SandboxNotReady("no image", mend="make image")

    result = await chat.ask(ReplyingModel(calls("1")), "?")

    assert result.status == "error"
    assert "make image" in chat.thread.answer.text
    assert [type(entry) for entry in await chat.entries()] == [Prompt, Reply, ToolResult, Reply]


async def test_stop_interrupts_the_cell_and_keeps_what_was_done(chat: Chat) -> None:
    chat.session.hangs_on = "slow()"
    model = ReplyingModel(calls("slow()", "never()"))

    async with asyncio.TaskGroup() as group:
        turn = group.create_task(chat.ask(model, "?"))
        await chat.session.is_hanging.wait()
        chat.stop.set()

    result = turn.result()
    assert result.status == "cancelled"
    assert chat.thread.answer.text == "Stopped. What was done so far is kept."
    assert [execution.outcome for _, execution in result.cells] == ["interrupted"]
    first, second = results_in(await chat.entries())
    assert "stopped by a person" in first.text
    assert second.text == "Not run: aborted."


async def test_stop_ends_the_model_call_and_keeps_its_words(chat: Chat) -> None:
    model = SilentModel("The answer is")

    async with asyncio.TaskGroup() as group:
        turn = group.create_task(chat.ask(model, "?"))
        await model.was_asked.wait()
        chat.stop.set()

    assert turn.result().status == "cancelled"
    assert chat.thread.answer.text == "The answer is\n\nStopped. What was done so far is kept."


async def test_a_thread_that_was_stopped_goes_on(chat: Chat) -> None:
    chat.session.hangs_on = "slow()"
    async with asyncio.TaskGroup() as group:
        group.create_task(chat.ask(ReplyingModel(calls("slow()")), "?"))
        await chat.session.is_hanging.wait()
        chat.stop.set()
    chat.stop.clear()
    model = ReplyingModel(Reply("Fine."))

    result = await chat.ask(model, "Go on")

    assert result.status == "ok"
    assert [type(entry) for entry in model.requests[0].entries] == [Prompt, Reply, ToolResult, Reply, Prompt]


async def test_a_cancelled_turn_passes_the_cancellation_on(chat: Chat) -> None:
    model = SilentModel()
    turn = asyncio.ensure_future(chat.ask(model, "?"))
    await model.was_asked.wait()
    turn.cancel()

    with pytest.raises(asyncio.CancelledError):
        await turn
    assert not chat.thread.is_working


async def test_an_empty_reply_is_asked_for_once_more(chat: Chat) -> None:
    result = await chat.ask(ReplyingModel(Reply(""), Reply("Here I am.")), "?")

    assert result.text == "Here I am."
    assert [type(entry) for entry in await chat.entries()] == [Prompt, Reply]


async def test_a_model_that_stays_silent_ends_with_a_sentence(chat: Chat) -> None:
    result = await chat.ask(ReplyingModel(Reply(""), Reply("  ")), "?")

    assert result.status == "error"
    assert "gave no answer" in chat.thread.answer.text


async def test_a_reply_that_breaks_off_is_continued_once(chat: Chat) -> None:
    model = ReplyingModel(Reply("One, two, thr", truncated=True), Reply("ee."))

    result = await chat.ask(model, "Count")

    assert result.text == "One, two, three."
    assert chat.thread.updates[-1] == Writing("One, two, three.")
    assert await chat.entries() == [(await chat.entries())[0], Reply("One, two, three.")]


async def test_a_reply_that_breaks_off_twice_says_that_its_end_is_missing(chat: Chat) -> None:
    replies = [Reply("One, ", truncated=True), Reply("two, ", truncated=True)]

    result = await chat.ask(ReplyingModel(*replies), "Count")

    assert result.text.startswith("One, two,\n\n")
    assert "its end is missing" in result.text


async def test_links_to_local_files_do_not_reach_people(chat: Chat) -> None:
    chat.session.does["save()"] = printed("", artifacts=[artifact("out.csv", media_type="text/csv")])
    model = ReplyingModel(calls("save()"), Reply("[Download it](sandbox:/mnt/data/out.csv)"))

    await chat.ask(model, "?")

    assert chat.thread.answer.text == "Download it"


async def test_the_endpoint_never_gets_the_id_of_a_user(chat: Chat) -> None:
    chat.author = replace(chat.author, id="U0SECRET")
    model = ReplyingModel(Reply("Hi."))

    await chat.ask(model, "?")

    assert "U0SECRET" not in model.requests[0].user + model.read
    assert len(model.requests[0].user) == 32


async def test_usage_is_the_sum_of_all_replies(chat: Chat) -> None:
    model = ReplyingModel(calls("1", usage=Usage(100, 10, 50)), Reply("x", usage=Usage(200, 20, 100)))

    assert (await chat.ask(model, "?")).usage == Usage(300, 30, 150)


async def test_a_session_is_lent_once_a_turn(chat: Chat) -> None:
    chat.sandbox.the_session = FakeSession()

    await chat.ask(ReplyingModel(calls("1"), calls("2"), Reply("x")), "?")

    assert chat.sandbox.lent == 1


async def test_what_was_said_before_the_bot_was_called_is_read_with_its_files(chat: Chat) -> None:
    earlier = Message(
        "m0", Author("U2", "Ben"), "These are last year's.", MONDAY, (Attachment("a.csv", "u0", 3),)
    )
    chat.thread.said_above = Above((earlier,), said="I read 1 message and 1 file above.")
    chat.thread.files["u0"] = b"a,b"
    model = ReplyingModel(Reply("They are fine."), Reply("Still."))

    first = await chat.ask(model, "What do you think?")
    await chat.ask(model, "Sure?")

    asked = model.requests[0].entries[0].text
    assert "Ben: These are last year's." in asked
    assert '<file name="a.csv"' in asked
    assert first.text == "I read 1 message and 1 file above.\n\nThey are fine."
    assert "before you were called" not in model.requests[1].entries[-1].text
