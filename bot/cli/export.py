"""`plotline export`: a thread as something that runs elsewhere, or all that is held of a person."""

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from bot import exporting, holdings, zipping
from bot.cli import local, people, results
from bot.cli.ending import Code, Ended
from bot.cli.sandbox import open_sandbox
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.config import Settings
from bot.errors import BotError
from bot.exporting import Found, NothingThere
from bot.messages import ThreadId
from bot.store.audit import Event
from bot.store.store import Store


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        async with open_store(settings) as store:
            if arguments.user:
                return await _person(arguments, settings, store)
            return await _thread(arguments, settings, store)
    except BotError as error:
        raise ended(error, settings) from error
    except OSError as error:
        raise Ended(Code.USAGE, f"It cannot be written: {local.reason(error)}.") from error


async def _person(arguments: argparse.Namespace, settings: Settings, store: Store) -> int:
    files: dict[str, bytes | str | Path] = {}
    those = await people.found(store, arguments.user)
    for team, user in those:
        content = await holdings.everything_of(store, team, user)
        folder = f"{_safe(team)}/" if len(those) > 1 else ""
        files |= {f"{folder}{name}": each for name, each in content.items()}
        await store.audit.note(
            Event.EXPORTED, team=team, user=local.operator(settings), what="user", files=len(content)
        )
    to = arguments.out or Path(f"plotline-{_safe(arguments.user)}.zip")
    await asyncio.to_thread(zipping.write, to, files)
    _tell(arguments, f"All that is held of {arguments.user}: {to}", {"file": str(to.absolute())})
    return Code.OK


async def _thread(arguments: argparse.Namespace, settings: Settings, store: Store) -> int:
    thread = ThreadId(arguments.thread if ":" in arguments.thread else f"{local.PLATFORM}{arguments.thread}")
    try:
        found = await exporting.found(store, thread, settings.locale)
    except NothingThere as error:
        raise Ended(Code.USAGE, f"Nothing was asked in {thread}, or it is gone.") from error
    if not arguments.no_run:
        async with open_sandbox(settings, store) as sandbox:
            found = await exporting.run_again(found, store, sandbox, settings.limits.cell_seconds)
    to = arguments.out or Path(f"plotline-{_safe(thread)}.{arguments.format}")
    await asyncio.to_thread(exporting.write, found, arguments.format, to)
    await store.audit.note(
        Event.EXPORTED, thread=thread, user=local.operator(settings), what="thread", format=arguments.format
    )
    _tell(arguments, f"{to}\n{_stamped(found)}", {"file": str(to.absolute()), **_facts(found)})
    return Code.OK if found.work.stamp is None or found.work.stamp.is_good else Code.FAILED


def _stamped(found: Found) -> str:
    stamp = found.work.stamp
    if stamp is None:
        return "It was not run again."
    if stamp.broke is not None:
        return f"Run again: cell {stamp.broke} of {stamp.of} ended in another way than in the thread: {stamp.why}."
    differ = f"; cells {', '.join(map(str, stamp.differ))} put out something else" if stamp.differ else ""
    return f"Run again in a fresh sandbox: all {stamp.of} cells ended as in the thread{differ}."


def _facts(found: Found) -> dict[str, object]:
    stamp = found.work.stamp
    return {
        "cells": len(found.work.cells),
        "files": sorted(found.files),
        "ran": stamp.ran if stamp else None,
        "good": stamp.is_good if stamp else None,
        "differ": list(stamp.differ) if stamp else None,
    }


def _tell(arguments: argparse.Namespace, sentence: str, facts: Mapping[str, object]) -> None:
    if arguments.json:
        results.write({"status": "ok", **facts})
    else:
        sys.stdout.write(f"{sentence}\n")


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
