"""What turns leave in a store, made without a worker."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.codecs import Codecs
from bot.engine import taking
from bot.execution import Artifact, CellError, Execution, Outcome, Picture, Profile
from bot.folders import team_of
from bot.messages import Author, Message, Output, ThreadId
from bot.prompt import meanwhile
from bot.store.claiming import Bounds, Claimant
from bot.store.fence import Hold
from bot.store.store import Store
from bot.store.tables import threads
from bot.transcript import Prompt, Reply, Round, ToolCall, ToolResult, Upload, Usage
from bot.uploads import TakenIn

THREAD = ThreadId("slack:T1/C1/1")
AT = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


def message(text: str, user: str = "U1", name: str = "") -> Message:
    return Message(name or f"slack:T1:C1:{text}@", Author(user, f"name of {user}"), text, AT)


async def begin(store: Store, asked: Message, thread: ThreadId = THREAD) -> Hold:
    """A turn that runs, in the hands of a worker."""
    turn = taking.question(thread, asked)
    await store.turns.add(turn)
    claimed = await store.turns.claim(Claimant("w1", Bounds(99, 99, 99), only=turn.id))
    assert claimed
    return claimed.hold


async def is_expired(store: Store, thread: ThreadId) -> bool:
    since = select(threads.c.expired_at).where(threads.c.id == thread)
    return await store.database.read(lambda connection: connection.scalar(since)) is not None


class Doing:
    """The steps of one turn."""

    def __init__(self, store: Store, hold: Hold, asked: Message, thread: ThreadId = THREAD) -> None:
        self.store, self.hold, self.asked, self.thread = store, hold, asked, thread
        self.team = team_of(thread)
        self.codecs = Codecs(store.blobs, self.team)
        self.taken = TakenIn()
        self.cells = self.replies = self.parts = 0
        self.artifacts: list[Artifact] = []
        self.blobs: dict[str, str] = {}
        """Hashes by name."""

    async def upload(self, name: str, content: bytes) -> None:
        sha256, _ = await self.store.blobs.add(self.team, content)
        self.taken.uploads[name] = Upload(name, sha256, AT)
        self.taken.profiles.append(Profile(name, "table", f"rows of {name}", "one column"))
        self.blobs[name] = sha256
        await self.in_session({name: content})

    async def in_session(self, files: dict[str, bytes]) -> None:
        """As the sandbox records them."""
        record = await self.store.sessions.load(self.thread) or {"files": {}, "packages": {}}
        for name, content in files.items():
            sha256, _ = await self.store.blobs.add(self.team, content)
            self.blobs[name] = sha256
            record["files"][name] = {"sha256": sha256, "size_bytes": len(content), "modified": 1.0}
        await self.store.sessions.save(self.thread, record)

    async def prompt(self) -> None:
        text = f"[{self.asked.author.name}, Mon 2026-03-02 14:05]\n{self.asked.text}"
        await self.record("prompt", await self.codecs.prompt.dump((text, self.taken)))
        await self.add((Prompt(text, tuple(self.taken.pictures), tuple(self.taken.uploads.values())),))

    async def cell(self, code: str, printed: str = "", *, raises: str = "", **files: bytes) -> None:
        """A reply that asks for the cell, and what it did; `files` are charts by name."""
        self.replies, self.cells = self.replies + 1, self.cells + 1
        call = ToolCall(f"c{self.cells}", "run_python", code)
        reply = Reply("", (call,), Usage(10, 5))
        await self.record(f"reply:{self.replies}", await self.codecs.reply.dump(reply))
        artifacts = tuple([await self._artifact(name, content) for name, content in files.items()])
        self.artifacts += artifacts
        error = CellError(raises, "no", f"{raises}: no") if raises else None
        text = (
            printed
            + "".join(f"[{each.name}]\n" for each in artifacts)
            + (f"{raises}: no\n" if raises else "")
        )
        outcome = Outcome.RAISED if raises else Outcome.OK
        execution = Execution(outcome, text, 0.5, error, artifacts)
        await self.record(f"cell:{self.cells}", await self.codecs.execution.dump(execution))
        pictures = []
        for each in artifacts:
            picture = Picture(each.name, "image/png", PNG + b"small " + each.name.encode())
            await self.record(f"picture:{self.cells}", await self.codecs.picture.dump(picture))
            pictures.append(picture)
        await self.add((reply, ToolResult(call.id, text, tuple(pictures))))

    async def meanwhile(self, said: Message) -> None:
        """Somebody says something while it runs: their turn is merged into this one."""
        await self.store.turns.add(taking.question(self.thread, said))
        await self.store.turns.merge_waiting(self.hold, self.thread, f"before reply:{self.replies + 1}")
        await self.add((Prompt(meanwhile(said)),))

    async def answer(self, text: str, outcome: str = "ok") -> None:
        self.replies += 1
        reply = Reply(text, (), Usage(20, 7))
        await self.record(f"reply:{self.replies}", await self.codecs.reply.dump(reply))
        await self.add((reply,))
        output = Output(text, tuple(self.artifacts))
        await self.record("output", await self.codecs.output.dump(("ok", output)))
        await self.record("posted", None)
        await self.store.turns.end(self.hold, outcome)

    async def record(self, name: str, result: Any) -> None:
        await self.store.steps.record(self.hold, name, result)

    async def add(self, entries: Round) -> None:
        self.parts += 1
        await self.store.transcripts.append(self.thread, self.hold, self.parts, entries)

    async def _artifact(self, name: str, content: bytes) -> Artifact:
        sha256, path = await self.store.blobs.add(self.team, content)
        self.blobs[name] = sha256
        kind = "image/png" if content.startswith(PNG) else "text/csv"
        return Artifact(name.replace("_", "."), kind, len(content), sha256, path)


async def doing(store: Store, text: str, user: str = "U1", thread: ThreadId = THREAD) -> Doing:
    asked = message(text, user, f"{thread}:{user}:{text}@")
    return Doing(store, await begin(store, asked, thread), asked, thread)


async def asked_and_answered(
    store: Store, text: str, user: str = "U1", thread: ThreadId = THREAD, **uploads: bytes
) -> Doing:
    """A whole turn, with one cell that draws a chart."""
    turn = await doing(store, text, user, thread)
    for name, content in uploads.items():
        await turn.upload(name.replace("_", "."), content)
    await turn.prompt()
    await turn.cell(f"plot({text!r})", "drawn\n", **{"chart_png": PNG + text.encode()})
    await turn.answer(f"Answer to {text}")
    return turn
