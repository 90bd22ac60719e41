"""One house for all cases of a runtime."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.messages import ThreadId
from sandbox.session import BoxSession
from tests.sandbox.conftest import Deployment, docker, run
from tests.sandbox.hostile.house import LOOP, SECRET, House


@pytest_asyncio.fixture(scope="package", loop_scope=LOOP)
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    runtime = str(request.param)
    if runtime not in docker("info", "-f", "{{json .Runtimes}}"):
        pytest.skip(f"the engine does not know {runtime}")
    deployment = Deployment(tmp_path_factory.mktemp("house"), runtime)
    try:
        async with deployment.opened() as sandbox, sandbox.session(ThreadId("test:T1/C2/1")) as neighbour:
            await run(
                neighbour, f"import os, threading; secret = {SECRET!r}; open('own.txt', 'w').write(secret)"
            )
            yield House(deployment, sandbox, neighbour)
    finally:
        if containers := deployment.containers():
            docker("rm", "-f", *containers)


@pytest_asyncio.fixture(scope="package", loop_scope=LOOP)
async def resident(house: House) -> AsyncIterator[BoxSession]:
    """A session for tests that leave it as it was."""
    async with house.session() as session:
        house.residents.append(session)
        await run(session, "canary = 1")
        yield session
        house.residents.remove(session)
