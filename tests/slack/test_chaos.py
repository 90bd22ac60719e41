"""Many threads, and a Slack that repeats itself, limits us and cuts the line: one answer each, in order."""

import asyncio
import gc
import os
import random
import re
from pathlib import Path

import pytest

from bot.messages import CellStarted, Message, Output, Writing
from bot.reception import DurableThread
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.transport import NotAcknowledged
from tests.slack.conftest import Office

LEVEL_BYTES = 40 * 1024**2
"""How much more memory may be in use in the end than after the first round; the fake keeps all messages in it."""


CLOSING_SECONDS = 20
"""The SDK waits for up to five, several times, for its turn to connect anew, and sees only then that it was closed."""


async def turn(message: Message, thread: DurableThread) -> None:
    async with thread.working():
        await thread.progress(CellStarted(1, "x = 1"))
        await thread.progress(Writing("Thinking about it "))
        await thread.post(Output(f"Answer to {message.text}"), f"{message.id}:answer")


async def send(slack: FakeSlack, chance: random.Random, text: str, thread_ts: str | None) -> str:
    """As Slack does it: until it is acknowledged, and at times once more."""
    message = slack.writes(text, thread_ts=thread_ts)
    for event in slack.events_of(message):
        for attempt in range(20):
            try:
                await slack.sockets.connected.wait()
                await slack.deliver(
                    event, event_id=f"Ev{message['ts']}{event['type']}", retry=attempt or None
                )
            except (NotAcknowledged, ConnectionError, IndexError):
                continue
            if chance.random() > 0.1:
                break
    return str(message["ts"])


async def trouble(slack: FakeSlack, chance: random.Random, done: asyncio.Event) -> None:
    while not done.is_set():
        await asyncio.sleep(chance.uniform(0.01, 0.2))
        match chance.randrange(5):
            case 0:
                await slack.sockets.disconnect()
            case 1:
                slack.limits["*"] = [1] * chance.randrange(1, 5)
            case 2:
                slack.swallows["chat.postMessage"] = 1
            case 3:
                slack.refuses["chat.appendStream"] = ["internal_error"]
            case 4:
                slack.refuses["chat.update"] = ["internal_error"]


async def storm(slack: FakeSlack, office: Office, threads: int, messages: int, seed: int) -> None:
    chance, done, level = random.Random(seed), asyncio.Event(), list[int]()
    office.receiver.turn = turn
    before = asyncio.all_tasks()
    async with office.opened():
        troubling = asyncio.ensure_future(trouble(slack, chance, done))
        roots = [await send(slack, chance, f"<@UBOT> {at}-0 ", None) for at in range(threads)]
        for number in range(1, messages):
            for start in range(0, threads, 10):
                batch = list(enumerate(roots))[start : start + 10]
                await asyncio.gather(*(send(slack, chance, f"{at}-{number} ", root) for at, root in batch))
            await office.receiver.settle()
            slack.calls.clear()
            level.append(memory())
        done.set()
        await troubling
        slack.limits.clear()
    ours = ("adapters/", "slack_sdk/", "slack_bolt/")
    left = {task for task in asyncio.all_tasks() - before if any(each in repr(task) for each in ours)}
    if left:
        _, left = await asyncio.wait(left, timeout=CLOSING_SECONDS)

    assert not left
    assert len(office.receiver.messages) == threads * messages
    for at, root in enumerate(roots):
        posts = [each for each in slack.posts() if each["thread_ts"] == root]
        said = [re.findall(r"Answer to (\d+-\d+)", repr(each.get("blocks"))) for each in posts]
        assert [each[0] for each in said] == [f"{at}-{number}" for number in range(messages)]
    assert level[-1] - level[0] < LEVEL_BYTES


async def test_a_small_storm_loses_nothing(
    slack: FakeSlack, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.slack.transport.ACK_SECONDS", 0.5)
    await storm(slack, office, threads=10, messages=5, seed=1)


@pytest.mark.chaos
async def test_a_large_storm_loses_nothing_and_keeps_its_memory(slack: FakeSlack, office: Office) -> None:
    await storm(slack, office, threads=200, messages=10, seed=2)


def memory() -> int:
    """Bytes that this process has in use; 0 where the system does not say."""
    gc.collect()
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.is_file() else 0
