"""What the doctor asks a model, and what it makes of the answers."""

import json
from typing import Any

import pytest

from bot.checks import Check
from bot.config import Settings
from bot.models import checks, window
from bot.models.colours import png
from bot.models.endpoint import Endpoint
from bot.models.window import Window, measure
from tests.fakes.openai_answers import Fails, Says
from tests.fakes.openai_models import LittleModel
from tests.fakes.openai_server import OpenAIServer, rejects
from tests.models.conftest import KEY, LOCAL_MODEL, Wire

BOTH = pytest.mark.parametrize("api", ["responses", "chat"])


async def examine(model: Endpoint, server: OpenAIServer, **settings: Any) -> dict[str, Check]:
    made = Settings(_env_file=None, openai_base_url=server.url, openai_api_key=KEY, **settings)  # type: ignore[call-arg]  # the library's own
    return {check.name: check async for check in checks.checks(model, made)}


@BOTH
async def test_a_good_model_passes_every_check(wire: Wire, api: str) -> None:
    server = await wire.serve(otherwise=LittleModel())
    model = await wire.connect(server, api=api)

    found = await examine(model, server)

    assert list(found) == ["model", "tools", "images", "window"]
    assert [check.detail for check in found.values() if not check.ok] == []
    assert "32,768 tokens or more" in found["window"].detail
    assert model.sees_images


@BOTH
async def test_a_model_that_calls_no_tools_is_named(wire: Wire, api: str) -> None:
    server = await wire.serve(otherwise=LittleModel(calls_tools=False))
    model = await wire.connect(server, api=api)

    tools = (await examine(model, server))["tools"]

    assert not tools.ok
    assert "MODEL_NAME" in tools.mend


async def test_a_model_that_sees_nothing_gets_no_pictures_from_now_on(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel(sees_images=False))
    model = await wire.connect(server, "unheard-of")
    assert model.sees_images

    found = await examine(model, server)

    assert found["images"].ok
    assert not model.sees_images
    assert not (await wire.connect(server, "unheard-of")).sees_images


async def test_a_model_that_turns_out_to_see_gets_pictures_from_now_on(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel())
    model = await wire.connect(server, LOCAL_MODEL)
    assert not model.sees_images

    await examine(model, server)

    assert (await wire.connect(server, LOCAL_MODEL)).sees_images


async def test_pictures_that_were_switched_on_in_vain_are_a_fault(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel(), sees_images=False)
    model = await wire.connect(server, images=True)

    images = (await examine(model, server, model_images="on"))["images"]

    assert (images.ok, images.mend) == (False, "unset MODEL_IMAGES")


@pytest.mark.parametrize("settings", [{"model_images": "off"}, {"model_data": "schema"}])
async def test_no_picture_is_sent_where_none_may_be(wire: Wire, settings: dict[str, str]) -> None:
    server = await wire.serve(otherwise=LittleModel())

    found = await examine(await wire.connect(server), server, **settings)

    assert found["images"].ok
    assert "data:image" not in json.dumps(server.bodies)


@BOTH
async def test_a_window_that_is_cut_without_a_word_is_measured_and_remembered(wire: Wire, api: str) -> None:
    server = await wire.serve(
        otherwise=LittleModel(window_tokens=4096), models=[{"id": LOCAL_MODEL, "owned_by": "me"}]
    )
    model = await wire.connect(server, LOCAL_MODEL, api=api)
    assert model.context_tokens == 16_384

    found = await examine(model, server)

    assert not found["window"].ok
    assert "4,096 tokens; what is longer loses its beginning" in found["window"].detail
    assert "OLLAMA_CONTEXT_LENGTH" in found["window"].mend
    assert (await wire.connect(server, LOCAL_MODEL, api=api)).context_tokens == 4096


async def test_a_window_that_has_grown_is_measured_again(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel(window_tokens=4096))
    model = await wire.connect(server, LOCAL_MODEL)
    await examine(model, server)
    server.otherwise = LittleModel(window_tokens=40_000)

    await examine(model, server)

    assert model.context_tokens == 32_768


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LittleModel(window_tokens=9000), Window(9000, "cut")),
        (LittleModel(window_tokens=9000, counts=False), Window(8192, "cut")),
        (LittleModel(window_tokens=9000, refuses_long=True), Window(9000, "refused")),
        (LittleModel(window_tokens=2000), Window(2000, "cut")),
        (LittleModel(), Window(32_768, "enough")),
    ],
)
async def test_windows_are_measured_as_they_are(wire: Wire, model: LittleModel, expected: Window) -> None:
    connected = await wire.connect(await wire.serve(otherwise=model), LOCAL_MODEL)

    assert await measure(connected, 32_768) == expected


async def test_measuring_stops_at_what_was_asked_for(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel())

    assert await measure(await wire.connect(server), 16_384) == Window(16_384, "enough")
    assert len(server.received) == 3


async def test_a_model_that_forgets_is_told_from_one_that_is_cut_short(wire: Wire) -> None:
    connected = await wire.connect(await wire.serve(otherwise=Says("Hm?", usage=(3500, 1, 0))))

    assert await measure(connected, 32_768) == Window(0, "forgotten")


async def test_a_model_that_forgets_keeps_its_window(wire: Wire) -> None:
    server = await wire.serve(
        otherwise=Says("Hm?", usage=(3500, 1, 0)), models=[{"id": "m", "max_model_len": 20_000}]
    )
    model = await wire.connect(server, "m")

    window = (await examine(model, server))["window"]

    assert window.ok
    assert model.context_tokens == 20_000


async def test_a_window_that_was_only_set_is_not_remembered(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel())
    await examine(await wire.connect(server, context_tokens=100_000), server, model_context_tokens=100_000)

    assert (await wire.connect(server)).context_tokens == 32_768


async def test_what_was_refused_is_tried_again(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel(), rules=[rejects("stream_options")])
    await wire.ask(await wire.connect(server, LOCAL_MODEL))
    server.rules.clear()

    await examine(await wire.connect(server, LOCAL_MODEL), server)

    assert all("stream_options" in body for body in server.bodies[2:])


async def test_a_slow_model_is_not_waited_for(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "SECONDS", 0.05)
    server = await wire.serve(otherwise=Says("Hm", breaks="silence"))

    assert await measure(await wire.connect(server), 32_768) == Window(0, "slow")


async def test_a_window_set_too_large_is_a_fault(wire: Wire) -> None:
    server = await wire.serve(otherwise=LittleModel(window_tokens=12_000))
    model = await wire.connect(server, context_tokens=100_000)

    found = (await examine(model, server, model_context_tokens=100_000))["window"]

    assert (found.ok, found.mend) == (False, "set MODEL_CONTEXT_TOKENS=12000")


@pytest.mark.parametrize(
    ("fails", "detail", "mend"),
    [
        (Fails(401, f"Incorrect API key: {KEY}", "invalid_api_key"), "refuses the key", "OPENAI_API_KEY"),
        (Fails(404, "model 'x' not found"), "has no model", "MODEL_NAME"),
        (Fails(404), "does not know the path", "/v1"),
        (Fails(429, code="insufficient_quota"), "credit", "credit"),
        (Fails(400, "x does not support tools"), "cannot call tools", "--enable-auto-tool-choice"),
        (Fails(418), "refuses what we ask", "log"),
        (Fails(503), "does not answer", "OPENAI_BASE_URL"),
        (Fails(400, code="context_length_exceeded"), "window", "OLLAMA_CONTEXT_LENGTH"),
    ],
)
async def test_each_failure_has_its_mend_and_no_key_in_it(
    wire: Wire, fails: Fails, detail: str, mend: str
) -> None:
    server = await wire.serve(otherwise=fails)

    found = await examine(await wire.connect(server), server)

    assert list(found) == ["model"]
    assert not found["model"].ok
    assert detail in found["model"].detail
    assert mend in found["model"].mend
    assert KEY not in f"{found}"


def test_the_picture_is_a_png_of_two_colours() -> None:
    data = png("red", "white")

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(data) < 500
