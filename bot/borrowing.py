"""A turn's session: opened when it is first needed, given back when the turn ends."""

from contextlib import AsyncExitStack

from bot.messages import Noted, ThreadId
from bot.ports import Sandbox, Session
from bot.progress import Show
from bot.sentences import say
from bot.store.fence import Hold


class Borrowed:
    """Given back with `stack`. People hear how long they have to wait where there is no room."""

    def __init__(  # noqa: PLR0913, PLR0917  # whose, for whom, and who hears of it
        self,
        sandbox: Sandbox,
        thread: ThreadId,
        hold: Hold,
        stack: AsyncExitStack,
        show: Show,
        locale: str,
    ) -> None:
        self._sandbox = sandbox
        self._thread = thread
        self._hold = hold
        self._stack = stack
        self._show = show
        self._locale = locale
        self._session: Session | None = None

    async def open(self) -> Session:
        if self._session is None:
            opening = self._sandbox.session(self._thread, self._waiting, self._hold)
            self._session = await self._stack.enter_async_context(opening)
        return self._session

    @property
    def is_open(self) -> bool:
        return self._session is not None

    def _waiting(self, before: int) -> None:
        self._show(Noted(say(self._locale, "waiting_for_sandbox", place=before + 1)))
