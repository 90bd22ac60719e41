"""Endpoints that fail: what is asked again, what is not, and what people see meanwhile."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import (
    ContextTooLong,
    InputRefused,
    ModelMisconfigured,
    ModelQuotaExhausted,
    ModelUnavailable,
)
from bot.models.patience import Patience
from tests.fakes.openai_answers import BROKEN, Body, Calls, Fails, Nonsense, Says, Sends
from tests.models.conftest import KEY, LOCAL_MODEL, Wire, grows

BOTH = pytest.mark.parametrize("api", ["responses", "chat"])


@BOTH
async def test_too_many_requests_are_waited_out(wire: Wire, api: str) -> None:
    server = await wire.serve(Fails(429, code="rate_limit_exceeded"), Fails(503), Says("42."))
    model = await wire.connect(server, api=api)

    assert (await wire.ask(model)).text == "42."
    assert wire.waited == [0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"retry-after": "7"}, 7), ({"retry-after-ms": "250", "retry-after": "7"}, 0.25)]
)
async def test_the_endpoint_says_how_long_to_wait(
    wire: Wire, headers: dict[str, str], seconds: float
) -> None:
    model = await wire.connect(await wire.serve(Fails(429, headers=headers), Says("42.")))

    await wire.ask(model)

    assert wire.waited == [seconds]


@pytest.mark.parametrize("headers", [{"retry-after": "3600"}, {"x-should-retry": "false"}])
async def test_nobody_waits_for_an_hour_or_against_the_endpoints_advice(
    wire: Wire, headers: dict[str, str]
) -> None:
    server = await wire.serve(Fails(429, headers=headers))
    model = await wire.connect(server)

    with pytest.raises(ModelUnavailable):
        await wire.ask(model)
    assert len(server.received) == 1


async def test_patience_ends(wire: Wire) -> None:
    server = await wire.serve(*[Fails(500)] * 9)
    model = await wire.connect(server)

    with pytest.raises(ModelUnavailable):
        await wire.ask(model)
    assert len(server.received) == 5
    assert wire.waited == [0.5, 1.0, 2.0, 4.0]


async def test_nothing_listens_there(wire: Wire) -> None:
    server = await wire.serve()
    server.url = "http://127.0.0.1:9/v1"
    model = await wire.connect(server)

    with pytest.raises(ModelUnavailable):
        await wire.ask(model)
    assert len(wire.waited) == 4


@BOTH
async def test_without_credit_there_is_only_one_request(wire: Wire, api: str) -> None:
    server = await wire.serve(Fails(429, "You exceeded your current quota", "insufficient_quota"))
    model = await wire.connect(server, api=api)

    with pytest.raises(ModelQuotaExhausted):
        await wire.ask(model)
    assert len(server.received) == 1
    assert wire.waited == []


@BOTH
async def test_a_bad_key_is_not_tried_twice_and_not_repeated(wire: Wire, api: str) -> None:
    server = await wire.serve(key="sk-another")
    model = await wire.connect(server, api=api)

    with pytest.raises(ModelMisconfigured) as refused:
        await wire.ask(model)
    assert len(server.received) == 1
    assert KEY not in f"{refused.value} {refused.value.__cause__!r} {refused.value.facts}"


@BOTH
async def test_a_model_that_is_not_there_is_for_the_operator(wire: Wire, api: str) -> None:
    server = await wire.serve(Fails(404, "The model `gpt-6-luna` does not exist", "model_not_found"))
    model = await wire.connect(server, api=api)

    with pytest.raises(ModelMisconfigured) as error:
        await wire.ask(model)
    assert error.value.facts["reason"] == "model"


@BOTH
@pytest.mark.parametrize("how", ["abort", "eof", "error"])
async def test_a_stream_that_breaks_is_asked_for_again_and_nothing_is_shown_twice(
    wire: Wire, api: str, how: str
) -> None:
    server = await wire.serve(Says("There are forty", breaks=how), Says("There are 42."))
    model = await wire.connect(server, api=api)

    reply = await wire.ask(model)

    assert reply.text == "There are 42."
    again = wire.shown.index("")
    assert grows(wire.shown[:again])
    assert grows(wire.shown[again:])
    assert wire.shown[-1] == "There are 42."
    assert len(server.received) == 2


@BOTH
async def test_a_call_of_a_broken_stream_is_never_run(wire: Wire, api: str) -> None:
    broken = Says("I look.", (Calls("rm", "call_1"),), breaks="eof")
    model = await wire.connect(await wire.serve(broken, Says("42.")), api=api)

    reply = await wire.ask(model)

    assert reply.tool_calls == ()
    assert "rm" not in str(reply.raw)


async def test_what_a_broken_stream_showed_is_taken_back_before_the_next_call(wire: Wire) -> None:
    server = await wire.serve(Says("The answer is", breaks="eof"), Says(calls=(Calls("1", "call_1"),)))
    model = await wire.connect(server)

    await wire.ask(model)

    assert wire.shown[-1] == ""


@BOTH
async def test_an_endpoint_that_falls_silent_is_asked_once_more(wire: Wire, api: str) -> None:
    server = await wire.serve(*[Says("There are", breaks="silence")] * 3)
    model = await wire.connect(server, api=api)

    with pytest.raises(ModelUnavailable):
        await wire.ask(model)
    assert len(server.received) == 2


async def test_an_endpoint_that_never_begins_is_given_up(wire: Wire) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100_000)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as silent:
        server = await wire.serve()
        server.url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/v1"
        patience = Patience(first_seconds=0.1, list_seconds=0.1, silent_attempts=1)
        model = await wire.connect(server, "gpt-6-luna", patience=patience)

        with pytest.raises(ModelUnavailable):
            await wire.ask(model)
        await model.close()


async def test_an_error_event_says_what_it_is_about(wire: Wire) -> None:
    too_long = {**BROKEN, "code": "context_length_exceeded"}
    model = await wire.connect(await wire.serve(Sends([too_long])))

    with pytest.raises(ContextTooLong):
        await wire.ask(model)


async def test_a_failed_response_is_asked_for_again(wire: Wire) -> None:
    error = {"code": "server_error", "message": "boom"}
    failed = {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": error}}
    model = await wire.connect(await wire.serve(Sends([failed]), Says("42.")))

    assert (await wire.ask(model)).text == "42."


@BOTH
async def test_a_request_that_is_too_long_tells_the_window_if_the_endpoint_does(wire: Wire, api: str) -> None:
    said = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000."
    model = await wire.connect(await wire.serve(Fails(400, said)), api=api)

    with pytest.raises(ContextTooLong):
        await wire.ask(model)
    assert model.context_tokens == 8192


async def test_a_content_filter_is_not_argued_with(wire: Wire) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "content_filter"}]}
    server = await wire.serve(Sends([chunk]))
    model = await wire.connect(server, LOCAL_MODEL)

    with pytest.raises(InputRefused):
        await wire.ask(model)
    assert len(server.received) == 1


async def test_a_complaint_with_status_200_is_a_complaint(wire: Wire) -> None:
    model = await wire.connect(await wire.serve(Body({"error": {"message": "no", "code": 503}}), Says("42.")))

    assert (await wire.ask(model)).text == "42."
    assert wire.waited == [0.5]


async def test_a_memory_that_cannot_be_written_stops_nobody(wire: Wire, tmp_path: Path) -> None:
    wire.memory = tmp_path / "file" / "endpoints.json"
    (tmp_path / "file").write_text("not a folder")
    model = await wire.connect(await wire.serve(Says("42.")))

    assert (await wire.ask(model)).text == "42."


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"http": 1}', "\xff"])
async def test_a_memory_that_is_spoilt_counts_as_empty(wire: Wire, spoilt: str) -> None:
    wire.memory.write_text(spoilt, "latin-1")
    model = await wire.connect(await wire.serve(Says("42.")))

    assert (await wire.ask(model)).text == "42."


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-schlüssel"])
async def test_a_key_that_no_header_may_hold_is_for_the_operator(wire: Wire, key: str) -> None:
    model = await wire.connect(await wire.serve(), api_key=key)

    with pytest.raises(ModelMisconfigured) as error:
        await wire.ask(model)
    assert error.value.facts["reason"] == "key"
    assert "sk-" not in f"{error.value} {error.value.__cause__!r}"


@pytest.mark.parametrize("url", ["http://host:port/v1", "http://host:99999/v1"])
async def test_an_address_that_is_none_is_for_the_operator(wire: Wire, url: str) -> None:
    server = await wire.serve()
    server.url = url

    with pytest.raises(ModelMisconfigured) as error:
        await wire.connect(server)
    assert error.value.facts["reason"] == "address"


@BOTH
@pytest.mark.parametrize("nonsense", [b"data: {not json\n\n", b"data: \xff\n\n"])
async def test_a_stream_of_nonsense_is_asked_for_again(wire: Wire, api: str, nonsense: bytes) -> None:
    model = await wire.connect(await wire.serve(Nonsense(nonsense), Says("42.")), api=api)

    assert (await wire.ask(model)).text == "42."
    assert wire.waited == [0.5]
