"""`plotline exec`: cells without a model."""

import argparse
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from adapters.console.inbound import local_path
from adapters.console.thread import ConsoleThread
from bot.attachments import safe_name, unique_name
from bot.cli import local, results
from bot.cli.ending import Code, Ended
from bot.cli.sandbox import open_sandbox
from bot.cli.settings import ended
from bot.cli.stopping import stopped_by_signals
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import AttachmentRefused, BotError
from bot.execution import Execution, Outcome
from bot.messages import Attachment, CellFinished, CellStarted
from bot.ports import Session
from bot.sentences import explain, say, size
from bot.stopping import Stop, Stopped, until_stopped

STDIN = "-"
ENDED = (Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.INTERRUPTED, Outcome.LOST)
"""How cells end that have said nothing of it themselves."""


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    codes = _codes(arguments.cells)
    attachments = local.attachments(arguments.file)
    thread_id = local.thread_id(arguments.thread)
    folder = local.out_folder(arguments.out, thread_id)
    thread = ConsoleThread(thread_id, Console(quiet=arguments.json), folder, settings.locale)
    running = _Running(thread, arguments.timeout or settings.limits.cell_seconds)
    try:
        with stopped_by_signals(running.stop):
            async with (
                open_store(settings) as store,
                open_sandbox(settings, store) as sandbox,
                sandbox.session(thread_id) as session,
            ):
                await _put(session, attachments, settings)
                for code in codes:
                    execution = await running.run(session, code)
                    # A terminal shows it beside the code.
                    if execution.outcome in ENDED and not (arguments.json or sys.stdout.isatty()):
                        sys.stderr.write(f"{say(settings.locale, f'cell_{execution.outcome}')}\n")
                    if running.stop.is_set():
                        break
    except Stopped as error:
        raise Ended(Code.FAILED, "Stopped.") from error
    except BotError as error:
        raise ended(error, settings) from error
    if arguments.json:
        results.write(results.cells(running.executions, running.saved))
    return Code.OK if all(each.outcome is Outcome.OK for each in running.executions) else Code.FAILED


def _codes(files: Sequence[str]) -> list[str]:
    if files.count(STDIN) > 1:
        raise Ended(Code.USAGE, "Only one FILE can be -: stdin has one end.")
    return [_code(each) for each in files]


def _code(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Ended(Code.USAGE, f"{file} cannot be read: {local.reason(error)}.") from error
    except UnicodeDecodeError as error:
        raise Ended(Code.USAGE, f"{file} is not text in UTF-8.") from error


async def _put(session: Session, attachments: Sequence[Attachment], settings: Settings) -> None:
    limits, locale = settings.limits, settings.locale
    names: list[str] = []
    for attachment in attachments:
        names.append(unique_name(safe_name(attachment.name), names))
        try:
            _check_size(attachment, settings)
            await session.put(names[-1], local_path(attachment))
        except AttachmentRefused as error:
            sentence = explain(
                locale,
                error,
                contact=settings.operator_contact,
                name=names[-1],
                limit=size(locale, limits.attachment_bytes),
                workspace=size(locale, limits.workspace_bytes),
            )
            raise Ended(Code.FAILED, sentence) from error


def _check_size(attachment: Attachment, settings: Settings) -> None:
    size_bytes = attachment.size_bytes or 0
    if size_bytes > settings.limits.attachment_bytes:
        shown = size(settings.locale, size_bytes)
        raise AttachmentRefused(attachment.url, sentence="attachment_too_large", size=shown)


@dataclass(slots=True)
class _Running:
    thread: ConsoleThread
    seconds: float
    """For each cell."""
    stop: Stop = field(default_factory=Stop)
    executions: list[Execution] = field(default_factory=list[Execution])
    saved: list[dict[str, Path]] = field(default_factory=list[dict[str, Path]])
    """Copies of the artifacts of each."""

    async def run(self, session: Session, code: str) -> Execution:
        number = len(self.executions) + 1
        async with self.thread.working():
            await self.thread.progress(CellStarted(number, code))
            cell = session.run(code, cell_id=uuid.uuid4().hex, seconds=self.seconds)
            execution = await until_stopped(self.stop, cell, session.interrupt)
            await self.thread.progress(CellFinished(number, execution))
        await self.thread.post_execution(execution)
        self.executions.append(execution)
        self.saved.append(dict(self.thread.saved))
        return execution
