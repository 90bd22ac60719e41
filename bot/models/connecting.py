"""Finding the endpoint's model: by its name, or one that the endpoint offers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
from openai import AsyncOpenAI

from bot.errors import ModelError, ModelMisconfigured
from bot.models import known, memory
from bot.models.complaints import Unspoken
from bot.models.endpoint import Choices, Endpoint
from bot.models.errors import openai_errors
from bot.models.memory import Learned, Memory
from bot.models.patience import Patience

NO_KEY = "none"
"""Servers that need no key still get one: the SDK insists."""
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator decided; None leaves it to what is found out."""

    name: str | None
    api: Literal["auto", "responses", "chat"]
    context_tokens: int | None
    images: bool | None
    effort: str | None


async def connect(
    api_key: str, base_url: str | None, wanted: Wanted, memory_file: Path, patience: Patience
) -> Endpoint:
    url = base_url or known.OPENAI_URL
    client = _client(api_key, url)
    try:
        model, listed = await _find(client, url, wanted.name, patience)
    except BaseException:
        await client.close()
        raise
    return Endpoint(
        client=client,
        name=model,
        choices=Choices(
            formats=known.formats(url, model) if wanted.api == "auto" else (wanted.api,),
            context_tokens=wanted.context_tokens,
            images=wanted.images,
            effort=wanted.effort,
        ),
        guessed=Learned(
            refused=frozenset() if known.has_free_form_tools(model) else frozenset({"custom_tool"}),
            images=known.sees_images(model),
            window_tokens=known.window_tokens(url, model, listed),
        ),
        memory=Memory(memory_file, memory.key(url, model)),
        patience=patience,
    )


def _client(api_key: str, url: str) -> AsyncOpenAI:
    try:
        urlsplit(url).port  # noqa: B018  # raises for what is no number, or too large a one
        address = httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ModelMisconfigured("an address that is none", reason="address") from error
    return AsyncOpenAI(
        api_key=api_key or NO_KEY,
        base_url=address,
        max_retries=0,  # we ask again ourselves, also when a stream breaks
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),  # we know what we wait for: see `Patience`
    )


async def _find(
    client: AsyncOpenAI, url: str, name: str | None, patience: Patience
) -> tuple[str, Mapping[str, Any]]:
    """The model's name, and what the endpoint's list says of it."""
    if name is None:
        try:
            offered = await patience.keep_asking(lambda: _offered(client, patience.list_seconds))
        except Unspoken as error:
            raise ModelMisconfigured(str(error), reason="list") from error
        by_name = {str(each["id"]): each for each in offered if each.get("id")}
        chosen = known.choose(list(by_name))
        if chosen is None:
            raise ModelMisconfigured("the endpoint offers no model to talk to", reason="name")
        return chosen, by_name[chosen]
    offered = []
    if not known.is_openai(url):
        with suppress(ModelError):  # not every endpoint has a list
            offered = await _offered(client, patience.list_seconds)
    return name, next((each for each in offered if each.get("id") in {name, f"{name}:latest"}), {})


async def _offered(client: AsyncOpenAI, seconds: float) -> Sequence[Mapping[str, Any]]:
    with openai_errors(client.api_key):
        async with asyncio.timeout(seconds):
            page = await client.models.list()
    # Ollama without any model sends null.
    return [each.to_dict(warnings=False) for each in page.data or ()]
