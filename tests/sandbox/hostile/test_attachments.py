"""Hostile attachments are looked into in time and within bounds, and nothing of them runs."""

import asyncio
import time
from pathlib import Path

import pytest

from bot.execution import Artifact, Outcome, Picture
from bot.limits import MIB
from sandbox.session import KINDS, PICTURE_BYTES, PICTURE_SECONDS, PROFILE_SECONDS, BoxSession
from tests.sandbox.conftest import run
from tests.sandbox.hostile.attachments import MADE, PICTURES, made
from tests.sandbox.hostile.house import LOOP, House, everywhere, facts_of, watched

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope=LOOP)]

SPARE_SECONDS = {"runc": 2.0, "runsc": 4.0}
"""To end a job that has used up its time, on a busy machine."""
HOST_BYTES = 64 * MIB
SECRETS = ("root:x:", "/bin/bash", "SCRIPT RAN")
QUICK = {"runs.pkl", "vast.png"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.chaos) for name in MADE]
)
@everywhere
async def test_hostile_attachment(house: House, resident: BoxSession, name: str, tmp_path: Path) -> None:
    source, session = tmp_path / "source", resident
    source.write_bytes(await asyncio.to_thread(made, name))
    (tmp_path / "put.txt").write_text("from the host")
    await session.put("put.txt", tmp_path / "put.txt")
    await session.put(name, source)

    async with watched() as host:
        began = time.monotonic()
        profile = await session.profile(name)
        profile_seconds = time.monotonic() - began
        began = time.monotonic()
        picture = await _picture(session, name, source)
        picture_seconds = time.monotonic() - began
    after = await run(session, "print(6 * 7)")
    facts = await facts_of(session)
    names = {file.name for file in await session.files()}
    await run(session, "import os\nfor n in os.listdir('/workspace'): os.remove('/workspace/' + n)")

    assert profile_seconds < PROFILE_SECONDS + SPARE_SECONDS[house.runtime]
    assert profile.kind in KINDS
    assert profile.text
    assert len(profile.text) + len(profile.schema) < 10_000
    assert not any(secret in profile.text + profile.schema for secret in SECRETS)
    assert picture_seconds < PICTURE_SECONDS + SPARE_SECONDS[house.runtime]
    assert picture is None or len(picture.data) <= PICTURE_BYTES
    assert (after.outcome, after.text, after.lost_variables) == (Outcome.OK, "42\n", None)
    assert (facts.canary, facts.left) == (True, [])
    assert names == {"put.txt", "facts.json", name}
    assert host.most_bytes < HOST_BYTES + 4 * source.stat().st_size
    await house.disturb_nobody()
    await house.only()


async def _picture(session: BoxSession, name: str, source: Path) -> Picture | None:
    if Path(name).suffix not in PICTURES:
        return None
    return await session.picture(Artifact(name, "image/png", source.stat().st_size, "", source), 1024)
