"""The real client, talking to a fake endpoint on loopback."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot import models
from bot.models.endpoint import Endpoint
from bot.models.patience import Patience
from bot.ports import Request
from bot.tools import RUN_PYTHON
from bot.transcript import Entry, Prompt, Reply
from tests.core.conftest import Chat
from tests.fakes.openai_answers import Scripted
from tests.fakes.openai_server import OpenAIServer

OPENAI_MODEL = "gpt-6-luna"
LOCAL_MODEL = "qwen3:8b"
KEY = "sk-not-for-anyone"


@dataclass
class Wire:
    """Servers and models that end with the test; `shown` is what people saw of replies, `waited` the seconds that
    nobody really waited."""

    memory: Path
    stack: AsyncExitStack
    servers: list[OpenAIServer] = field(default_factory=list[OpenAIServer])
    shown: list[str] = field(default_factory=list[str])
    waited: list[float] = field(default_factory=list[float])

    async def serve(self, *answers: Scripted, **facts: Any) -> OpenAIServer:
        server = OpenAIServer(list(answers), **facts)
        self.servers.append(server)
        return await self.stack.enter_async_context(server.serving())

    async def connect(self, server: OpenAIServer, name: str | None = OPENAI_MODEL, **wanted: Any) -> Endpoint:
        patience = Patience(first_seconds=5, silence_seconds=0.2, sleep=self._sleep)
        model = await models.connect(
            api_key=wanted.pop("api_key", KEY),
            base_url=server.url,
            name=name,
            memory=self.memory,
            patience=wanted.pop("patience", patience),
            **wanted,
        )
        self.stack.push_async_callback(model.close)
        return model

    async def ask(self, model: Endpoint, *entries: Entry, **facts: Any) -> Reply:
        return await model.reply(request(*entries, **facts), self.shown.append)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


def request(*entries: Entry, **facts: Any) -> Request:
    return Request("Be brief.", entries or [Prompt("How many?")], **{"tools": (RUN_PYTHON,), **facts})


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with AsyncExitStack() as stack:
        made = Wire(tmp_path / "endpoints.json", stack)
        yield made
    # A request that breaks a rule of all endpoints is a fault, whatever the test is about.
    assert [complaint for server in made.servers for complaint in server.complaints] == []


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)


def grows(shown: Sequence[str]) -> bool:
    """Each text holds the one before it: nothing was shown twice."""
    return all(after.startswith(before) for before, after in pairwise(shown))
