"""Every hostile cell, on every runtime: it ends as it should, the next one works, and nobody else noticed."""

import asyncio
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from bot.errors import SandboxLost
from bot.execution import Execution, Outcome
from bot.limits import MIB
from bot.results import for_model
from sandbox.session import BoxSession
from tests.sandbox.conftest import run
from tests.sandbox.hostile import (
    descriptors,
    escape,
    files,
    frames,
    interpreter,
    memory,
    output,
    processes,
)
from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.house import LOOP, House, everywhere, facts_of, watched

GROUPS = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (descriptors, escape, files, frames, interpreter, memory, output, processes)
}
SAMPLE = 18
LATE_SECONDS = {"runc": 15.0, "runsc": 25.0}
"""Past its deadline a cell has three seconds to stop; then its files are fetched, or a new container is started."""
GVISOR_TIMES = 4
ENDING_SECONDS = 20
HOST_BYTES = 256 * MIB
HOST_PAUSE_SECONDS = 1.5
TEXT_CHARACTERS = 400_000
INTERNALS = re.compile(r"/opt/plotline|sandbox\.guest|WireError|SandboxLost|supervisor|\bepoch\b|nonce")


def _parameters() -> Iterator[ParameterSet]:
    """Of the quick ones some are tried each time, of all runtimes under runc only."""
    cases = [(group, case) for group, found in GROUPS.items() for case in found]
    quick = [case.name for _, case in cases if not case.slow]
    sample = set(random.Random(3).sample(quick, SAMPLE))
    for group, case in cases:
        marks = () if case.name in sample else pytest.mark.chaos
        yield pytest.param(case, id=f"{group}-{case.name}", marks=marks)


pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope=LOOP)]


@pytest.mark.parametrize("case", list(_parameters()))
@everywhere
async def test_hostile_code(house: House, case: Case, tmp_path: Path) -> None:
    (tmp_path / "put.txt").write_text("from the host")
    async with watched() as host, house.session() as session:
        await session.put("put.txt", tmp_path / "put.txt")
        await run(session, "canary = 1")
        async with asyncio.timeout(case.seconds + LATE_SECONDS[house.runtime]):
            done, _ = await asyncio.gather(
                run(session, case.code, seconds=case.seconds), _disturb_nobody_meanwhile(house)
            )

        _ended_well(case, done, house.runtime)
        await _what_comes_after(case, session, done, house.runtime)
        ran = [done]
        if case.tidies:
            ran.append(await run(session, case.tidies))
        await _goes_on(case, session, ran, house.runtime)
        await house.disturb_nobody()
        await house.only(session)
    assert host.most_bytes < HOST_BYTES
    assert host.longest_pause < HOST_PAUSE_SECONDS


async def _disturb_nobody_meanwhile(house: House) -> None:
    await asyncio.sleep(0.05)
    await house.disturb_nobody()


async def _what_comes_after(case: Case, session: BoxSession, done: Execution, runtime: str) -> None:
    if not case.after:
        return
    try:
        await case.after(session, done)
    except SandboxLost:
        if Outcome.LOST not in case.ends_on(runtime):
            raise
        # What goes on after the cell may end the container a little later.
        await case.after(session, done)


def _ended_well(case: Case, done: Execution, runtime: str) -> None:
    told = for_model(case.code, done, "full")
    assert done.outcome in case.ends_on(runtime), told
    if case.keeps is not None and done.outcome is not Outcome.LOST:
        assert (done.lost_variables is None) == case.keeps, told
    if done.outcome is Outcome.RAISED:
        assert done.error or "[Python ended itself" in done.text, told
    wanted = case.gvisor_text if case.gvisor_text and runtime == "runsc" else case.text
    if done.outcome in case.ends:
        assert re.search(wanted, done.text), done.text[:3000]
    if case.note and done.outcome in case.ends:
        assert any(re.search(case.note, note) for note in done.notes), done.notes
    assert not INTERNALS.search(told), told
    assert len(done.text) < TEXT_CHARACTERS
    for text in (done.text, told, *done.notes, *done.changed_files):
        text.encode()


async def _goes_on(case: Case, session: BoxSession, ran: list[Execution], runtime: str) -> None:
    after = await _next(case, session, runtime)
    if Outcome.LOST in case.ends_on(runtime) and after.outcome is Outcome.LOST:
        # What goes on after the cell may end the container a little later.
        ran.append(after)
        after = await _next(case, session, runtime)
    assert after.outcome is Outcome.OK, for_model("", after, "full")
    assert case.noisy or after.text == "42\n"

    tries = 3 if Outcome.LOST in case.ends_on(runtime) else 1
    facts = await facts_of(session, tries)
    async with asyncio.timeout(ENDING_SECONDS):
        # A child that only has to end does so when the machine has time for it.
        while len(facts.left) > case.left:
            facts = await facts_of(session, tries)
    assert facts.put == "from the host"
    told = [*(each.lost_variables for each in (*ran, after)), *facts.lost]
    lost = [names for names in told if names is not None]
    assert case.forgets or facts.canary == (not lost)
    assert case.forgets or not lost or "canary" in lost[0]


async def _next(case: Case, session: BoxSession, runtime: str) -> Execution:
    async with asyncio.timeout(case.next_seconds * (GVISOR_TIMES if runtime == "runsc" else 1)):
        return await run(session, "print(6 * 7)")
