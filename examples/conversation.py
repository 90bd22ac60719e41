"""The demo's conversation: each task is asked, answered, shown, and in the end judged."""

import json
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from adapters.console.inbound import to_attachment, to_message
from adapters.console.thread import ConsoleThread
from bot import intake
from bot.cli import local
from bot.cli.ending import Code
from bot.cli.parts import open_parts
from bot.cli.settings import NOT_SET_UP, ended
from bot.cli.stopping import stopped_by_signals
from bot.config import Settings
from bot.errors import BotError
from bot.execution import Execution, Outcome
from bot.messages import ThreadId
from bot.ports import Sandbox, Session
from bot.stopping import Stop
from bot.turn import Parts, TurnResult
from examples.tasks import TASKS, Task
from sandbox.pool import DockerSandbox

SAMPLES = Path(__file__).parent
OUT = Path("plotline-out", "demo")
LOOK_SECONDS = 60


async def hold(settings: Settings) -> Code:
    thread_id = local.thread_id(f"demo-{secrets.token_hex(3)}")
    console = Console(highlight=False)
    thread = ConsoleThread(thread_id, console, local.out_folder(OUT, thread_id), settings.locale)
    stop = Stop()
    try:
        with stopped_by_signals(stop):
            async with open_parts(settings) as parts:
                try:
                    results = await _asked(thread, console, parts, settings, stop)
                    verdicts = [] if stop.is_set() else await judged(results, parts.sandbox, thread_id)
                finally:
                    await _end(parts.sandbox, thread_id)
    except BotError as error:
        raise ended(error, settings) from error
    if not verdicts:
        return Code.FAILED
    console.print()
    for task, result, wrong in zip(TASKS, results, verdicts, strict=True):
        console.print(_verdict(task, result, wrong), soft_wrap=True)
    console.print(f"\nThe files are in {OUT}.")
    return Code.FAILED if any(verdicts) else Code.OK


async def _asked(
    thread: ConsoleThread, console: Console, parts: Parts, settings: Settings, stop: Stop
) -> list[TurnResult]:
    """All tasks one after the other in one thread, until somebody stops them.

    Raises a `BotError` where something is not set up: the other answers would be the same.
    """
    results: list[TurnResult] = []
    for task in TASKS:
        if stop.is_set():
            break
        console.print(_question(task), soft_wrap=True)
        attachments = [to_attachment(SAMPLES / task.file)] if task.file else []
        message = to_message(task.question, attachments, local.asker(settings))
        result = await intake.receive(message, thread, parts, stop)
        if isinstance(result.error, NOT_SET_UP):
            raise result.error
        results.append(result)
    return results


async def judged(results: Sequence[TurnResult], sandbox: Sandbox, thread: ThreadId) -> list[str]:
    """What is wrong with each task's result, empty where nothing is. A session of its own looks at the files."""
    async with sandbox.session(_judging(thread)) as session:
        await _run(session, (SAMPLES / "inspection.py").read_text("utf-8"))
        for name in {task.file for task in TASKS} - {""}:
            await session.put(name, SAMPLES / name)
        return [await _wrong(task, result, session) for task, result in zip(TASKS, results, strict=True)]


async def _wrong(task: Task, result: TurnResult, session: Session) -> str:
    if result.status != "ok":
        return "the turn did not end well"
    pictures: list[str] = []
    for number, artifact in enumerate(each for each in result.artifacts if each.is_image):
        pictures.append(f"{number}-{artifact.name}")
        await session.put(pictures[-1], artifact.path)
    looking = f"import json\nfile, pictures = {task.file!r}, {pictures!r}\nprint(json.dumps({task.look}))"
    seen = await _run(session, looking)
    if seen.outcome is not Outcome.OK:
        return f"its files cannot be looked at: {seen.error.message if seen.error else seen.outcome}"
    found: Any = json.loads(seen.text)
    return task.judge(result, found)


async def _run(session: Session, code: str) -> Execution:
    return await session.run(code, cell_id=uuid.uuid4().hex, seconds=LOOK_SECONDS)


def _judging(thread: ThreadId) -> ThreadId:
    return ThreadId(f"{thread}-judged")


async def _end(sandbox: Sandbox, thread: ThreadId) -> None:
    """Nothing of the demo goes on running. Where a bot serves people, sessions wait for the next question."""
    if isinstance(sandbox, DockerSandbox):
        await sandbox.end(thread)
        await sandbox.end(_judging(thread))


def _question(task: Task) -> Text:
    question = Text.assemble("\n", (f"> {task.question}", "bold cyan"))
    return question.append(f"  [{task.file}]", "cyan") if task.file else question


def _verdict(task: Task, result: TurnResult, wrong: str) -> Text:
    mark = ("✗ ", "bold red") if wrong else ("✓ ", "bold green")
    line = Text.assemble(mark, task.title, (f"  {result.seconds:.1f} s", "dim"))
    return line.append(f"\n  {wrong}", "red") if wrong else line
