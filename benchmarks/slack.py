"""What the Slack adapter costs: how soon people see something, how often it calls, how long it computes.

The fake Slack answers at once and runs in the same process, so its own time is in every figure: they are upper bounds.
The core is not in them; `turns` measures it.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.slack.app import Options, open_slack, serve
from benchmarks.figure import Figure, loop_milliseconds
from bot.execution import Execution, Outcome
from bot.messages import CellFinished, CellStarted, Message, Noted, Output, Writing
from bot.reception import DurableThread, MemoryJournal
from tests.fakes.slack.receiver import RecordingReceiver
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack
from tests.fakes.slack.state import Clock

THREADS = 50
TURNS = 40


@dataclass
class WallClock(Clock):
    """The fake's, on real time."""

    def __call__(self) -> float:
        return time.time()


async def figures() -> list[Figure]:
    async with FakeSlack(WallClock()).serving() as slack:
        slack.workspace.clock = WallClock(time.time())
        receiver = RecordingReceiver(turn)
        options = Options(BOT_TOKEN, app_token=APP_TOKEN, api_url=slack.api_url)
        async with open_slack(options, receiver, MemoryJournal()) as opened:
            serving = asyncio.ensure_future(serve(opened, options))
            await slack.sockets.connected.wait()
            await opened.background.settle()
            await one_turn(slack, receiver)
            at_once = await many_at_once(slack, receiver)
            alone = await one_by_one(slack, receiver)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    return [*at_once, *alone]


async def turn(message: Message, thread: DurableThread) -> None:
    """As with a model that answers at once and runs one cell."""
    async with thread.working():
        message = await thread.introduce(message)
        await thread.progress(Noted("Reading sales.csv"))
        await thread.progress(CellStarted(1, "sum(x)"))
        await thread.progress(CellFinished(1, Execution(Outcome.OK, "5", 0.1)))
        await thread.progress(Writing("The sum is five. "))
        await thread.post(Output("The sum is five."), f"{message.id}:answer")


async def one_turn(slack: FakeSlack, receiver: RecordingReceiver) -> str:
    message = await slack.says("<@UBOT> what is the sum?")
    await receiver.settle()
    return str(message["ts"])


async def many_at_once(slack: FakeSlack, receiver: RecordingReceiver) -> list[Figure]:
    loops = [loop_milliseconds() for _ in range(5)]
    slack.calls.clear()
    written = [slack.writes("<@UBOT> what is the sum?") for _ in range(THREADS)]
    began = time.time()
    events = [event for message in written for event in slack.events_of(message)[:1]]
    await asyncio.gather(*(slack.deliver(event) for event in events))
    await receiver.settle()
    signs, texts = firsts(slack, began)
    if not len(signs) == len(texts) == THREADS:
        raise RuntimeError(f"{len(signs)} signs and {len(texts)} texts for {THREADS} questions")
    reference = f"a loop of one million additions: {statistics.median(loops):.0f} ms"
    return [
        Figure("slack.event_to_sign_p95", p95(signs), "ms", reference, None, "≤ 300 ms"),
        Figure("slack.event_to_first_text_p95", p95(texts), "ms", reference, None, "≤ 500 ms"),
    ]


def firsts(slack: FakeSlack, began: float) -> tuple[list[float], list[float]]:
    """Seconds until Slack was told the first of each thread: that it is worked on, and some text of the answer."""
    threads = {post["ts"]: post["thread_ts"] for post in slack.posts("C1")}
    signs, texts = dict[str, float](), dict[str, float]()
    for call in slack.calls:
        thread = str(call.args.get("thread_ts") or threads.get(call.args.get("ts")))
        if call.method in {"agents.sessions.setStatus", "chat.startStream"}:
            signs.setdefault(thread, call.at - began)
        if call.method in {"chat.startStream", "chat.appendStream"} and "markdown_text" in repr(call.args):
            texts.setdefault(thread, call.at - began)
    return list(signs.values()), list(texts.values())


async def one_by_one(slack: FakeSlack, receiver: RecordingReceiver) -> list[Figure]:
    loops = [loop_milliseconds() for _ in range(5)]
    slack.calls.clear()
    began = time.process_time()
    for _ in range(TURNS):
        await one_turn(slack, receiver)
    computed = (time.process_time() - began) / TURNS * 1000
    counted = Counter(call.method for call in slack.calls)
    named = ", ".join(f"{method} {count / TURNS:g}" for method, count in counted.most_common())
    reference = f"a loop of one million additions: {statistics.median(loops):.0f} ms"
    return [
        Figure("slack.calls_per_turn", round(len(slack.calls) / TURNS, 2), "calls", named, None, "≤ 10"),
        Figure(
            "slack.own_time", round(computed, 2), "ms", f"{reference}; the fake's included", None, "≤ 80 ms"
        ),
    ]


def p95(seconds: Sequence[float]) -> float:
    return round(statistics.quantiles(seconds, n=20)[-1] * 1000, 1)
