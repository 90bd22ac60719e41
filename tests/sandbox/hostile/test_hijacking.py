"""Boxes that do not answer to us any more, or that code answers for.

Versions of gVisor before 2023 let code open what process 1 speaks through. It can then say of its own session what it
likes, as code always can of its own cells, or make it useless. It must not keep a container, or its place.
"""

import asyncio

import pytest

from bot.execution import Outcome
from sandbox import box, channel
from tests.sandbox.conftest import Deployment, docker, run
from tests.sandbox.hostile.house import LOOP, House, everywhere, facts_of

pytestmark = pytest.mark.docker

SPEAK = """
import os
try: stream = os.open("/proc/1/fd/101", os.O_WRONLY)
except OSError: print("closed")
else:
    for ev in ("garbage", '{"ev":"ready","boot":"b","kernel":-1}', '{"ev":"done"}', '{"ev":"x","n":1000000000000}'):
        os.write(stream, ev.encode() + b"\\n")
"""


@everywhere
@pytest.mark.chaos
@pytest.mark.asyncio(loop_scope=LOOP)
async def test_code_that_answers_for_its_box_harms_its_own_session_only(house: House) -> None:
    async with house.session() as session:
        await run(session, "canary = 1; open('put.txt', 'w').write('kept')")
        first = await run(session, SPEAK, seconds=1)
        if house.runtime == "runc":
            assert first.text == "closed\n"
        lost = await run(session, "print(6 * 7)", seconds=1)
        after = await run(session, "print(6 * 7)")
        facts = await facts_of(session)

        assert lost.outcome in {Outcome.OK, Outcome.LOST}
        assert (after.outcome, after.text) == (Outcome.OK, "42\n")
        assert facts.put == "kept"
        await house.disturb_nobody()
        await house.only(session)


@pytest.mark.chaos
async def test_a_box_that_does_not_answer_is_removed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "LATE_SECONDS", 1)
    monkeypatch.setattr(channel, "ATTACH_SECONDS", 3)
    async with deployment.session() as session:
        await run(session, "canary = 1; open('f', 'w').write('kept')")
        (stuck,) = deployment.containers()
        await asyncio.to_thread(docker, "pause", stuck)
        lost = await run(session, "1", seconds=0.5)
        after = await run(session, "print(open('f').read(), 'canary' in dir())")
        async with asyncio.timeout(20):
            while stuck in await asyncio.to_thread(deployment.containers):  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    assert lost.outcome is Outcome.LOST
    assert after.text == "kept False\n"
    assert after.lost_variables == ("canary",)


async def test_a_container_that_goes_away_in_mid_session_gives_its_place_back(deployment: Deployment) -> None:
    deployment.limits = deployment.limits.model_copy(update={"sessions": 1, "wait_seconds": 5})
    async with deployment.session() as session:
        for _ in range(3):
            await run(session, "open('f', 'w').write('kept')")
            await asyncio.to_thread(docker, "kill", *deployment.containers())
            await run(session, "1")
            after = await run(session, "print(open('f').read())")

    assert after.text == "kept\n"
