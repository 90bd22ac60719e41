"""What a turn's steps cost, on whose account: reserved before, settled with the step."""

from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import prices
from bot.budgets import Amounts, Budgets
from bot.errors import BotError, LimitReached
from bot.execution import Artifact, Execution, Host, Picture, Profile, WorkspaceFile
from bot.journal import Journal
from bot.messages import Author
from bot.policy import Narrowed, Refusal
from bot.ports import Model, Request, Session
from bot.store.database import Database
from bot.store.steps import Also
from bot.store.usage import Payer, Spent, counted
from bot.transcript import Reply, Usage, tokens_of

REPLY_TOKENS = 8_000
"""Reserved for what the model writes, its thoughts included, where a request does not say how much it may."""
MARGIN = 1.3
"""Our count of what it reads is good to a third."""


@dataclass(slots=True)
class Spending:
    """Of one turn, in the hands of one worker."""

    database: Database
    journal: Journal
    author: Callable[[], Author]
    """Of the question, by the name, language and time zone that are known by now."""
    model: str
    """Its name, for its price."""
    budgets: Budgets | None
    """None where nothing is bounded."""
    narrowed: Narrowed | None = None
    """What has been decided for their team or guild. Where nobody has asked yet, it is asked for once a turn."""
    _read: dict[str, int] = field(default_factory=dict[str, int])
    """Tokens that the model has read for a step, as we count them."""
    _reserved: set[str] = field(default_factory=set[str])
    """Steps that hold something."""

    async def before_reply(self, step: str, request: Request) -> None:
        """Raises `LimitReached`, `Fenced`."""
        self._read[step] = reads = request.tokens
        most = Usage(int(reads * MARGIN), request.max_output_tokens or REPLY_TOKENS)
        # It has been read, and is to be paid for, also where nobody waited for the reply.
        await self._reserve(step, self._cost(most), self._cost(Usage(reads)))

    async def before_cell(self, step: str, seconds: float) -> None:
        """Raises `LimitReached`, `Fenced`."""
        await self._reserve(step, {"seconds": seconds}, {})

    async def failed(self, step: str) -> None:
        if self.budgets:
            await self.budgets.release(self._payer.turn, step)
            self._reserved.discard(step)

    def asking(self, step: str, reply: Reply) -> Also:
        spent = Spent(self.model, reply.usage, prices.cost_usd(reply.usage, self.model))
        # Some endpoints do not say what they have counted.
        ours = Usage(self._read.get(step, 0), tokens_of([reply]))
        return self._counted(step, spent, self._cost(reply.usage if reply.usage != Usage() else ours))

    def running(self, step: str, execution: Execution) -> Also:
        spent = Spent(sandbox_seconds=execution.seconds)
        return self._counted(step, spent, {"seconds": execution.seconds})

    def close(self) -> None:
        """The turn ends, or waits for people: written along with that.

        Where nothing more is held than that the turn was counted, that note is swept away with those of other turns.
        """
        may_hold = self._reserved or self.journal.has_begun
        if self.budgets and (may_hold or self.budgets.bounds_running(self._payer)):
            self.journal.write_along(self.budgets.closed(self._payer.turn))

    @property
    def _payer(self) -> Payer:
        return Payer(self.journal.hold.turn, self.journal.thread, self.author().id)

    def _cost(self, usage: Usage) -> Amounts:
        usd = prices.cost_usd(usage, self.model)
        tokens = float(usage.input_tokens + usage.output_tokens)
        return {"tokens": tokens} if usd is None else {"tokens": tokens, "usd": usd}

    async def _reserve(self, step: str, amounts: Amounts, least: Amounts) -> None:
        """What led to the step is in the store with it: before anything leaves for the model, say."""
        budgets, journal = self.budgets, self.journal
        if not budgets:
            await journal.write()
            return
        narrowed = self.narrowed
        if narrowed is None:
            narrowed = self.narrowed = await budgets.narrowed(self._payer)

        async def reserve(unwritten: Also) -> None:
            refusal = await budgets.reserve(
                self._payer, journal.hold, step, amounts, least, narrowed, unwritten
            )
            if refusal:
                raise used_up(refusal, self.author())

        self._reserved.add(step)
        await journal.write_with(reserve)

    def _counted(self, step: str, spent: Spent, amounts: Amounts) -> Also:
        count = counted(self.database, self._payer, step, spent)
        settle = self.budgets.settled(self._payer, step, amounts) if self.budgets else None

        async def write(connection: Any) -> None:
            await count(connection)
            if settle:
                await settle(connection)
                self._reserved.discard(step)

        return write


def used_up(refusal: Refusal, author: Author) -> LimitReached:
    """Ends a turn with what was done so far."""
    return LimitReached(refusal.sentence, sentence=refusal.sentence, **refusal.facts_for(author))


@dataclass(frozen=True, slots=True)
class PaidModel:
    """Asked for the next reply only once it can be paid for. Its replies are recorded by whoever asks."""

    model: Model
    spending: Spending

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
        step = self.spending.journal.name_of_next("reply")
        await self.spending.before_reply(step, request)
        try:
            return await self.model.reply(request, on_text)
        except BotError:
            await self.spending.failed(step)
            raise


def paid_sessions(
    open_session: Callable[[], Coroutine[Any, Any, Session]], spending: Spending
) -> Callable[[], Coroutine[Any, Any, Session]]:
    """The same, but their cells run only once they can be paid for."""

    async def opened() -> Session:
        return _PaidSession(await open_session(), spending)

    return opened


@dataclass(frozen=True, slots=True)
class _PaidSession:
    session: Session
    spending: Spending

    async def run(
        self, code: str, *, cell_id: str, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> Execution:
        step = self.spending.journal.name_of_next("cell")
        await self.spending.before_cell(step, seconds)
        try:
            return await self.session.run(code, cell_id=cell_id, seconds=seconds, on_text=on_text)
        except BotError:
            await self.spending.failed(step)
            raise

    @property
    def lost_variables(self) -> tuple[str, ...] | None:
        return self.session.lost_variables

    async def interrupt(self) -> None:
        await self.session.interrupt()

    async def allow(self, hosts: Collection[Host]) -> None:
        await self.session.allow(hosts)

    async def put(self, name: str, source: Path) -> None:
        await self.session.put(name, source)

    async def rename(self, name: str, to: str) -> None:
        await self.session.rename(name, to)

    async def files(self) -> tuple[WorkspaceFile, ...]:
        return await self.session.files()

    async def profile(self, name: str) -> Profile:
        return await self.session.profile(name)

    async def picture(self, artifact: Artifact, longest_side: int) -> Picture | None:
        return await self.session.picture(artifact, longest_side)
