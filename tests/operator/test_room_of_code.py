"""Files that code leaves are kept as long as there is room for them in the store."""

import uuid
from pathlib import Path

import pytest

from bot.messages import ThreadId
from bot.store.store import Store
from sandbox.pool import DockerSandbox
from tests.sandbox.conftest import IMAGE, LIMITS, THREAD, run
from tests.stores import prepare

pytestmark = pytest.mark.docker


async def test_a_file_without_room_is_named_and_not_kept(tmp_path: Path) -> None:
    async def room(thread: ThreadId) -> int:
        assert thread == THREAD
        return 100

    async with (
        Store.opened(prepare(tmp_path)) as store,
        DockerSandbox(
            image=IMAGE,
            runtime="runc",
            data_dir=tmp_path,
            blobs=store.blobs,
            sessions=store.sessions,
            limits=LIMITS,
            deployment=f"test-{uuid.uuid4().hex[:10]}",
            room=room,
        ) as sandbox,
    ):
        async with sandbox.session(THREAD) as session:
            done = await run(
                session, "open('a.txt', 'w').write('x' * 60); open('b.txt', 'w').write('x' * 60)"
            )
            assert await sandbox.answers()
            assert sandbox.alive == 1
        await sandbox.end(THREAD)

        held = await store.files.held(thread=THREAD)

    assert len(done.no_room_for) == 1
    assert {*done.no_room_for, *(each.file.name for each in held)} == {"a.txt", "b.txt"}
