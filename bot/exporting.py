"""A thread's work, to be taken away: run again in a fresh sandbox first."""

import json
import re
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import forgetting, notebook, zipping
from bot.codecs import Codecs, message_from_json
from bot.execution import Artifact, Execution
from bot.folders import team_of
from bot.messages import ThreadId
from bot.notebook import IMAGES, Cell, Part, Shown, Stamp, Work
from bot.ports import Sandbox, Session
from bot.store.store import Store
from bot.store.tables import threads, turns
from bot.store.transcripts import NEVER_SAID
from bot.tools import code_in

log = structlog.get_logger()

Format = Literal["ipynb", "py", "md", "zip"]
PLATFORM = "export:"
"""Of the threads in which code is run again."""
BROKEN_OFF_SECONDS = 3600.0
"""So old, such a thread is one whose process has died."""
MODULES_LISTED = 50
_VERSIONS = """\
import importlib.metadata as _metadata, json as _json, sys as _sys
_dists = _metadata.packages_distributions()
_names = {dist for name in %s if name in _sys.modules for dist in _dists.get(name, ())}
print(_json.dumps({"python": _sys.version.split()[0], "packages": {n: _metadata.version(n) for n in sorted(_names)}}))
"""


class NothingThere(Exception):
    """Nothing was asked there, or all of it is gone."""


@dataclass(frozen=True, slots=True)
class Found:
    work: Work
    files: dict[str, Path] = field(default_factory=dict[str, Path])
    """What lies beside it, by the name there."""


class Ending(Protocol):
    """What a sandbox has for threads that are made for one use."""

    def end(self, thread: ThreadId, container: str | None = None) -> Awaitable[None]: ...


class OwnSandbox(Sandbox, Ending, Protocol): ...


async def found(store: Store, thread: ThreadId, locale: str = "en") -> Found:
    """The thread's work, as the journal of its turns has it. Raises `NothingThere`."""
    rows = await _turns(store, thread)
    if not rows:
        raise NothingThere(thread)
    uploads = _Uploads.of(rows)
    parts = [await _part(store, thread, row, results, uploads) for row, results in rows]
    blobs, team = store.blobs, team_of(thread)
    places = {name: await blobs.local(team, sha256) for name, sha256 in uploads.lying.items()}
    there = {name: path for name, path in places.items() if path.exists()}
    return Found(Work(thread, tuple(parts), locale), there)


async def run_again(one: Found, store: Store, sandbox: OwnSandbox, cell_seconds: float) -> Found:
    """The same, stamped with what came of running it from the first cell to the last, in a sandbox of its own.

    Raises `SandboxError`.
    """
    thread = ThreadId(PLATFORM + secrets.token_hex(8))
    try:
        async with sandbox.session(thread) as session:
            for name, path in one.files.items():
                await session.put(name, path)
            stamp = await _run(session, one.work, cell_seconds)
            python, packages = await _versions(session, one.work, cell_seconds)
    finally:
        await sandbox.end(thread)
        await forgetting.forget_thread(store, thread, "")
    return replace(one, work=replace(one.work, stamp=stamp, python=python, packages=packages))


async def forget_broken_off(store: Store) -> list[ThreadId]:
    """Copies of people's files in threads that nobody runs code in any more; which threads these were."""
    old = (
        select(threads.c.id)
        .where(threads.c.id.startswith(PLATFORM, autoescape=True))
        .where(threads.c.created_at < time.time() - BROKEN_OFF_SECONDS)
    )

    async def find(connection: AsyncConnection) -> list[ThreadId]:
        return [ThreadId(each) for each in await connection.scalars(old)]

    found = await store.database.read(find)
    for thread in found:
        await forgetting.forget_thread(store, thread, "")
    return found


def write(one: Found, form: Format, to: Path) -> None:
    """Blocks."""
    if form == "zip":
        zipping.write(to, in_zip(one))
        return
    writers = {"ipynb": notebook.to_ipynb, "py": notebook.to_py, "md": notebook.to_md}
    to.write_text(writers[form](one.work), "utf-8")


def in_zip(one: Found) -> dict[str, bytes | str | Path]:
    """All forms, the files, and the versions."""
    return {
        "notebook.ipynb": notebook.to_ipynb(one.work),
        "notebook.py": notebook.to_py(one.work),
        "notebook.md": notebook.to_md(one.work),
        "requirements.txt": notebook.requirements(one.work),
        **notebook.pictures(one.work),
        **one.files,
    }


# Reading the journal

Rows = list[tuple[Any, dict[str, Any]]]
"""A turn, and the results of its steps by name."""


async def _turns(store: Store, thread: ThreadId) -> Rows:
    async def work(connection: AsyncConnection) -> list[Any]:
        found = await connection.execute(
            select(turns)
            .where(turns.c.thread == thread)
            .where(turns.c.outcome.is_(None) | turns.c.outcome.not_in([*NEVER_SAID, "merged"]))
            .order_by(turns.c.number)
        )
        return list(found)

    return [(row, await store.steps.of(row.id)) for row in await store.database.read(work)]


async def _part(
    store: Store, thread: ThreadId, row: Any, results: dict[str, Any], uploads: "_Uploads"
) -> Part:
    message = message_from_json(results.get("introduced") or row.message["message"])
    codecs = Codecs(store.blobs, team_of(thread))
    codes = await _runnable(codecs, row, results)
    cells = []
    for number, code in enumerate(codes, 1):
        if f"cell:{number}" not in results:
            break
        execution = await codecs.execution.load(results[f"cell:{number}"])
        cells.append(await _cell(code, execution))
    answer = results["output"][1]["text"] if "output" in results else ""
    names, placing = uploads.placed(row.id)
    return Part(
        asker=message.author.name,
        asked_at=message.sent_at,
        question=message.text,
        files=names,
        placing=placing,
        cells=tuple(cells),
        answer=answer,
    )


async def _runnable(codecs: Codecs, row: Any, results: dict[str, Any]) -> list[str]:
    """Code that the turn had run, in order; and perhaps some more, that it did not come to."""
    if "codes" in row.message:
        return list(row.message["codes"])
    codes: list[str] = []
    number = 1
    while f"reply:{number}" in results:
        reply = await codecs.reply.load(results[f"reply:{number}"])
        for call in reply.tool_calls:
            code = code_in(call, cut_off=reply.truncated)
            codes += [code] if isinstance(code, str) else []
        number += 1
    return codes


async def codes_of(store: Store, turn: str) -> list[str]:
    """What the turn had run, in order."""

    async def work(connection: AsyncConnection) -> Any:
        found = await connection.execute(select(turns).where(turns.c.id == turn))
        return found.first()

    row = await store.database.read(work)
    return await _runnable(Codecs(store.blobs, ""), row, await store.steps.of(turn)) if row else []


async def _cell(code: str, execution: Execution) -> Cell:
    shown = tuple([_shown(each) for each in execution.artifacts])
    return Cell(code, execution.outcome, execution.text, execution.error, shown)


def _shown(artifact: Artifact) -> Shown:
    try:
        data = artifact.path.read_bytes() if artifact.media_type in IMAGES else None
    except FileNotFoundError:
        data = None
    return Shown(artifact.name, artifact.media_type, data)


@dataclass(slots=True)
class _Uploads:
    """Which file lay where when: names are given up to newer files."""

    lying: dict[str, str] = field(default_factory=dict[str, str])
    """Hashes by the names that files have beside the notebook."""
    _by_turn: dict[str, tuple[tuple[str, ...], str]] = field(
        default_factory=dict[str, tuple[tuple[str, ...], str]]
    )

    @classmethod
    def of(cls, rows: Rows) -> "_Uploads":
        uploads = cls()
        taken = {row.id: results["prompt"]["taken"] for row, results in rows if "prompt" in results}
        new = {turn: _new(each) for turn, each in taken.items()}
        names = [name for each in new.values() for name in each]
        for number, (turn, files) in enumerate(new.items(), 1):
            copies = {}
            for name, sha256 in files.items():
                # Whatever has its name alone lies there from the start.
                place = name if names.count(name) == 1 else f"uploads/{number}/{name}"
                uploads.lying[place] = sha256
                if place != name:
                    copies[place] = name
            moves = {name: older for name, older in taken[turn]["renamed"].items() if name in files}
            uploads._by_turn[turn] = tuple(files), notebook.placing(moves, copies)
        return uploads

    def placed(self, turn: str) -> tuple[tuple[str, ...], str]:
        return self._by_turn.get(turn, ((), ""))


def _new(taken: dict[str, Any]) -> dict[str, str]:
    looked_into = [profile["name"] for profile in taken["profiles"]]
    return {name: taken["uploads"][name]["sha256"] for name in looked_into if name in taken["uploads"]}


# Running it again


async def _run(session: Session, work: Work, seconds: float) -> Stamp:
    differ: list[int] = []
    number, total = 0, len(work.cells)
    for part in work.parts:
        if part.placing:
            await session.run(part.placing, cell_id=secrets.token_hex(16), seconds=seconds)
        for cell in part.cells:
            number += 1
            execution = await session.run(cell.code, cell_id=secrets.token_hex(16), seconds=seconds)
            if execution.outcome is not cell.outcome:
                why = execution.error.name if execution.error else str(execution.outcome)
                return Stamp(_now(), number - 1, total, tuple(differ), number, why)
            if _plain(execution.text) != _plain(cell.text):
                differ.append(number)
    return Stamp(_now(), number, total, tuple(differ))


async def _versions(session: Session, work: Work, seconds: float) -> tuple[str, dict[str, str]]:
    code = _VERSIONS % json.dumps(_modules(work))
    execution = await session.run(code, cell_id=secrets.token_hex(16), seconds=seconds)
    try:
        said = json.loads(execution.text.strip().splitlines()[-1])
        packages = {str(name): str(version) for name, version in said["packages"].items()}
        return str(said["python"]), packages
    except (ValueError, LookupError, TypeError, AttributeError):
        log.info("versions.not_known", outcome=execution.outcome)
        return "", {}


def _modules(work: Work) -> list[str]:
    """What the code imports, and what pandas does behind its back."""
    names: dict[str, None] = {}
    for cell in work.cells:
        names |= dict.fromkeys(notebook.imported(cell.code))
    return [*list(names)[:MODULES_LISTED], "openpyxl", "pyarrow", "xlrd"]


def _plain(text: str) -> str:
    """Without what changes from one kernel to the next."""
    return re.sub(r"(In\s?\[|<ipython-input-)\d+", "", text)


def _now() -> datetime:
    return datetime.now(UTC)
