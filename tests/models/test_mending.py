"""Endpoints that do without a part of what OpenAI's does: found out once, remembered, done without."""

import json

import pytest

from bot.errors import InputRefused, ModelMisconfigured
from bot.execution import Picture
from bot.transcript import Prompt, Reply, ToolCall, ToolResult
from tests.fakes.openai_answers import Body, Calls, Fails, Json, Says, Sends, chat_completion
from tests.fakes.openai_server import rejects
from tests.models.conftest import LOCAL_MODEL, OPENAI_MODEL, Wire

QUESTION = Prompt("How many?")
ASKING = Reply("", (ToolCall("call_1", "run_python", "1"),))
RESULT = ToolResult("call_1", "1", (Picture("chart.png", "image/png", b"pixels"),))


async def test_a_server_that_knows_only_chat_is_found_out_once(wire: Wire) -> None:
    server = await wire.serve(Says("One."), Says("Two."), Says("Three."), formats=("chat",))
    model = await wire.connect(server)

    await wire.ask(model)
    await wire.ask(model)
    later = await wire.connect(server)
    await wire.ask(later)

    # The path that is not there never reaches the recording part of the server.
    assert server.paths == ["chat/completions"] * 3
    assert later.format == "chat"


async def test_a_server_that_knows_only_responses_is_found_out_too(wire: Wire) -> None:
    server = await wire.serve(formats=("responses",))
    model = await wire.connect(server, LOCAL_MODEL)

    assert (await wire.ask(model)).made_by == f"responses:{LOCAL_MODEL}"


async def test_a_server_that_was_replaced_is_found_out_again(wire: Wire) -> None:
    first = await wire.serve(formats=("responses",))
    await wire.ask(await wire.connect(first))
    second = await wire.serve(formats=("chat",))
    remembered = json.loads(wire.memory.read_text())
    wire.memory.write_text(
        json.dumps({key.replace(first.url, second.url): value for key, value in remembered.items()})
    )

    assert (await wire.ask(await wire.connect(second))).made_by == f"chat:{OPENAI_MODEL}"


async def test_a_format_that_was_set_is_the_only_one(wire: Wire) -> None:
    server = await wire.serve(formats=("chat",))
    model = await wire.connect(server, api="responses")

    with pytest.raises(ModelMisconfigured) as error:
        await wire.ask(model)
    assert error.value.facts["reason"] == "address"


@pytest.mark.parametrize(
    "answer",
    [
        Body({"error": "Unexpected endpoint or method. (POST /v1/responses)"}),
        Fails(405),
        Fails(501),
        Fails(400, "Invalid URL (POST /v1/responses)"),
        Sends([]),
    ],
)
async def test_there_are_many_ways_to_say_that_a_format_is_not_known(
    wire: Wire, answer: Body | Fails | Sends
) -> None:
    model = await wire.connect(await wire.serve(answer, Says("42.")))

    assert (await wire.ask(model)).made_by == f"chat:{OPENAI_MODEL}"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("stream_options", "Unrecognized request argument supplied: stream_options"),
        ("reasoning_effort", "Unsupported value: 'low' is not supported with this model."),
        ("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        ("stream_options", "Bad request"),
    ],
)
async def test_chat_does_without_what_is_refused(wire: Wire, part: str, message: str) -> None:
    server = await wire.serve(rules=[rejects(part, message)])
    model = await wire.connect(server, LOCAL_MODEL, effort="low")

    await wire.ask(model, max_output_tokens=50)
    await wire.ask(model, max_output_tokens=50)
    await wire.ask(await wire.connect(server, LOCAL_MODEL, effort="low"), max_output_tokens=50)

    assert [part in body for body in server.bodies] == [True, False, False, False]


@pytest.mark.parametrize(
    ("part", "facts"),
    [
        ("include", {"message": "Encrypted content is not supported with this model.", "param": "include"}),
        ("reasoning", {"message": "Unsupported value", "param": "reasoning.effort"}),
        ("parallel_tool_calls", {}),
        ("safety_identifier", {"message": "Extra inputs are not permitted: safety_identifier"}),
        ("prompt_cache_key", {"message": "no"}),
    ],
)
async def test_responses_does_without_what_is_refused(wire: Wire, part: str, facts: dict[str, str]) -> None:
    server = await wire.serve(rules=[rejects(part, **facts)])
    model = await wire.connect(server, effort="xhigh")

    await wire.ask(model, user="somebody")
    await wire.ask(model, user="somebody")

    assert [part in body for body in server.bodies] == [True, False, False]
    assert all(body["store"] is False for body in server.bodies)


async def test_another_effort_is_tried_after_one_was_refused(wire: Wire) -> None:
    server = await wire.serve(rules=[rejects("reasoning_effort")])
    await wire.ask(await wire.connect(server, LOCAL_MODEL, effort="max"))
    server.rules.clear()

    await wire.ask(await wire.connect(server, LOCAL_MODEL, effort="low"))

    assert server.bodies[-1]["reasoning_effort"] == "low"


async def test_an_endpoint_without_free_form_tools_gets_a_function(wire: Wire) -> None:
    server = await wire.serve(Says(calls=(Calls("1+1", "call_1"),)), rules=[no_free_form_tools])
    model = await wire.connect(server)

    asking = await wire.ask(model)
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "2"))

    assert [each.tools[0]["type"] for each in server.received] == ["custom", "function", "function"]


async def test_a_suspicion_that_does_not_help_is_forgotten(wire: Wire) -> None:
    server = await wire.serve(Fails(400, "Bad request"), Fails(400, "Bad request"))
    model = await wire.connect(server, LOCAL_MODEL, api="chat")

    with pytest.raises(ModelMisconfigured):
        await wire.ask(model)
    await wire.ask(model)

    assert "stream_options" in server.bodies[-1]


async def test_a_rejection_counts_more_than_a_format_that_is_not_there(wire: Wire) -> None:
    server = await wire.serve(Fails(400, "Bad request"), Fails(400, "Bad request"), formats=("chat",))
    model = await wire.connect(server, LOCAL_MODEL)

    with pytest.raises(ModelMisconfigured) as error:
        await wire.ask(model)
    assert error.value.facts["reason"] == "request"


async def test_a_server_that_takes_no_tools_with_a_stream_is_asked_without_one(wire: Wire) -> None:
    server = await wire.serve(Says(calls=(Calls("1+1", "call_1"),)), rules=[no_streamed_tools])
    model = await wire.connect(server, LOCAL_MODEL)

    asking = await wire.ask(model)
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "2"))

    assert asking.tool_calls[0].arguments == '{"code": "1+1"}'
    assert [body["stream"] for body in server.bodies] == [True, False, False]


async def test_calls_that_a_stream_loses_are_asked_for_without_one(wire: Wire) -> None:
    lost = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "tool_calls"}]}
    server = await wire.serve(Sends([lost]), Says(calls=(Calls("1+1", "call_1"),)))
    model = await wire.connect(server, LOCAL_MODEL)

    asking = await wire.ask(model)
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "2"))

    assert [call.id for call in asking.tool_calls] == ["call_1"]
    assert [body["stream"] for body in server.bodies] == [True, False, False]
    assert model.learned.refused == {"streamed_tools"}


async def test_an_empty_reply_alone_does_not_end_streaming(wire: Wire) -> None:
    server = await wire.serve(Says(""), Says(""), Says("42."))
    model = await wire.connect(server, LOCAL_MODEL)

    assert (await wire.ask(model)).text == ""
    await wire.ask(model)

    assert [body["stream"] for body in server.bodies] == [True, False, True]


async def test_a_server_that_never_streams_is_understood(wire: Wire) -> None:
    whole = chat_completion(Says("I count.", (Calls("1+1", "call_1"),)), LOCAL_MODEL)
    model = await wire.connect(await wire.serve(Body(whole)), LOCAL_MODEL)

    reply = await wire.ask(model)

    assert (reply.text, len(reply.tool_calls)) == ("I count.", 1)
    assert wire.shown == ["I count."]


async def test_a_model_without_eyes_is_found_out_once(wire: Wire) -> None:
    server = await wire.serve(sees_images=False)
    model = await wire.connect(server, "unheard-of")
    assert model.sees_images

    with pytest.raises(InputRefused):
        await wire.ask(model, QUESTION, ASKING, RESULT)

    assert not model.sees_images
    assert not (await wire.connect(server, "unheard-of")).sees_images


async def test_one_bad_picture_does_not_make_a_model_blind(wire: Wire) -> None:
    said = "You uploaded an unsupported image. Please make sure your image is valid."
    model = await wire.connect(await wire.serve(Fails(400, said, "invalid_image_format")))

    with pytest.raises(InputRefused):
        await wire.ask(model, QUESTION, ASKING, RESULT)

    assert model.sees_images


async def test_old_items_that_are_refused_are_written_anew_for_one_request(wire: Wire) -> None:
    refused = Fails(400, "The encrypted content for item rs_1 could not be verified.")
    server = await wire.serve(
        Says("I count.", (Calls("1", "call_1"),), reasoning="hm"), refused, Says("42."), Says("Once more.")
    )
    model = await wire.connect(server)

    asking = await wire.ask(model, QUESTION)
    answer = await wire.ask(model, QUESTION, asking, ToolResult("call_1", "1"))
    await wire.ask(model, QUESTION, asking, ToolResult("call_1", "1"))

    assert answer.text == "42."
    assert ["rs_1" in str(body) for body in server.bodies] == [False, True, False, True]


async def test_an_endpoint_that_wants_thoughts_back_gets_them(wire: Wire) -> None:
    server = await wire.serve(
        Says(calls=(Calls("1", "call_1"),), reasoning="hm"),
        Says(calls=(Calls("2", "call_2"),), reasoning="oh well"),
        rules=[wants_thoughts],
    )
    model = await wire.connect(server, "deepseek-chat", api="chat")

    first = await wire.ask(model, QUESTION)
    second = await wire.ask(model, QUESTION, first, ToolResult("call_1", "1"))
    await wire.ask(model, QUESTION, first, ToolResult("call_1", "1"), second, ToolResult("call_2", "2"))

    assert [message["reasoning_content"] for message in server.bodies[-1]["messages"][2::2]] == [
        "",
        "oh well",
    ]


def no_free_form_tools(path: str, body: Json) -> Fails | None:
    if body["tools"][0]["type"] == "custom":
        return Fails(400, "Invalid value: 'custom'.", param="tools[0].type")
    return None


def no_streamed_tools(path: str, body: Json) -> Fails | None:
    return Fails(500, "Cannot use tools with stream") if body["stream"] else None


def wants_thoughts(path: str, body: Json) -> Fails | None:
    calls = [message for message in body["messages"] if "tool_calls" in message]
    if all("reasoning_content" in message for message in calls):
        return None
    return Fails(400, "Missing `reasoning_content` field in the assistant message at message index 2")
