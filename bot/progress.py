"""Progress on its way to the thread, without the turn waiting for the platform."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.messages import Update, Writing
from bot.ports import Thread

LAST_WORD_SECONDS = 5
"""How long the end of a turn waits for progress that is still on its way."""

Show = Callable[[Update], None]


@asynccontextmanager
async def progress_to(thread: Thread) -> AsyncIterator[Show]:
    """Gives a function that shows an update, at once and in order; of two texts in a row only the newer one."""
    waiting: deque[Update] = deque()
    news = asyncio.Event()
    ended = False

    def show(update: Update) -> None:
        if waiting and isinstance(waiting[-1], Writing) and isinstance(update, Writing):
            waiting.pop()
        waiting.append(update)
        news.set()

    async def forward() -> None:
        while waiting or not ended:
            await news.wait()
            news.clear()
            while waiting:
                await thread.progress(waiting.popleft())

    # Not a TaskGroup: an error in the body would come out wrapped.
    forwarding = asyncio.ensure_future(forward())
    try:
        yield show
    finally:
        ended = True
        news.set()
        done, late = await asyncio.wait({forwarding}, timeout=LAST_WORD_SECONDS)
        for task in late:
            task.cancel()
        for task in done:
            task.result()  # never fails, says the port: if it did, the turn must hear of it
