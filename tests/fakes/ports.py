"""The far sides of the core's ports, in memory. They record; tests assert."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.execution import Artifact, CellError, Execution, Host, Outcome, Picture, Profile, WorkspaceFile
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update
from bot.ports import Request, Session
from bot.store.fence import Hold
from bot.transcript import Entry, Prompt, Reply, ToolCall, ToolResult, Usage


class RecordingThread:
    """A platform that keeps what is posted. `files` are what attachments hold, by URL."""

    def __init__(self, files: dict[str, bytes] | None = None, id: str = "test:T1/C1/1") -> None:  # noqa: A002  # the port's name
        self.id = ThreadId(id)
        self.files = files or {}
        self.posts: dict[str, Output] = {}
        self.whispers: dict[str, str] = {}
        self.updates: list[Update] = []
        self.is_working = False
        self.refuses_posts = False
        self.said_above = Above()
        self.has_people = False
        """Whether anybody can be asked anything."""
        self.questions: dict[str, str] = {}
        """What they were asked, or read in its place now."""

    async def introduce(self, message: Message) -> Message:
        return message

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        return self.said_above

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        self.is_working = True
        try:
            yield
        finally:
            self.is_working = False

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        if attachment.url not in self.files:
            raise PlatformUnavailable("404 for https://files.example/secret-token")
        if len(self.files[attachment.url]) > limit_bytes:
            raise AttachmentRefused("too long", sentence="attachment_over_limit")
        to.write_bytes(self.files[attachment.url])

    async def progress(self, update: Update) -> None:
        self.updates.append(update)

    @property
    def can_ask(self) -> bool:
        return self.has_people

    async def ask(self, text: str, question: str) -> None:
        if self.refuses_posts:
            raise PlatformUnavailable("500 from the platform")
        self.questions.setdefault(question, text)

    async def settle(self, text: str, question: str) -> None:
        self.questions[question] = text

    async def post(self, output: Output, key: str) -> None:
        if self.refuses_posts:
            raise PlatformUnavailable("500 from the platform")
        self.posts.setdefault(key, output)

    async def whisper(self, text: str, key: str) -> None:
        if self.refuses_posts:
            raise PlatformUnavailable("500 from the platform")
        self.whispers.setdefault(key, text)

    @property
    def answer(self) -> Output:
        """The only thing that was posted."""
        (output,) = self.posts.values()
        return output


Scripted = Reply | BaseException | Callable[[Request], Reply]


class ReplyingModel:
    """Gives the scripted replies, one a request, and keeps the requests."""

    def __init__(
        self,
        *replies: Scripted,
        context_tokens: int = 100_000,
        sees_images: bool = False,
        name: str = "replying",
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.sees_images = sees_images
        self.requests: list[Request] = []
        self._replies = list(replies)

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        self.requests.append(replace(request, entries=list(request.entries)))
        scripted = self._replies.pop(0)
        if isinstance(scripted, BaseException):
            raise scripted
        reply = scripted if isinstance(scripted, Reply) else scripted(request)
        if reply.text:
            on_text(reply.text)
        return reply

    @property
    def read(self) -> str:
        """Every text that any request held."""
        return "\n".join(text for request in self.requests for text in texts_of(request))


class SilentModel(ReplyingModel):
    """Writes the beginning of an answer, then nothing more, for ever."""

    def __init__(self, beginning: str = "") -> None:
        super().__init__()
        self.beginning = beginning
        self.was_asked = asyncio.Event()

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        on_text(self.beginning)
        self.was_asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that event")


def texts_of(request: Request) -> Iterable[str]:
    yield request.instructions
    for entry in request.entries:
        yield entry.text
        if isinstance(entry, Reply):
            yield from (call.arguments for call in entry.tool_calls)
            yield json.dumps(entry.raw)
        if isinstance(entry, Prompt | ToolResult):
            yield from (f"{picture.name} {picture.data!r}" for picture in entry.pictures)


Behaviour = Execution | Callable[[str], Execution]


class FakeSession:
    """A workspace in memory. A cell does what `does` says for its code, else it prints its own code."""

    def __init__(self, does: dict[str, Behaviour] | None = None) -> None:
        self.does = does or {}
        self.lost_variables: tuple[str, ...] | None = None
        self.workspace: dict[str, bytes] = {}
        self.profiles: dict[str, Profile] = {}
        self.ran: list[tuple[str, str, float]] = []
        """Cell id, code, seconds."""
        self.hangs_on: str | None = None
        self.is_hanging = asyncio.Event()
        self.is_full = False
        self.allowed: set[Host] = set()
        """Hosts that it may reach besides the deployment's."""
        self._interrupted = asyncio.Event()

    async def run(
        self, code: str, *, cell_id: str, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> Execution:
        self.ran.append((cell_id, code, seconds))
        if code == self.hangs_on:
            self.is_hanging.set()
            await self._interrupted.wait()
            return Execution(Outcome.INTERRUPTED, "half of it\nKeyboardInterrupt", 0.5)
        behaviour = self.does.get(code, Execution(Outcome.OK, code, 0.1))
        return behaviour if isinstance(behaviour, Execution) else behaviour(code)

    async def interrupt(self) -> None:
        self._interrupted.set()

    async def allow(self, hosts: Collection[Host]) -> None:
        self.allowed = set(hosts)

    async def put(self, name: str, source: Path) -> None:
        if self.is_full:
            raise AttachmentRefused("no space", sentence="workspace_full")
        self.workspace[name] = source.read_bytes()

    async def rename(self, name: str, to: str) -> None:
        if name in self.workspace:
            self.workspace[to] = self.workspace.pop(name)

    async def files(self) -> tuple[WorkspaceFile, ...]:
        return tuple(WorkspaceFile(name, len(data), 1_700_000_000) for name, data in self.workspace.items())

    async def profile(self, name: str) -> Profile:
        text = self.workspace[name].decode(errors="replace")
        return self.profiles.get(name, Profile(name, "text", text, "one column"))

    async def picture(self, artifact: Artifact, longest_side: int) -> Picture | None:
        return Picture(artifact.name, "image/png", f"small {artifact.sha256}".encode())


@dataclass
class FakeSandbox:
    """Lends one session, and counts how often."""

    the_session: FakeSession = field(default_factory=FakeSession)
    lent: int = 0
    is_lent: bool = False
    """Now."""
    error: BaseException | None = None

    @asynccontextmanager
    async def session(
        self, thread: ThreadId, waiting: Callable[[int], None] | None = None, hold: Hold | None = None
    ) -> AsyncIterator[Session]:
        if self.error:
            raise self.error
        self.lent += 1
        self.is_lent = True
        try:
            yield self.the_session
        finally:
            self.is_lent = False
            self.the_session.allowed = set()


def calls(*codes: str, text: str = "", **facts: object) -> Reply:
    """A reply that wants these cells run."""
    tool_calls = tuple(
        ToolCall(
            f"call_{hashlib.sha256(code.encode()).hexdigest()[:6]}_{number}",
            "run_python",
            json.dumps({"code": code}),
        )
        for number, code in enumerate(codes)
    )
    return Reply(text, tool_calls, **facts)  # type: ignore[arg-type]  # whatever a Reply has


def printed(text: str, *, artifacts: Sequence[Artifact] = (), seconds: float = 0.1) -> Execution:
    return Execution(Outcome.OK, text, seconds, artifacts=tuple(artifacts))


def failed(name: str = "ValueError", message: str = "no", *, line: int = 1) -> Execution:
    traceback = f"Cell In[1], line {line}\n{name}: {message}"
    return Execution(Outcome.RAISED, traceback, 0.1, error=CellError(name, message, traceback))


def artifact(
    name: str, content: bytes = b"content", media_type: str = "image/png", **facts: object
) -> Artifact:
    sha256 = hashlib.sha256(content).hexdigest()
    return Artifact(name, media_type, len(content), sha256, Path("/nowhere") / sha256, **facts)  # type: ignore[arg-type]  # whatever an Artifact has


def results_in(entries: Sequence[Entry]) -> list[ToolResult]:
    return [entry for entry in entries if isinstance(entry, ToolResult)]


USED = Usage(input_tokens=100, output_tokens=10)
