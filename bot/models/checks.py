"""Checks of a model at its endpoint, each with what mends it. They ask it a few questions: nothing else in `plotline
doctor` costs anything."""

import time
from collections.abc import AsyncIterator

from bot.checks import Check
from bot.config import Settings
from bot.errors import ContextTooLong, ModelError, ModelMisconfigured, ModelQuotaExhausted
from bot.models import abilities, known, window
from bot.models.endpoint import Endpoint
from bot.models.window import Window

LEAST_TOKENS = 8_000
"""Of a window: in a smaller one, a single long result of a cell leaves no room for the question."""
MOST_PAID_TOKENS = 16_384
"""Of a prompt of ours, where requests may cost money."""

LOSES = {"cut", "refused"}
"""Endings after which there is no more room than was measured."""

NO_TOOLS_MEND = (
    "set MODEL_NAME to a model that calls tools, such as qwen3; vLLM also needs --enable-auto-tool-choice and "
    "--tool-call-parser"
)
SMALL_WINDOW_MEND = (
    "give the model a longer context where it runs (Ollama: OLLAMA_CONTEXT_LENGTH=16384 ollama serve), then run "
    "plotline doctor again"
)


async def checks(model: Endpoint, settings: Settings) -> AsyncIterator[Check]:
    """All of them; where the endpoint gives no reply, only the one that says why. What is found is remembered."""
    await model.forget_refusals()
    try:
        started = time.monotonic()
        has_tools = await abilities.calls_tools(model)
        seconds = time.monotonic() - started
        yield Check("model", True, f"{model.name} answers in {seconds:.1f} s, over {model.format}.")
        yield _tools(model, has_tools)
        yield await _images(model, settings)
        yield await _window(model, settings)
    except ModelError as error:
        yield of_error(error, settings)


def of_error(error: ModelError, settings: Settings) -> Check:
    """Why no model answers. What the endpoint said is not repeated: it may hold a key, or an address with one."""
    host = settings.endpoint_host
    named = f" called {settings.model_name}" if settings.model_name else ""
    match error, error.facts.get("reason"):
        case ModelQuotaExhausted(), _:
            detail, mend = "The credit is used up.", "add credit to the account behind OPENAI_API_KEY"
        case ModelMisconfigured(), "key":
            detail, mend = f"{host} refuses the key.", "set OPENAI_API_KEY"
        case ModelMisconfigured(), "model":
            detail = f"{host} has no model{named}."
            mend = "set MODEL_NAME to one that it has (Ollama: ollama pull NAME)"
        case ModelMisconfigured(), "name":
            detail = f"{host} offers no model to talk to."
            mend = "set MODEL_NAME (Ollama: ollama pull NAME)"
        case ModelMisconfigured(), "tools":
            detail, mend = f"The model{named} cannot call tools at {host}.", NO_TOOLS_MEND
        case ModelMisconfigured(), "address":
            detail = f"{host} does not know the path in OPENAI_BASE_URL."
            mend = "set OPENAI_BASE_URL to an address that ends as the server's manual says, mostly in /v1"
        case ModelMisconfigured(), "list":
            detail = f"{host} has no list of models to choose from."
            mend = "set OPENAI_BASE_URL to an address that ends in /v1; if it is right, set MODEL_NAME"
        case ModelMisconfigured(), _:
            detail = f"{host} refuses what we ask."
            mend = "plotline ask Hello, and read the warning in its log"
        case _, "certificate":
            detail = f"The certificate of {host} is not trusted here."
            mend = "set SSL_CERT_FILE to your authority's certificate"
        case ContextTooLong(), _:
            detail, mend = "The model's window is too small for a short question.", SMALL_WINDOW_MEND
        case _ if settings.openai_base_url:
            detail = f"{host} does not answer."
            mend = "start the server there, or set OPENAI_BASE_URL to where it is"
        case _:
            detail = f"{host} does not answer."
            mend = "look at the connection; behind a proxy, set HTTPS_PROXY"
    return Check("model", False, detail, mend)


def _tools(model: Endpoint, has_tools: bool) -> Check:
    if has_tools:
        return Check("tools", True, "The model called the tool and read its result.")
    return Check(
        "tools", False, f"{model.name} did not call the tool, or not read its result.", NO_TOOLS_MEND
    )


async def _images(model: Endpoint, settings: Settings) -> Check:
    if settings.model_images == "off":
        return Check("images", True, "Not tried: MODEL_IMAGES=off.")
    if settings.model_data == "schema":
        return Check("images", True, "Not tried: MODEL_DATA=schema sends no pictures.")
    sees = await abilities.sees_images(model)
    await model.learn(images=sees)
    if sees:
        return Check("images", True, "The model sees pictures, its own charts among them.")
    if settings.model_images == "on":
        return Check("images", False, "The model does not see what a picture shows.", "unset MODEL_IMAGES")
    return Check("images", True, "The model sees no pictures, so it gets none; people get them all the same.")


async def _window(model: Endpoint, settings: Settings) -> Check:
    is_free = settings.openai_base_url and known.is_near(settings.openai_base_url)
    most = min(window.WINDOWS[-1] if is_free else MOST_PAID_TOKENS, settings.model_context_tokens or 10**9)
    measured = await window.measure(model, most)
    # Where nothing was lost, a window that the endpoint or its maker publishes may be larger, and holds.
    least = 0 if measured.ending in LOSES else model.guessed.window_tokens or 0
    await model.learn(window_tokens=max(measured.tokens, least) or None)
    return _window_check(measured, model.context_tokens)


def _window_check(measured: Window, used_tokens: int) -> Check:
    detail = f"{_READS[measured.ending].format(tokens=f'{measured.tokens:,}')} We use {used_tokens:,}."
    if measured.ending in LOSES and used_tokens > measured.tokens > 0:  # somebody set more
        return Check("window", False, detail, f"set MODEL_CONTEXT_TOKENS={measured.tokens}")
    if measured.ending == "slow" and not measured.tokens:
        return Check("window", False, detail, "set MODEL_NAME to a smaller model")
    ok = used_tokens >= LEAST_TOKENS
    return Check("window", ok, detail, "" if ok else SMALL_WINDOW_MEND)


_READS = {
    "enough": "The model reads {tokens} tokens or more.",
    "slow": f"The model needs more than {window.SECONDS} s for a text of more than {{tokens}} tokens.",
    "cut": "The model reads about {tokens} tokens; what is longer loses its beginning, without an error.",
    "refused": "The model reads about {tokens} tokens; what is longer is refused.",
    "forgotten": "The model is sent all of a text longer than {tokens} tokens, but forgot how it began.",
}
