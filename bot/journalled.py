"""The model and the session as a turn sees them: what was recorded comes back, all else is done and recorded."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.codecs import Codecs
from bot.execution import Artifact, Execution, Picture
from bot.journal import Journal
from bot.ports import Model, Request, Session
from bot.store.steps import Also
from bot.transcript import Reply

Open = Callable[[], Coroutine[Any, Any, Session]]
Reaching = Callable[[Session], AbstractAsyncContextManager[None]]
"""While it lasts, the session's code reaches what people have allowed."""


@asynccontextmanager
async def nothing_more(_: Session) -> AsyncIterator[None]:
    """Where nobody is asked: only what the deployment allows."""
    yield


@dataclass(frozen=True, slots=True)
class JournalledModel:
    model: Model
    journal: Journal
    codecs: Codecs
    spent: Callable[[str, Reply], Also]
    """What a reply has cost, by the name of its step."""
    has_session: Callable[[], bool]
    """Whether one is to be given back behind the last reply, which takes its time."""

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def context_tokens(self) -> int:
        return self.model.context_tokens

    @property
    def sees_images(self) -> bool:
        return self.model.sees_images

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        name = self.journal.name_of_next("reply")
        reply = await self.journal.next(
            "reply",
            lambda _: self.model.reply(request, on_text),
            self.codecs.reply,
            lambda reply: self.spent(name, reply),
            may_be_repeated=True,
        )
        # The last one becomes the turn's output at once, and is recorded with it. Behind any other one, something
        # follows that may take its time.
        is_last = reply.text.strip() and not (reply.tool_calls or reply.truncated)
        if self.has_session() or not is_last:
            await self.journal.write()
        return reply


@dataclass(slots=True)
class JournalledSession:
    """Its session is opened only once something has to be done in it."""

    open: Open
    journal: Journal
    codecs: Codecs
    spent: Callable[[str, str, Execution], Also]
    """What a cell has cost, by the name of its step and its code."""
    reaching: Reaching = nothing_more
    _running: Session | None = None

    async def ready(self) -> None:
        """Opens the session, unless the next cell has run already. Raises what opening one raises."""
        if self.journal.name_of_next("cell") not in self.journal.recorded:
            await self.open()

    async def run(self, code: str, *, cell_id: str, seconds: float) -> Execution:
        async def effect(_: str) -> Execution:
            self._running = await self.open()
            try:
                async with self.reaching(self._running):
                    return await self._running.run(code, cell_id=cell_id, seconds=seconds)
            finally:
                self._running = None

        name = self.journal.name_of_next("cell")
        return await self.journal.next(
            "cell", effect, self.codecs.execution, lambda execution: self.spent(name, code, execution)
        )

    async def interrupt(self) -> None:
        if self._running:
            await self._running.interrupt()

    async def picture(self, artifact: Artifact, longest_side: int) -> Picture | None:
        async def effect(_: str) -> Picture | None:
            return await (await self.open()).picture(artifact, longest_side)

        # Made anew where it is not there: the file that it shows does not change.
        return await self.journal.next("picture", effect, self.codecs.picture, may_be_repeated=True)
