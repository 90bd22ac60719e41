"""A session whose thread was forgotten by another process has no memory of it, however alive its container is."""

import asyncio
from pathlib import Path

import pytest

from bot import forgetting
from bot.store.store import Store
from tests.sandbox.conftest import THREAD, Deployment, run

pytestmark = pytest.mark.docker


async def test_a_forgotten_session_begins_anew(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path)
    async with deployment.opened() as sandbox:
        async with sandbox.session(THREAD) as session:
            await run(session, "secret = 4711; open('secret.txt', 'w').write('4711')")
        async with Store.opened(tmp_path) as elsewhere:
            gone = await forgetting.forget_thread(elsewhere, THREAD, "operator:test")
            assert gone.containers[THREAD] in deployment.containers()
        async with sandbox.session(THREAD) as session:
            after = await run(session, "import os; print('secret' in globals(), os.listdir('.'))")
            containers = deployment.containers()

        assert "False []" in after.text
        assert gone.containers[THREAD] not in containers or await gone_soon(
            deployment, gone.containers[THREAD]
        )
        await sandbox.end(THREAD)


async def gone_soon(deployment: Deployment, container: str) -> bool:
    for _ in range(50):
        if container not in deployment.containers():
            return True
        await asyncio.sleep(0.1)
    return False
