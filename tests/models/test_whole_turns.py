"""Whole turns, from a message to what is posted, with a real client and an endpoint that has its moods."""

import pytest

from bot.errors import ContextTooLong, ModelQuotaExhausted
from tests.core.conftest import Chat
from tests.fakes.openai_answers import Calls, Fails, Json, Says, Scripted, Sends
from tests.fakes.openai_rules import images_in, text_of
from tests.fakes.ports import artifact, failed, printed
from tests.models.conftest import LOCAL_MODEL, Wire

BOTH = pytest.mark.parametrize("api", ["responses", "chat"])

PLOT = "plot()"
ERROR = "KeyError"


@BOTH
async def test_a_traceback_goes_to_the_model_and_its_repair_is_run(wire: Wire, chat: Chat, api: str) -> None:
    chat.session.does["df['price']"] = failed(ERROR, "'price'")
    chat.session.does["df['Price'].sum()"] = printed("42")

    def repair(body: Json) -> Says:
        assert ERROR in text_of(body)
        return Says(calls=(Calls("df['Price'].sum()", "call_2"),))

    server = await wire.serve(Says("I look.", (Calls("df['price']", "call_1"),)), repair, Says("It is 42."))
    result = await chat.ask(await wire.connect(server, api=api), "Sum?")

    assert result.status == "ok"
    assert chat.thread.answer.text == "It is 42."
    assert [code for _, code, _ in chat.session.ran] == ["df['price']", "df['Price'].sum()"]
    assert result.usage.input_tokens == 300
    assert result.cost_usd is not None


@BOTH
async def test_arguments_that_are_no_json_are_told_to_the_model(wire: Wire, chat: Chat, api: str) -> None:
    def mended(body: Json) -> Says:
        assert "not valid JSON" in text_of(body)
        return Says(calls=(Calls("1+1", "call_2"),))

    server = await wire.serve(Says(calls=(Calls("", "call_1", arguments='{"code": '),)), mended, Says("Two."))
    # A model for which Responses has no free-form tools either.
    result = await chat.ask(await wire.connect(server, "gpt-4.1", api=api), "What?")

    assert result.text == "Two."
    assert [code for _, code, _ in chat.session.ran] == ["1+1"]


@BOTH
async def test_arguments_with_small_faults_are_understood(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(
        Says(calls=(Calls("", "call_1", arguments="{'code': 'print(\"hi\")',}"),)), Says("Hi.")
    )
    await chat.ask(await wire.connect(server, "gpt-4.1", api=api), "What?")

    assert [code for _, code, _ in chat.session.ran] == ['print("hi")']


@BOTH
async def test_parallel_calls_are_run_in_order_and_answered_together(
    wire: Wire, chat: Chat, api: str
) -> None:
    server = await wire.serve(Says(calls=(Calls("a = 1", "call_1"), Calls("a + 1", "call_2"))), Says("Two."))
    result = await chat.ask(await wire.connect(server, api=api), "What?")

    assert result.text == "Two."
    assert [code for _, code, _ in chat.session.ran] == ["a = 1", "a + 1"]


@BOTH
async def test_the_next_question_goes_with_all_that_was_said(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(
        Says("I look.", (Calls("1+1", "call_1"),), reasoning="hm"), Says("Two."), Says("As I said, two.")
    )
    model = await wire.connect(server, api=api)
    await chat.ask(model, "What?")
    await chat.ask(model, "Sure?")

    assert chat.thread.answer.text == "As I said, two."
    for said in ("What?", "I look.", "1+1", "Two.", "Sure?"):
        assert said in text_of(server.bodies[-1])


@BOTH
async def test_a_thread_can_go_on_with_another_model_in_another_format(
    wire: Wire, chat: Chat, api: str
) -> None:
    server = await wire.serve(
        Says("I look.", (Calls("1+1", "call_1"),), reasoning="hm"), Says("Two."), Says("Still two.")
    )
    await chat.ask(await wire.connect(server, api=api), "What?")
    other = "chat" if api == "responses" else "responses"
    await chat.ask(await wire.connect(server, "gpt-6-sol", api=other), "Sure?")

    assert chat.thread.answer.text == "Still two."


@BOTH
async def test_a_request_that_is_too_long_is_made_shorter_once(wire: Wire, chat: Chat, api: str) -> None:
    too_long = Fails(400, "Your input exceeds the context window", "context_length_exceeded")
    server = await wire.serve(Says("Long. " * 3000), too_long, Says("Short."))
    model = await wire.connect(server, api=api)
    await chat.ask(model, "Tell me all.")
    await chat.ask(model, "Shorter!")

    assert chat.thread.answer.text == "Short."
    assert len(server.received) == 3
    assert len(text_of(server.bodies[2])) < len(text_of(server.bodies[1]))
    assert "Shorter!" in text_of(server.bodies[2])


@BOTH
async def test_what_stays_too_long_is_told_to_people(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(*[Fails(400, code="context_length_exceeded")] * 3)
    result = await chat.ask(await wire.connect(server, api=api), "Hello?")

    assert isinstance(result.error, ContextTooLong)
    assert len(server.received) == 2


@BOTH
async def test_a_model_that_sees_no_pictures_answers_all_the_same(wire: Wire, chat: Chat, api: str) -> None:
    chat.session.does[PLOT] = printed("", artifacts=[artifact("chart.png")])
    server = await wire.serve(Says(calls=(Calls(PLOT, "call_1"),)), Says("There it is."), sees_images=False)
    model = await wire.connect(server, api=api)
    result = await chat.ask(model, "Plot it.")

    assert result.text == "There it is."
    assert [name.name for name in result.artifacts] == ["chart.png"]
    assert [images_in(body) for body in server.bodies] == [0, 1, 0]
    assert not model.sees_images


@BOTH
async def test_a_chart_is_shown_to_a_model_that_sees(wire: Wire, chat: Chat, api: str) -> None:
    chat.session.does[PLOT] = printed("", artifacts=[artifact("chart.png")])
    server = await wire.serve(Says(calls=(Calls(PLOT, "call_1"),)), Says("It goes up."))
    await chat.ask(await wire.connect(server, api=api), "Plot it.")

    assert [images_in(body) for body in server.bodies] == [0, 1]


@BOTH
async def test_a_stream_that_breaks_costs_people_nothing(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(
        Says(calls=(Calls("1+1", "call_1"),)), Says("It is", breaks="abort"), Says("It is two.")
    )
    await chat.ask(await wire.connect(server, api=api), "What?")

    assert chat.thread.answer.text == "It is two."
    assert len(chat.session.ran) == 1


@BOTH
async def test_without_credit_people_read_whom_to_turn_to(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(Fails(429, "quota for sk-not-for-anyone", "insufficient_quota"))
    result = await chat.ask(await wire.connect(server, api=api), "What?")

    assert isinstance(result.error, ModelQuotaExhausted)
    assert "the help desk" in chat.thread.answer.text
    assert "sk-" not in chat.thread.answer.text


@BOTH
async def test_a_refusal_is_posted_as_the_answer(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(Says(refusal="I can't help with that."))
    result = await chat.ask(await wire.connect(server, api=api), "How do I …?")

    assert result.status == "ok"
    assert chat.thread.answer.text == "I can't help with that."


@BOTH
async def test_an_answer_that_is_cut_off_is_gone_on_with(wire: Wire, chat: Chat, api: str) -> None:
    server = await wire.serve(Says("One, two,", is_cut_off=True), Says(" three."))
    await chat.ask(await wire.connect(server, api=api), "Count!")
    await chat.ask(await wire.connect(server, api=api), "And?")

    assert "One, two, three." in str((await chat.entries())[1])
    assert "three." in text_of(server.bodies[-1])


async def test_ollama_as_it_is_gets_through_a_turn(wire: Wire, chat: Chat) -> None:
    chunk: Json = {"choices": [{"index": 0, "delta": {}, "finish_reason": None}], "model": "x"}
    call = {"id": "", "type": "function", "function": {"name": "run_python", "arguments": {"code": "1+1"}}}

    def chunks(*deltas: Json) -> Scripted:
        made = [
            {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
        ]
        return Sends([*made, {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}])

    server = await wire.serve(
        chunks({"role": "assistant", "content": "", "reasoning": "hm"}, {"tool_calls": [call]}),
        chunks({"content": "<think>hm</think>Two."}),
        formats=("chat",),
        models=[{"id": LOCAL_MODEL, "owned_by": "library"}],
    )
    model = await wire.connect(server, None, api_key="")
    result = await chat.ask(model, "What?")

    assert (model.name, model.context_tokens) == (LOCAL_MODEL, 4096)
    assert result.text == "Two."
    assert result.cost_usd is None
    assert [code for _, code, _ in chat.session.ran] == ["1+1"]
