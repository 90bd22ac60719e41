"""A worker that is a process of its own: `begun` starts one."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.turns.opened import Bot
from bot import log
from bot.ports import Request
from bot.transcript import Reply


class Thinking:
    """A model that has not answered yet."""

    name = "thinking"
    context_tokens = 128_000
    sees_images = False

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


@asynccontextmanager
async def begun(bot: Bot, *, answers: bool = True) -> AsyncIterator[asyncio.subprocess.Process]:
    """It works once `go` lets it. Killed in the end. Where it does not answer, its turns never end."""
    facts = json.dumps({"folder": str(bot.folder), "address": bot.address, "answers": answers})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, facts), stdin=pipe, stdout=pipe
    )
    try:
        await said(process, "ready")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def go(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.write(b"go\n")


async def said(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout
    line = (await process.stdout.readline()).decode().strip()
    if line != word:
        raise RuntimeError(f"a worker said {line!r} in place of {word!r}")


async def work(folder: str, address: str, *, answers: bool) -> None:
    log.configure("warning", "text")
    bot = Bot(Path(folder), address)
    if not answers:
        bot = replace(bot, model=Thinking())
    async with bot.worker(began=lambda: print("began", flush=True) if not answers else None) as worker:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await worker.work()


if __name__ == "__main__":
    asyncio.run(work(**json.loads(sys.argv[1])))
