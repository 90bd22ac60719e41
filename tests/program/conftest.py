"""The whole bot in one process or several, on each platform."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving, environment
from tests.program.towns import TOWNS, Town
from tests.stores import prepare


@pytest.fixture(params=list(TOWNS))
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    async with TOWNS[request.param]() as town:
        yield town


@pytest.fixture
def serving(town: Town, tmp_path: Path) -> Iterator[Serving]:
    prepare(tmp_path / "data")
    serving = Serving(tmp_path, environment(tmp_path) | town.env)
    yield serving
    serving.remove_boxes()
    log = serving.log.read_text("utf-8") if serving.log.exists() else ""
    # For whoever reads why a test has failed.
    print(log)
    assert serving.may_complain or "level=error" not in log
    assert "Traceback" not in log


@pytest.fixture
async def model(serving: Serving) -> AsyncIterator[OpenAIServer]:
    """Instead of the script."""
    async with OpenAIServer().serving() as model:
        del serving.env["MODEL_SCRIPT"]
        serving.env |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "not-for-anyone", "MODEL_NAME": "m"}
        yield model
        assert model.complaints == []
