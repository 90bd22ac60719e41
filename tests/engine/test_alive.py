"""Which workers have ended, be it in a container that had another name."""

import socket
from pathlib import Path

import pytest

from bot.engine import alive


async def test_a_worker_is_dead_once_it_has_ended(tmp_path: Path) -> None:
    async with alive.working(tmp_path) as name:
        while_it_works = await alive.dead(tmp_path, [name], with_others=True)

    assert while_it_works == []
    assert await alive.dead(tmp_path, [name], with_others=True) == [name]


async def test_who_worked_here_under_another_name_of_the_machine_is_known_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(socket, "gethostname", lambda: "container-1")
        async with alive.working(tmp_path) as name:
            before.setattr(socket, "gethostname", lambda: "container-2")
            while_it_works = await alive.dead(tmp_path, [name], with_others=False)

        assert while_it_works == []
        assert await alive.dead(tmp_path, [name], with_others=False) == [name]


async def test_of_other_machines_nothing_is_known(tmp_path: Path) -> None:
    assert await alive.dead(tmp_path, ["elsewhere-1-ab"], with_others=True) == []
