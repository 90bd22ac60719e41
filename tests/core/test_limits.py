"""Defaults that fit the machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.limits import MIB, for_memory

GIB = 1024 * MIB


def test_two_gigabytes_hold_all_that_may_run_at_once() -> None:
    limits = for_memory(2 * GIB)

    assert limits.sessions * limits.memory_bytes <= limits.sandboxes_bytes <= 1.5 * GIB
    assert limits.warm == 0


@given(st.integers(2 * GIB, 1024 * GIB))
def test_one_container_leaves_most_of_the_machine_to_others(machine_bytes: int) -> None:
    limits = for_memory(machine_bytes)

    assert limits.memory_bytes <= 0.27 * machine_bytes
    assert limits.workspace_bytes <= limits.memory_bytes / 4
    assert limits.attachment_bytes < limits.workspace_bytes
    assert limits.sandboxes_bytes <= machine_bytes * 3 / 4


@pytest.mark.parametrize(("gigabytes", "sessions"), [(2, 2), (8, 40), (64, 100)])
def test_more_memory_holds_more_sessions(gigabytes: int, sessions: int) -> None:
    assert for_memory(gigabytes * GIB).sessions == sessions
