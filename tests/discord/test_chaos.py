"""Many threads, and a Discord that cuts the line, limits us and fails: one answer each, in order."""

import asyncio
import gc
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.seam import Options
from bot.messages import CellStarted, Message, Output, ThreadId, Writing
from bot.reception import DurableThread
from bot.visits import Visit
from sandbox.pool import DockerSandbox
from tests.discord.conftest import shown_text
from tests.discord.rig import Recorder, connected
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.clock import WallClock
from tests.fakes.discord.interactions import Interaction
from tests.sandbox.conftest import LIMITS, Deployment, docker

MEMBERS = 30
LEVEL_BYTES = 40 * 1024**2
"""How much more memory may be in use in the end than after the first round; the fake keeps all messages in it."""
THINKING_SECONDS = 0.2
TROUBLES = 12
SESSIONS, CELL_SECONDS = 6, 20
"""Most members wait for a box, with the bomb in one of them."""
FORK_BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
EVERY = Options(reads_all_messages=True)


@dataclass
class Answering(Recorder):
    """Works on each question once, one after the other in each thread."""

    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])
    """By message."""
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    _locks: dict[ThreadId, asyncio.Lock] = field(default_factory=dict[ThreadId, asyncio.Lock])

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        if message.id not in self.tasks:
            self.tasks[message.id] = asyncio.create_task(self._turn(message, thread))
            async with self.heard:
                self.heard.notify_all()

    async def _turn(self, message: Message, thread: DurableThread) -> None:
        async with self._locks.setdefault(thread.id, asyncio.Lock()), thread.working():
            await thread.progress(CellStarted(1, "x = 1"))
            await thread.progress(Writing("Thinking about it "))
            await asyncio.sleep(THINKING_SECONDS)
            await thread.post(Output(f"Answer to {message.text}"), f"{message.id}:answer")

    async def settle(self, count: int) -> None:
        """Until so many were heard, and all of them are over."""
        async with asyncio.timeout(120), self.heard:
            await self.heard.wait_for(lambda: len(self.tasks) >= count)
        await asyncio.gather(*self.tasks.values())


async def trouble(fake: FakeDiscord, chance: random.Random, kinds: int) -> None:
    """For as long as a round takes, and not for so long that one request meets it again at each try.

    The first `kinds` of it; what follows costs seconds, as discord.py waits before it tries again.
    """
    for _ in range(TROUBLES):
        await asyncio.sleep(chance.uniform(0.02, 0.15))
        if fake.rest.is_to_fail:
            continue
        match chance.randrange(kinds):
            case 0:
                await fake.gateway.drop()
            case 1:
                await fake.gateway.ask_to_reconnect()
            case 2:
                fake.rest.limit_once(r"POST .*/messages$", 0.1)
            case 3:
                fake.rest.fail(r"(PATCH|DELETE) .*/messages/", 502)
            case 4:
                fake.rest.fail(r"POST .*/(messages|threads)$", 502)


async def storm(threads: int, rounds: int, seed: int, kinds: int) -> None:
    chance, core, level = random.Random(seed), Answering(), list[int]()
    async with FakeDiscord(WallClock()) as fake:
        members = [fake.member(f"Member {number}") for number in range(MEMBERS)]
        before = asyncio.all_tasks()
        async with connected(fake, EVERY, core=core):
            places: list[dict[str, Any]] = [fake.general] * threads
            for number in range(rounds):
                asking = [
                    fake.people.mention(chance.choice(members), place, f"{at}-{number}")
                    for at, place in enumerate(places)
                ]
                asked = await asyncio.gather(*asking)
                await fake.gateway.drop()
                troubling = asyncio.create_task(trouble(fake, chance, kinds))
                await core.settle(threads * (number + 1))
                await troubling
                if number == 0:
                    places = [fake.world.channels[each["id"]] for each in asked]
                fake.rest.calls.clear()
                level.append(memory())
        left = {task for task in asyncio.all_tasks() - before if not task.done()}

        assert len(core.tasks) == threads * rounds
        for at, place in enumerate(places):
            said = [shown_text(each) for each in fake.in_channel(place)]
            assert said == [f"Answer to {at}-{number}" for number in range(rounds)]
        assert fake.gateway.resumed
        assert fake.rest.violations == []
        assert {
            task for task in left if "tests/fakes" not in repr(task) and "aiohttp/web" not in repr(task)
        } == set()
    assert level[-1] - level[0] < LEVEL_BYTES


async def test_a_small_storm_loses_nothing() -> None:
    await storm(threads=6, rounds=3, seed=1, kinds=3)


@pytest.mark.chaos
async def test_a_large_storm_loses_nothing_and_keeps_its_memory() -> None:
    await storm(threads=100, rounds=25, seed=2, kinds=5)


@dataclass
class Running(Answering):
    """Runs each question as code, in its thread's own box."""

    sandbox: DockerSandbox | None = None

    async def _turn(self, message: Message, thread: DurableThread) -> None:
        assert self.sandbox
        async with thread.working(), self.sandbox.session(thread.id) as session:
            execution = await session.run(message.text, cell_id=message.id, seconds=CELL_SECONDS)
            await thread.post(Output(f"{execution.outcome}: {execution.text[-20:]}"), f"{message.id}:answer")


@pytest.mark.chaos
async def test_a_fork_bomb_of_one_member_costs_the_others_nothing(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, limits=LIMITS.model_copy(update={"sessions": SESSIONS}))
    try:
        async with FakeDiscord(WallClock()) as fake, deployment.opened() as sandbox:
            core = Running(sandbox=sandbox)
            async with connected(fake, EVERY, core=core):
                await until(lambda: fake.rest.commands)
                members = [fake.member(f"Member {number}") for number in range(MEMBERS)]
                codes = [FORK_BOMB, *(f"print({number})" for number in range(1, MEMBERS))]
                asked = await asyncio.gather(
                    *(
                        fake.people.command(member, fake.general, "ask", {"question": code})
                        for member, code in zip(members, codes, strict=True)
                    )
                )
                await core.settle(MEMBERS)

            read = [_answers(fake, each) for each in asked]
            assert read[1:] == [[f"ok: {number}"] for number in range(1, MEMBERS)]
            ((bombed,),) = read[:1]
            assert not bombed.startswith("ok")
    finally:
        if containers := deployment.containers():
            docker("rm", "-f", *containers)


def _answers(fake: FakeDiscord, asked: Interaction) -> list[str]:
    """In the thread that hangs on what was asked."""
    assert asked.original
    return [shown_text(each).strip() for each in fake.in_channel({"id": asked.original["id"]})]


def memory() -> int:
    """Bytes that this process has in use; 0 where the system does not say."""
    gc.collect()
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.is_file() else 0
