"""The stage on which workers die."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.platform import Loopback
from tests.chaos.story import Narrator
from tests.chaos.trial import Scene
from tests.fakes.openai_server import OpenAIServer


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    narrator = Narrator()
    async with (
        OpenAIServer(otherwise=narrator, formats=("chat",)).serving() as model,
        Loopback("key").serving() as with_key,
        Loopback("lookup").serving() as with_lookup,
    ):
        yield Scene(narrator, model, {"key": with_key, "lookup": with_lookup}, tmp_path)
