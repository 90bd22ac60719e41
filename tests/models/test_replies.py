"""Replies as they should be, and what goes out with the next request, in both formats."""

import pytest

from bot.execution import Picture
from bot.transcript import Digest, Prompt, Reply, ToolCall, ToolResult, Usage
from tests.fakes.openai_answers import Calls, Says, Sends
from tests.fakes.openai_rules import images_in
from tests.models.conftest import LOCAL_MODEL, OPENAI_MODEL, Wire, grows

BOTH = pytest.mark.parametrize("api", ["responses", "chat"])
QUESTION = Prompt("How many?")
CHART = Picture("chart.png", "image/png", b"pixels")


@BOTH
async def test_text_comes_piece_by_piece_and_whole_at_the_end(wire: Wire, api: str) -> None:
    model = await wire.connect(await wire.serve(Says("There are 42 of them.")), api=api)

    reply = await wire.ask(model)

    assert reply.text == "There are 42 of them."
    assert reply.usage == Usage(100, 10, 40)
    assert reply.made_by == f"{api}:{OPENAI_MODEL}"
    assert not reply.truncated
    assert len(wire.shown) > 3
    assert grows(wire.shown)


@BOTH
async def test_a_call_goes_out_and_its_result_comes_back(wire: Wire, api: str) -> None:
    server = await wire.serve(Says("I count.", (Calls("len(x)", "call_1"),)), Says("42."))
    model = await wire.connect(server, api=api)

    asking = await wire.ask(model, QUESTION)
    answer = await wire.ask(model, QUESTION, asking, ToolResult("call_1", "It is 42"))

    assert [call.id for call in asking.tool_calls] == ["call_1"]
    assert "It is 42" in str(server.bodies[1])
    assert answer.text == "42."


@BOTH
async def test_parallel_calls_keep_their_order_and_are_each_answered_once(wire: Wire, api: str) -> None:
    two = Says(calls=(Calls("a = 1", "call_1"), Calls("b = 2", "call_2")))
    server = await wire.serve(two, Says("Done."))
    model = await wire.connect(server, api=api)

    asking = await wire.ask(model, QUESTION)
    # One result twice, one not at all: the server would refuse both.
    results = [ToolResult("call_2", "second"), ToolResult("call_2", "again")]
    answer = await wire.ask(model, QUESTION, asking, *results)

    assert [call.id for call in asking.tool_calls] == ["call_1", "call_2"]
    assert "again" not in str(server.bodies[1])
    assert "Not run: aborted." in str(server.bodies[1])
    assert answer.text == "Done."


@BOTH
async def test_a_reply_at_the_output_limit_is_marked_as_cut_off(wire: Wire, api: str) -> None:
    model = await wire.connect(await wire.serve(Says("There are", is_cut_off=True)), api=api)

    reply = await wire.ask(model)

    assert (reply.text, reply.truncated) == ("There are", True)


@BOTH
async def test_a_refusal_is_an_answer(wire: Wire, api: str) -> None:
    model = await wire.connect(await wire.serve(Says(refusal="I can't help with that.")), api=api)

    assert (await wire.ask(model)).text == "I can't help with that."


@BOTH
async def test_thoughts_are_not_shown(wire: Wire, api: str) -> None:
    model = await wire.connect(await wire.serve(Says("42.", reasoning="secret thoughts")), api=api)

    reply = await wire.ask(model)

    assert reply.text == "42."
    assert "secret" not in "".join(wire.shown)


@BOTH
async def test_an_endpoint_that_does_not_count_leaves_the_usage_empty(wire: Wire, api: str) -> None:
    model = await wire.connect(await wire.serve(Says("42.", usage=None)), api=api)

    assert (await wire.ask(model)).usage == Usage()


@BOTH
async def test_pictures_go_out_with_prompts_and_with_results(wire: Wire, api: str) -> None:
    server = await wire.serve(Says("Nice."))
    model = await wire.connect(server, api=api)
    asking = Reply("", (ToolCall("call_1", "run_python", "plot()"), ToolCall("call_2", "run_python", "1")))
    results = [ToolResult("call_1", "done", (CHART,)), ToolResult("call_2", "1")]

    await wire.ask(model, Prompt("Look", (CHART,)), asking, *results, Reply("Well."), Prompt("And?"))

    assert images_in(server.bodies[0]) == 2
    assert "data:image/png;base64,cGl4ZWxz" in str(server.bodies[0])


@BOTH
async def test_a_digest_stands_before_the_question_it_belongs_to(wire: Wire, api: str) -> None:
    server = await wire.serve()
    model = await wire.connect(server, api=api)

    await wire.ask(model, Digest("Left out: much."), QUESTION)

    sent = str(server.bodies[0])
    assert sent.index("Left out: much.") < sent.index("How many?")


@BOTH
async def test_a_bound_on_the_reply_goes_out(wire: Wire, api: str) -> None:
    server = await wire.serve()
    model = await wire.connect(server, api=api)

    await wire.ask(model, max_output_tokens=77)

    assert 77 in server.bodies[0].values()


async def test_responses_is_asked_to_store_nothing_and_to_hand_out_sealed_thoughts(wire: Wire) -> None:
    server = await wire.serve()
    model = await wire.connect(server, effort="low")

    await wire.ask(model, user="somebody")

    body = server.bodies[0]
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"] == {"effort": "low"}
    assert body["safety_identifier"] == "somebody"
    assert body["instructions"] == "Be brief."


async def test_items_of_responses_go_back_as_they_came(wire: Wire) -> None:
    first = Says("I count.", (Calls("len(x)", "call_1"),), reasoning="hm", phase="commentary")
    server = await wire.serve(first, Says("42."))
    model = await wire.connect(server)

    asking = await wire.ask(model, QUESTION)
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "42", (CHART,)))

    _, thoughts, message, call, result = server.bodies[1]["input"]
    assert thoughts["encrypted_content"] == "<hm>"
    assert message["phase"] == "commentary"
    assert (call["type"], call["input"], call["async"]) == ("custom_tool_call", "len(x)", False)
    assert result["type"] == "custom_tool_call_output"
    assert [part["type"] for part in result["output"]] == ["input_text", "input_image"]


async def test_items_of_another_model_are_not_sent(wire: Wire) -> None:
    server = await wire.serve(Says("I count.", (Calls("len(x)", "call_1"),), reasoning="hm"), Says("42."))
    model, other = await wire.connect(server), await wire.connect(server, "gpt-6-sol")

    asking = await wire.ask(model, QUESTION)
    await wire.ask(other, QUESTION, asking, ToolResult("call_1", "42"))

    kinds = [item.get("type", "message") for item in server.bodies[1]["input"]]
    assert kinds == ["message", "message", "custom_tool_call", "custom_tool_call_output"]


async def test_the_answer_replaces_the_comments_on_the_way_to_it(wire: Wire) -> None:
    def phased(text: str, phase: str, place: int) -> list[dict[str, object]]:
        part = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "id": f"m{place}", "role": "assistant", "phase": phase, "content": [part]}
        return [
            {"type": "response.output_item.added", "output_index": place, "item": {**item, "content": []}},
            {"type": "response.output_text.delta", "output_index": place, "delta": text},
            {"type": "response.output_item.done", "output_index": place, "item": item},
        ]

    end = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}
    events = [*phased("Counting.", "commentary", 0), *phased("42.", "final_answer", 1), end]
    model = await wire.connect(await wire.serve(Sends(events)))

    reply = await wire.ask(model)

    assert wire.shown == ["Counting.", "42."]
    assert reply.text == "42."


async def test_where_there_are_no_free_form_tools_code_comes_as_json(wire: Wire) -> None:
    server = await wire.serve(Says(calls=(Calls("1+1", "call_1"),)))
    model = await wire.connect(server, "gpt-4.1", api="responses")

    reply = await wire.ask(model)

    assert server.received[0].tools[0]["type"] == "function"
    assert server.received[0].tools[0]["strict"] is True
    assert reply.tool_calls[0].arguments == '{"code": "1+1"}'


async def test_chat_follows_results_with_their_pictures(wire: Wire) -> None:
    server = await wire.serve()
    model = await wire.connect(server, LOCAL_MODEL)
    asking = Reply("", (ToolCall("call_1", "run_python", "plot()"),))

    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "done", (CHART,)))

    _, _, call, result, pictures = server.bodies[0]["messages"]
    assert call["tool_calls"][0]["function"]["arguments"] == '{"code": "plot()"}'
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "done"}
    assert pictures["role"] == "user"
    assert "chart.png" in pictures["content"][0]["text"]


async def test_chat_lets_the_roles_take_turns(wire: Wire) -> None:
    server = await wire.serve()
    model = await wire.connect(server, LOCAL_MODEL)

    await wire.ask(model, QUESTION, Prompt("Hello?", (CHART,)), Reply("Yes."), Reply("42."), Prompt("Sure?"))

    roles = [message["role"] for message in server.bodies[0]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


async def test_what_an_endpoint_attaches_to_a_call_goes_back_with_it(wire: Wire) -> None:
    signed = {
        "index": 0,
        "id": "call_1",
        "function": {"name": "run_python", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "abc"}},
    }
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [signed]}, "finish_reason": "stop"}]}
    server = await wire.serve(Sends([chunk]), Says("Done."))
    model = await wire.connect(server, "gemini-3", api="chat")

    asking = await wire.ask(model, QUESTION)
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "1"))

    (call,) = server.bodies[1]["messages"][2]["tool_calls"]
    assert call["extra_content"] == {"google": {"thought_signature": "abc"}}
