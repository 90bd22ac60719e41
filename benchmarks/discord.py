"""What the Discord adapter costs: how soon people see something while cells run, how often it calls, whether it waits.

The fake Discord answers at once, with the real one's rate limits, and runs in the same process: its own time is in
every figure, so they are upper bounds. The core is not in them; `turns` measures it.
"""

import asyncio
import logging
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from adapters.discord.seam import Options
from benchmarks.figure import Figure, on_this_machine
from benchmarks.sandbox.opened import Deployment, run, thread
from bot.execution import Execution, Outcome
from bot.messages import CellFinished, CellStarted, Message, Noted, Output, Writing
from bot.reception import DurableThread
from bot.visits import Visit
from sandbox.pool import DockerSandbox
from tests.discord.rig import Recorder, Rig, connected
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.clock import WallClock
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.rest import Call

T = TypeVar("T")

AT_ONCE = 50
TURNS = 20
ANSWER = "The sum is five."
UPDATES, BETWEEN_UPDATES = 40, 0.1
"""Of a model that writes quickly: far more than may be shown."""
SHOWN_UPDATES = 20
BUSY_CELLS = 4
BUSY = "import time\nuntil = time.time() + 2\nwhile time.time() < until: sum(range(10_000))"
LIMITS = {
    "POST /channels/{c}/messages": (5, 5.0),
    "PATCH /channels/{c}/messages/{m}": (5, 5.0),
    "DELETE /channels/{c}/messages/{m}": (5, 1.0),
    "POST /channels/{c}/typing": (5, 5.0),
    "PATCH /webhooks/{app}/{token}/messages/{m}": (5, 2.0),
    "POST /webhooks/{app}/{token}": (5, 2.0),
}
"""As its responses have said them; it documents none: https://discord.com/developers/docs/topics/rate-limits."""


async def figures() -> list[Figure]:
    async with busy():
        defer = await with_fake(defers)
        first_text = await with_fake(first_texts)
    return [defer, first_text, await with_fake(calls_of_a_turn), *await with_fake(storm)]


@dataclass
class Core(Recorder):
    """Answers each question as with a model that answers at once and runs one cell."""

    updates: int = 1
    posting: list[float] = field(default_factory=list[float])
    """Milliseconds that each answer took from being ready to being posted."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        self.tasks.append(asyncio.create_task(self._turn(message, thread)))

    async def _turn(self, message: Message, thread: DurableThread) -> None:
        async with thread.working():
            message = await thread.introduce(message)
            await thread.progress(Noted("Reading sales.csv"))
            await thread.progress(CellStarted(1, "sum(x)"))
            await thread.progress(CellFinished(1, Execution(Outcome.OK, "5", 0.1)))
            await thread.progress(Writing(ANSWER))
            for number in range(1, self.updates):
                await asyncio.sleep(BETWEEN_UPDATES)
                await thread.progress(Writing(f"{ANSWER} " * (number + 1)))
            ready = time.perf_counter()
            await thread.post(Output(ANSWER), f"{message.id}:answer")
            self.posting.append((time.perf_counter() - ready) * 1000)

    async def settle(self, count: int) -> None:
        """Until so many turns are over, and none has failed."""
        await until(lambda: len(self.tasks) >= count)
        await asyncio.gather(*self.tasks)
        self.tasks.clear()


@asynccontextmanager
async def busy() -> AsyncIterator[None]:
    """Meanwhile cells run that compute, one after the other in each of a few sessions."""
    with tempfile.TemporaryDirectory() as folder:
        async with Deployment(Path(folder)).of_its_own() as deployment, deployment.opened() as sandbox:
            working = [asyncio.create_task(_busy(sandbox, number)) for number in range(BUSY_CELLS)]
            while len(deployment.containers()) < BUSY_CELLS:  # noqa: ASYNC110  # the engine sets no Event of ours
                await asyncio.sleep(0.1)
            try:
                yield
                if any(task.done() for task in working):
                    raise RuntimeError("no cells ran meanwhile")
            finally:
                for task in working:
                    task.cancel()
                await asyncio.gather(*working, return_exceptions=True)


async def _busy(sandbox: DockerSandbox, number: int) -> None:
    async with sandbox.session(thread(f"busy-{number}")) as session:
        while True:
            await run(session, BUSY)


async def with_fake(measure: Callable[[Rig, Core], Awaitable[T]]) -> T:
    async with FakeDiscord(WallClock()) as fake:
        fake.rest.rate_limits = dict(LIMITS)
        core = Core()
        async with connected(fake, Options(), core=core) as rig:
            await until(lambda: fake.rest.commands)
            found = await measure(rig, core)
        if fake.rest.violations or fake.rest.limited:
            raise RuntimeError(f"Discord would not like it: {fake.rest.violations} {fake.rest.limited}")
        return found


async def defers(rig: Rig, core: Core) -> Figure:
    """Of three seconds that there are: https://discord.com/developers/docs/interactions/receiving-and-responding."""
    members = [rig.fake.member(f"Member {number}") for number in range(AT_ONCE)]
    asked = await asyncio.gather(*(_asks(rig, member) for member in members))
    await core.settle(AT_ONCE)
    answered = {call.path.split("/")[3]: call.at for call in rig.fake.calls("POST", "/callback")}
    spent = [(answered[each.token] - each.created).total_seconds() for each in asked]
    return on_this_machine("discord.interaction_to_defer_p99", percentile(spent, 99), "ms", "≤ 500 ms")


async def _asks(rig: Rig, member: Any) -> Interaction:
    return await rig.fake.people.command(member, rig.fake.general, "ask", {"question": "What is the sum?"})


async def first_texts(rig: Rig, core: Core) -> Figure:
    members = [rig.fake.member(f"Member {number}") for number in range(AT_ONCE)]
    channels = [rig.fake.world.channel(rig.fake.guild, f"room-{number}") for number in range(AT_ONCE)]
    for channel in channels:
        await rig.fake.gateway.emit("CHANNEL_CREATE", channel)
    began = datetime.now(UTC)
    asking = zip(members, channels, strict=True)
    await asyncio.gather(*(rig.fake.people.mention(*each, "What is the sum?") for each in asking))
    await core.settle(AT_ONCE)
    first: dict[str, datetime] = {}
    for call in rig.fake.rest.calls:
        if ANSWER in repr(call.json) and call.path.startswith("/channels/"):
            first.setdefault(call.path.split("/")[2], call.at)
    if len(first) != AT_ONCE:
        raise RuntimeError(f"text in {len(first)} of {AT_ONCE} threads")
    spent = [(at - began).total_seconds() for at in first.values()]
    return on_this_machine("discord.event_to_first_text_p95", percentile(spent, 95), "ms", "≤ 600 ms")


async def calls_of_a_turn(rig: Rig, core: Core) -> Figure:
    """Of two seconds, in which something is shown."""
    core.updates = SHOWN_UPDATES
    rig.fake.rest.calls.clear()
    for _ in range(TURNS):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "What is the sum?")
    await core.settle(TURNS)
    counted = Counter(map(_named, rig.fake.rest.calls))
    named = ", ".join(f"{name} {count / TURNS:g}" for name, count in counted.most_common())
    return Figure("discord.calls_per_turn", len(rig.fake.rest.calls) / TURNS, "calls", named, None, "≤ 10")


def _named(call: Call) -> str:
    """Without the ids in it."""
    return f"{call.method} {re.sub(r'/[0-9]+', '', call.path)}"


async def storm(rig: Rig, core: Core) -> list[Figure]:
    """A model that writes without a pause, in many threads at once: answers must not wait for the edits before them."""
    core.updates = UPDATES
    waits = Waits()
    client = logging.getLogger("discord.http")
    client.addHandler(waits)
    client.setLevel(logging.DEBUG)
    client.propagate = False
    places = [
        rig.fake.world.thread(rig.fake.general, f"{each}", rig.fake.bot["id"]) for each in range(AT_ONCE)
    ]
    for place in places:
        await rig.fake.gateway.emit("THREAD_CREATE", place)
    await asyncio.gather(
        *(rig.fake.people.mention(rig.fake.anna, each, "What is the sum?") for each in places)
    )
    await core.settle(AT_ONCE)
    client.removeHandler(waits)
    client.setLevel(logging.NOTSET)
    client.propagate = True
    edits = len(rig.fake.calls("PATCH", "/messages/"))
    told = f"{AT_ONCE} threads, {UPDATES} updates in each, {edits} edits"
    return [
        Figure("discord.storm.waits", waits.count, "calls", told, None, "≤ 0"),
        on_this_machine("discord.storm.answer_p99", percentile(core.posting, 99, unit=1), "ms", "≤ 600 ms"),
    ]


class Waits(logging.Handler):
    """Counts how often discord.py lets calls wait for a rate limit."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "rate limit bucket" in str(record.msg) and "exhausted" in str(record.msg)


def percentile(spent: Sequence[float], which: int, unit: float = 1000) -> float:
    return statistics.quantiles(spent, n=100, method="inclusive")[which - 1] * unit
