"""A turn with the fakes of the ports around it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import intake
from bot.engine import alive
from bot.limits import Limits
from bot.messages import Attachment, Author, Message
from bot.ports import Model
from bot.stopping import Stop
from bot.store.store import Store
from bot.transcript import DataMode, Entry, Transcript
from bot.turn import Parts, TurnResult
from tests.fakes.ports import FakeSandbox, FakeSession, RecordingThread
from tests.stores import prepare

MONDAY = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)


@dataclass
class Chat:
    """A thread with one asker, a model and a session."""

    data_dir: Path
    thread: RecordingThread = field(default_factory=RecordingThread)
    sandbox: FakeSandbox = field(default_factory=FakeSandbox)
    limits: Limits = field(default_factory=Limits)
    data: DataMode = "full"
    author: Author = field(default_factory=lambda: Author("U1", "Anna", "en", "Europe/Vienna"))
    stop: Stop = field(default_factory=Stop)
    sent_at: datetime = MONDAY
    asked: int = 0

    @property
    def session(self) -> FakeSession:
        return self.sandbox.the_session

    async def ask(self, model: Model, text: str = "", **files: bytes) -> TurnResult:
        """One message; `files` by name, with `_` for the dot. Posts of earlier messages are forgotten."""
        named = {name.replace("_", "."): data for name, data in files.items()}
        return await self.send(model, text, list(named.items()))

    async def send(self, model: Model, text: str, files: list[tuple[str, bytes]]) -> TurnResult:
        self.asked += 1
        self.thread.posts.clear()
        urls = [f"https://files.example/{self.asked}/{number}" for number in range(len(files))]
        self.thread.files |= {url: data for url, (_, data) in zip(urls, files, strict=True)}
        attachments = tuple(
            Attachment(name, url, len(data)) for url, (name, data) in zip(urls, files, strict=True)
        )
        message = Message(f"m{self.asked}", self.author, text, self.sent_at, attachments)
        return await self.receive(model, message)

    async def receive(self, model: Model, message: Message) -> TurnResult:
        async with Store.opened(prepare(self.data_dir)) as store, alive.working(self.data_dir) as worker:
            parts = Parts(
                model=model,
                sandbox=self.sandbox,
                store=store,
                worker=worker,
                limits=self.limits,
                data=self.data,
                contact="the help desk",
            )
            return await intake.receive(message, self.thread, parts, self.stop)

    async def transcript(self) -> Transcript:
        async with Store.opened(prepare(self.data_dir)) as store:
            return await store.transcripts.load(self.thread.id)

    async def entries(self) -> list[Entry]:
        return list(await self.transcript())


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)
