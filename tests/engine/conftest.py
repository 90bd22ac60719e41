"""Workers on a store of either kind, with a platform and a model in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine import alive, taking
from bot.engine.bell import LocalBell
from bot.engine.serving import worker_for
from bot.engine.worker import Worker
from bot.limits import Limits
from bot.messages import Attachment, Author, Message, ThreadId
from bot.ports import Model, Thread
from bot.rules import Approvers
from bot.store.claiming import Bounds
from bot.store.store import Store
from bot.transcript import DataMode
from bot.turn import Parts
from bot.visits import Visit
from tests.fakes.ports import FakeSandbox, RecordingThread

BOUNDS = Bounds(worker=4, user=2, everywhere=8)


@dataclass
class Platform:
    """Threads by their ids; each keeps what is posted."""

    threads: dict[ThreadId, RecordingThread] = field(default_factory=dict[ThreadId, RecordingThread])
    broken: int = 0
    """How many more times a thread cannot be opened."""

    def open(self, thread: ThreadId, address: str = "") -> Thread:
        if self.broken:
            self.broken -= 1
            raise RuntimeError("of no kind that anybody has foreseen")
        return self.threads.setdefault(thread, RecordingThread(id=thread))

    def answers(self, thread: str = "test:T1/C1/1") -> list[str]:
        posts = self.threads[ThreadId(thread)].posts if ThreadId(thread) in self.threads else {}
        return [output.text for output in posts.values()]


@dataclass
class Engine:
    data_dir: Path
    address: str
    platform: Platform = field(default_factory=Platform)
    sandbox: FakeSandbox = field(default_factory=FakeSandbox)
    bounds: Bounds = BOUNDS
    approvers: Approvers = "off"
    data: DataMode = "full"

    @asynccontextmanager
    async def worker(self, model: Model) -> AsyncIterator[Worker]:
        async with (
            Store.opened(self.data_dir, self.address) as store,
            alive.working(self.data_dir) as name,
            LocalBell.heard(self.data_dir) as bell,
        ):
            parts = Parts(
                model, self.sandbox, store, name, Limits(), data=self.data, approvers=self.approvers
            )
            worker = worker_for(
                parts, {"test:": self.platform.open}, bell, self.bounds, with_leases=bool(self.address)
            )
            working = asyncio.create_task(worker.work())
            try:
                yield worker
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def ask(
        self,
        text: str,
        *,
        thread: str = "test:T1/C1/1",
        id: str = "",  # noqa: A002  # a message's
        user: str = "U1",
        visit: Visit | None = None,
        is_private: bool = False,
    ) -> str:
        """Takes a question in, as a gateway would; the turn's id."""
        async with Store.opened(self.data_dir, self.address) as store:
            message = Message(
                id or f"m-{text}", Author(user, user), text, datetime.now(UTC), is_private=is_private
            )
            turn = taking.question(ThreadId(thread), message)
            await store.turns.add(taking.by(visit, turn) if visit else turn)
        await LocalBell(self.data_dir / "bell").ring()
        return turn.id


@pytest.fixture
def engine(address: str, tmp_path: Path) -> Engine:
    return Engine(tmp_path, address)


def attachment(name: str) -> Attachment:
    return Attachment(name, f"https://files.example/{name}", None)


async def until(is_so: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # type: ignore[operator]  # noqa: ASYNC110  # many things may make it so
            await asyncio.sleep(0.01)
