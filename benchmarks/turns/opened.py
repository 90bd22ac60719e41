"""All of a bot between the platforms and the sandbox, for one figure: what is outside of it answers at once."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from bot import intake
from bot.admission import Admission
from bot.budgets import Budgets, zone
from bot.desk import Desk
from bot.engine import alive
from bot.engine.bell import Bell, LocalBell
from bot.engine.postgres_bell import PostgresBell
from bot.engine.serving import worker_for
from bot.engine.worker import Worker
from bot.house import House
from bot.limits import Limits
from bot.messages import Above, Attachment, Author, Message, Output, ThreadId, Update
from bot.ports import Model, Request, Sandbox
from bot.rules import BudgetLimits, Rules
from bot.stopping import Stop
from bot.store.budgets import Accounts
from bot.store.claiming import Bounds
from bot.store.store import Store
from bot.store.switches import Switches
from bot.store.tables import turns
from bot.transcript import Reply, ToolCall, ToolResult
from bot.turn import Parts, TurnResult
from bot.visits import Visit, Wish
from tests.fakes.ports import FakeSandbox
from tests.store.postgres import binaries, cluster

SQLITE, POSTGRES = "sqlite", "postgres"


def kinds() -> Sequence[str]:
    """Of stores that can be measured here."""
    if binaries():
        return (SQLITE, POSTGRES)
    print("Postgres is left out: it is not installed here.")
    return (SQLITE,)


@asynccontextmanager
async def address_of(kind: str) -> AsyncIterator[str]:
    """Of a store that is empty. That of SQLite needs none."""
    found = binaries()
    if kind == SQLITE or not found:
        yield ""
        return
    with cluster(found) as running:
        yield await running.new_store()


class Answering:
    """A model that answers in no time at all; where it `asks_for_code`, only once one cell has run."""

    name = "instant"
    context_tokens = 128_000
    sees_images = False

    def __init__(self, *, asks_for_code: bool = False) -> None:
        self._asks_for_code = asks_for_code

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        if self._asks_for_code and not isinstance(list(request.entries)[-1], ToolResult):
            return Reply("", (ToolCall(uuid.uuid4().hex, request.tools[0].name, '{"code": "print(1 + 1)"}'),))
        on_text("It is two.")
        return Reply("It is two.")


@dataclass(slots=True)
class Silent:
    """A thread of a platform that takes everything at once."""

    id: ThreadId
    address: str = ""
    began: Callable[[], None] = lambda: None

    async def whisper(self, text: str, key: str) -> None:
        pass

    async def meet(self, visit: Visit) -> Visit:
        return visit

    async def introduce(self, message: Message) -> Message:
        return message

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        return Above()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        self.began()
        yield

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        raise AssertionError("no attachment here")

    async def progress(self, update: Update) -> None:
        pass

    @property
    def can_ask(self) -> bool:
        return False

    async def ask(self, text: str, question: str) -> None:
        raise AssertionError("nobody is asked here")

    async def settle(self, text: str, question: str) -> None:
        pass

    async def post(self, output: Output, key: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Bot:
    """What a process with the same settings would be."""

    folder: Path
    address: str = ""
    """Of Postgres."""
    model: Model = field(default_factory=Answering)
    limits: Limits = field(default_factory=Limits)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        async with Store.opened(self.folder, self.address) as store:
            yield store

    @asynccontextmanager
    async def worker(
        self, sandbox: Sandbox | None = None, began: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Worker]:
        """`began` is called when a turn of it does."""
        async with (
            self.store() as store,
            alive.working(self.folder) as name,
            self._heard() as bell,
        ):
            parts = self.parts(store, name, sandbox)
            bounds = Bounds(self.limits.turns, self.limits.turns_user, self.limits.turns_everywhere)
            platforms = {"slack:": lambda thread, address: Silent(thread, address, began)}
            yield worker_for(parts, platforms, bell, bounds, with_leases=bool(self.address))

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """Wakes workers as another process would."""
        async with self.store() as store, self._heard() as bell:
            house = House("models.example", "full", 0, "")
            yield Desk(store, self._admission(store), bell, None, house, self.limits.cell_seconds, _ignored)

    def parts(self, store: Store, worker: str, sandbox: Sandbox | None = None) -> Parts:
        admission = self._admission(store)
        return Parts(
            model=self.model,
            sandbox=sandbox or FakeSandbox(),
            store=store,
            worker=worker,
            limits=self.limits,
            budgets=admission.budgets,
            admission=admission,
        )

    def _admission(self, store: Store) -> Admission:
        switches = Switches(store.database)
        budgets = Budgets(Accounts(store.database), switches, BudgetLimits(), zone("UTC"))
        return Admission(Rules(), switches, budgets, store.audit)

    def _heard(self) -> AbstractAsyncContextManager[Bell]:
        return PostgresBell.heard(self.address) if self.address else LocalBell.heard(self.folder)


@asynccontextmanager
async def bot_on(kind: str, model: Model | None = None) -> AsyncIterator[Bot]:
    with tempfile.TemporaryDirectory() as folder:
        async with address_of(kind) as address:
            yield Bot(Path(folder), address, model or Answering())


async def ask(desk: Desk, thread: ThreadId, user: str = "U1") -> str:
    """The turn's id, once it is taken in."""
    author = Author(user, user)
    message = Message(f"slack:T1:C1:{uuid.uuid4().hex}@", author, "What is 1 + 1?", datetime.now(UTC))
    visit = Visit(Wish.ASK, author, "slack", "T1", "C1", roles=(), is_guest=False)
    await desk.on_message(message, visit, Silent(thread))
    return message.id


async def received(parts: Parts, thread: ThreadId) -> TurnResult:
    """A turn that is worked on at once, without a desk and a worker; by somebody who has not used up anything."""
    author = Author(uuid.uuid4().hex, "Someone")
    message = Message(uuid.uuid4().hex, author, "What is 1 + 1?", datetime.now(UTC))
    result = await intake.receive(message, Silent(thread), parts, Stop())
    if result.status != "ok":
        raise RuntimeError(result.text)
    return result


def thread(name: object) -> ThreadId:
    return ThreadId(f"slack:T1/C1/{name}")


async def outcomes(store: Store) -> dict[str | None, int]:
    """How many turns ended in which way. A figure of turns that failed is none."""
    counting = select(turns.c.outcome, func.count().label("number")).group_by(turns.c.outcome)
    found = await store.database.read(lambda connection: connection.execute(counting))
    return {row.outcome: row.number for row in found}


async def check(store: Store, count: int) -> None:
    if (found := await outcomes(store)) != {"ok": count}:
        raise RuntimeError(f"not all turns ended well: {found}")


async def _ignored(_sentence: str) -> None:
    pass
