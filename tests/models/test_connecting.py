"""Finding a model, and what the operator's settings change."""

import json

import pytest

from bot.errors import ModelMisconfigured, ModelUnavailable
from tests.fakes.openai_answers import Says
from tests.models.conftest import LOCAL_MODEL, OPENAI_MODEL, Wire


async def test_without_a_name_a_model_is_chosen_that_the_endpoint_offers(wire: Wire) -> None:
    server = await wire.serve(models=[{"id": "nomic-embed-text"}, {"id": "served", "max_model_len": 20_000}])
    model = await wire.connect(server, None)

    assert (model.name, model.context_tokens) == ("served", 20_000)


@pytest.mark.parametrize("models", [None, [], [{"id": "whisper-1"}]])
async def test_where_nothing_is_offered_a_name_has_to_be_set(
    wire: Wire, models: list[dict[str, str]] | None
) -> None:
    with pytest.raises(ModelMisconfigured):
        await wire.connect(await wire.serve(models=models), None)


async def test_an_endpoint_that_is_not_there_cannot_be_asked_for_a_name(wire: Wire) -> None:
    server = await wire.serve()
    server.url = "http://127.0.0.1:9/v1"

    with pytest.raises(ModelUnavailable):
        await wire.connect(server, None)


async def test_with_a_name_an_endpoint_needs_no_list(wire: Wire) -> None:
    model = await wire.connect(await wire.serve(Says("42.")), LOCAL_MODEL)

    assert (await wire.ask(model)).text == "42."


async def test_the_operators_word_on_window_and_pictures_is_the_last(wire: Wire) -> None:
    server = await wire.serve()
    model = await wire.connect(server, LOCAL_MODEL, context_tokens=9000, images=True)
    await model.learn(images=False, window_tokens=4096)

    assert (model.context_tokens, model.sees_images) == (9000, True)


async def test_what_was_found_out_comes_before_what_was_guessed(wire: Wire) -> None:
    server = await wire.serve()
    await (await wire.connect(server)).learn(images=False, window_tokens=9000)

    model = await wire.connect(server)

    assert (model.context_tokens, model.sees_images) == (9000, False)


async def test_what_is_learned_of_one_model_is_not_believed_of_another(wire: Wire) -> None:
    server = await wire.serve()
    await (await wire.connect(server, OPENAI_MODEL)).learn(window_tokens=9000)
    await (await wire.connect(server, LOCAL_MODEL)).learn(window_tokens=5000)

    assert (await wire.connect(server, OPENAI_MODEL)).context_tokens == 9000


async def test_the_memory_holds_no_key(wire: Wire) -> None:
    server = await wire.serve()
    server.url = server.url.replace("//", "//user:hunter2@")
    await wire.ask(await wire.connect(server))

    kept = wire.memory.read_text()
    assert next(iter(json.loads(kept).values()))["format"] == "responses"
    assert "hunter2" not in kept
    assert "sk-" not in kept


async def test_a_server_without_keys_gets_one_that_says_so(wire: Wire) -> None:
    server = await wire.serve()
    await wire.ask(await wire.connect(server, api_key=""))

    assert server.received[0].headers["Authorization"] == "Bearer none"


async def test_proxies_are_used_and_no_proxy_is_honoured(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server = await wire.serve()
    proxied = await wire.connect(server)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    direct = await wire.connect(server)

    with pytest.raises(ModelUnavailable):
        await wire.ask(proxied)
    assert (await wire.ask(direct)).text == "Fine."
