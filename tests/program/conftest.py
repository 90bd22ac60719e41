"""The whole bot in one process or several, on each platform."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import OpenAIServer
from tests.program.console import ConsoleTown
from tests.program.serving import Serving, environment
from tests.program.towns import TOWNS, WHERE, Anywhere, Town
from tests.stores import prepare


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The type of its `town` says where a test runs."""
    named = [str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")]
    if "town" in metafunc.fixturenames and "town" not in named:
        kind = metafunc.function.__annotations__.get("town", Town)
        metafunc.parametrize("town", WHERE.get(kind, WHERE[Town]), indirect=True)


@pytest.fixture
async def town(request: pytest.FixtureRequest) -> AsyncIterator[Anywhere]:
    async with TOWNS[request.param]() as town:
        yield town


@pytest.fixture
def serving(town: Anywhere, tmp_path: Path) -> Iterator[Serving]:
    prepare(tmp_path / "data")
    serving = Serving(tmp_path, environment(tmp_path) | town.env)
    if isinstance(town, ConsoleTown):
        serving.has_platform = False
        town.serving = serving
    yield serving
    serving.remove_boxes()
    log = serving.log.read_text("utf-8") if serving.log.exists() else ""
    # For whoever reads why a test has failed.
    print(log)
    assert serving.may_complain or [line for line in log.splitlines() if "level=error" in line] == []
    assert "Traceback" not in log


@pytest.fixture
async def model(serving: Serving) -> AsyncIterator[OpenAIServer]:
    """Instead of the script."""
    async with OpenAIServer().serving() as model:
        del serving.env["MODEL_SCRIPT"]
        serving.env |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "not-for-anyone", "MODEL_NAME": "m"}
        yield model
        assert model.complaints == []
