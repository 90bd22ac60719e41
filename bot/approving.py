"""Hosts that code was refused: people are asked, the turn waits for them without anybody, and hears what they said.

A turn that goes on after that finds in its journal what it has asked and what was decided.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.execution import Execution, Host
from bot.journal import Journal
from bot.messages import Noted
from bot.ports import Session, Thread
from bot.progress import Show
from bot.sentences import say
from bot.stopping import Parked
from bot.store.approvals import Approvals, Decision, Question
from bot.transcript import DataMode

log = structlog.get_logger()

QUESTIONS = 3
"""Of one turn: code can name any number of hosts."""
LOOK_SECONDS = 1.0
"""How soon a running cell loses a host that people take back."""
HOUR = 3600

_TOLD = {
    Decision.ONCE: "People were asked about {host} and allow it for this question: run the code again.",
    Decision.THREAD: "People were asked about {host} and allow it in this thread: run the code again.",
    Decision.DENIED: "People were asked about {host} and do not allow it: do not try it again.",
    Decision.EXPIRED: "People were asked about {host} and nobody has decided in time: do not try it again.",
    Decision.REVOKED: "People have taken back that {host} may be reached: do not try it again.",
}


@dataclass(slots=True)
class Approving:
    """Of one turn, in the hands of one worker."""

    approvals: Approvals
    journal: Journal
    thread: Thread
    locale: str
    data: DataMode
    seconds: float
    """How long people may take."""
    show: Show
    _asked: set[Host] = field(default_factory=set[Host])

    async def about(self, code: str, execution: Execution) -> list[str]:
        """What the model is told of the hosts that the cell was refused. Each is asked for once in a turn.

        Raises `Parked` until people have decided, `Fenced`.
        """
        hosts = self._unasked(execution)
        if not hosts:
            return []
        self._asked.update(hosts)
        asked: dict[str, str] = await self.journal.next("asked", lambda _: self._ask(hosts))
        if not asked:
            return []
        decided: dict[str, str] = await self.journal.next("decided", lambda _: self._decided(asked))
        return [
            _TOLD[Decision(decided[question])].format(host=self._named(host, code))
            for question, host in asked.items()
            if question in decided
        ]

    @asynccontextmanager
    async def reaching(self, session: Session) -> AsyncIterator[None]:
        """For a cell: what people allow can be reached while they do, whoever asked and whenever that was."""
        hosts = await self._allowed()
        await session.allow(hosts)
        keeping = asyncio.ensure_future(self._keep(session, hosts)) if hosts else None
        try:
            yield
        finally:
            if keeping:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)

    def _unasked(self, execution: Execution) -> list[Host]:
        wanted = [Host(each.host, each.port) for each in execution.receipts if each.may_be_asked_for]
        new = [host for host in dict.fromkeys(wanted) if host not in self._asked]
        return new[: max(0, QUESTIONS - len(self._asked))]

    async def _ask(self, hosts: list[Host]) -> dict[str, str]:
        """The hosts by their questions. Those that could not be asked stay refused."""
        asked = {}
        for host in hosts:
            turn = self.journal.hold.turn
            id_ = hashlib.blake2b(f"{turn} {host.name}:{host.port}".encode(), digest_size=12).hexdigest()
            question = Question(id_, self.journal.thread, turn, host)
            # First: they may be quick.
            await self.approvals.add(question, self.journal.hold, self.seconds)
            hours = max(1, round(self.seconds / HOUR))
            try:
                await self.thread.ask(say(self.locale, "host_asked", host=str(host), hours=hours), id_)
            except PlatformUnavailable as error:
                log.warning("host.not_asked", host=str(host), detail=str(error))
                await self.approvals.withdraw(id_)
            else:
                log.info("host.asked", host=str(host))
                asked[id_] = str(host)
        return asked

    async def _decided(self, asked: dict[str, str]) -> dict[str, str]:
        decisions = await self.approvals.decisions(asked)
        waiting = [asked[question] for question, decision in decisions.items() if decision is None]
        if waiting:
            self.show(Noted(say(self.locale, "host_waiting", hosts=", ".join(waiting))))
            raise Parked
        for question, decision in decisions.items():
            if decision is Decision.EXPIRED:
                await self.thread.settle(say(self.locale, "host_expired", host=asked[question]), question)
        return {question: str(decision) for question, decision in decisions.items()}

    def _named(self, host: str, code: str) -> str:
        """In schema mode a name must not say what code has found in the data."""
        return host if self.data == "full" or host in code else "that host"

    async def _allowed(self) -> frozenset[Host]:
        return await self.approvals.allowed(self.journal.thread, self.journal.hold.turn)

    async def _keep(self, session: Session, hosts: frozenset[Host]) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                now = await self._allowed()
            except StoreUnavailable:
                # Nobody knows what people allow.
                now = frozenset()
            if now != hosts:
                hosts = now
                await session.allow(hosts)
