"""What is said of an engine before anything is run there: a fake one on loopback, asked by the real SDK."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from bot.checks import Check
from sandbox import doctor

IMAGE = "plotline-sandbox:core"
INFO: dict[str, Any] = {
    "ServerVersion": "99.1",
    "DockerRootDir": "/nowhere",
    "Runtimes": {"runc": {}},
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
}

Checks = Callable[..., Awaitable[dict[str, Check]]]


@pytest.fixture
async def checks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Checks]:
    """`checks(name=value)` is what doctor finds of an engine that says this of itself. It has no image."""
    async with AsyncExitStack() as stack:

        async def ask(*, runtime: str = "runc", **facts: object) -> dict[str, Check]:
            async def answer(request: web.Request) -> web.Response:
                match request.path.rpartition("/")[2]:
                    case "version":
                        return web.json_response({"ApiVersion": "1.41"})
                    case "info":
                        return web.json_response(INFO | facts)
                    case _:
                        return web.json_response({"message": "No such image"}, status=404)

            app = web.Application()
            app.router.add_get("/{any:.*}", answer)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            monkeypatch.setenv("DOCKER_HOST", f"tcp://{host}:{port}")
            found = await doctor.checks(image=IMAGE, runtime=runtime, source_hash=None)
            return {check.name: check for check in found}

        yield ask


async def test_an_engine_is_named_with_its_version(checks: Checks) -> None:
    found = await checks()

    assert found["engine"].ok
    assert "99.1" in found["engine"].detail
    assert found["limits"].ok


async def test_an_engine_that_cannot_limit_a_container_is_not_good_enough(checks: Checks) -> None:
    found = await checks(MemoryLimit=False, PidsLimit=False)

    assert not found["limits"].ok
    assert "memory, processes:" in found["limits"].detail
    assert "cgroup v2" in found["limits"].mend


async def test_a_runtime_that_is_not_there_is_named_beside_those_that_are(checks: Checks) -> None:
    found = await checks(runtime="runsc")

    assert not found["runtime"].ok
    assert "runsc, only: runc" in found["runtime"].detail


async def test_a_missing_image_comes_with_the_command_that_builds_it(checks: Checks) -> None:
    found = await checks()

    assert (found["image"].ok, found["image"].mend) == (False, "make image")
    assert "cell" not in found
