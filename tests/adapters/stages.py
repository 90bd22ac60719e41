"""Places to put an adapter's thread on, for the tests that every adapter has to pass: one for each platform.

A new platform is one more function here, and its name in `STAGES`.
"""

import hashlib
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
from rich.console import Console
from slack_sdk.web.async_client import AsyncWebClient

from adapters.console.inbound import to_attachment as to_console_attachment
from adapters.console.thread import ConsoleThread
from adapters.discord.endpoints import point_to
from adapters.slack.attachments import to_attachment as to_slack_attachment
from bot.execution import Artifact
from bot.messages import Attachment, ThreadId
from bot.ports import Thread
from tests.discord.conftest import Worker, shown_text, working
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.rest import Call
from tests.fakes.discord.rules import Payload
from tests.fakes.slack.server import BOT_TOKEN, FakeSlack
from tests.slack.conftest import Desk


class Stage(Protocol):
    """A conversation on a fake platform in which one question was asked."""

    def thread(self) -> Thread:
        """For the turn about that question, by a process that knows nothing but what was noted."""
        ...

    def texts(self) -> list[str]:
        """What people read there now of the bot, a message each, in order."""
        ...

    def files(self) -> list[tuple[str, bytes]]:
        """Those that the bot has shared, in order."""
        ...

    def described(self) -> dict[str, str]:
        """File → what those hear of it who cannot see it."""
        ...

    def is_busy(self) -> bool: ...

    def requests(self) -> int | None:
        """How many the platform has had; None where there is nobody to ask, and nothing outlives the process."""
        ...

    def attachment(self, name: str, content: bytes) -> Attachment:
        """On the question."""
        ...

    # What a platform can do to us. One that cannot go wrong does nothing.

    def refuse_rich_messages(self) -> None: ...

    def refuse_messages(self) -> None: ...

    def lose_answers(self, count: int) -> None:
        """To so many posts: they are carried out, and nobody hears of it."""
        ...

    def go_down(self, seconds: float | None) -> None:
        """For so long, on a clock that need not be waited for; None: for good. Whoever does not wait posts again."""
        ...


Opened = Callable[[Path], AbstractAsyncContextManager[Stage]]


@dataclass
class SlackStage:
    slack: FakeSlack
    desk: Desk
    channel: str

    def __post_init__(self) -> None:
        self.question = self.slack.writes("<@UBOT> a question", channel=self.channel)

    def thread(self) -> Thread:
        return self.desk.thread(self.question, self.channel)

    def texts(self) -> list[str]:
        return [_said(message) for message in self.slack.posts(self.channel) if not message.get("files")]

    def files(self) -> list[tuple[str, bytes]]:
        posted = [
            file["id"] for message in self.slack.posts(self.channel) for file in message.get("files", ())
        ]
        files = self.slack.workspace.files
        return [(files[each].name, files[each].content) for each in posted]

    def described(self) -> dict[str, str]:
        return {file.name: file.alt_text for file in self.slack.workspace.files.values()}

    def is_busy(self) -> bool:
        return "processing" in self.slack.workspace.sessions.values()

    def requests(self) -> int | None:
        return len(self.slack.calls) + len(self.slack.uploads)

    def attachment(self, name: str, content: bytes) -> Attachment:
        file = self.slack.add_file(name, content)
        return to_slack_attachment(self.slack.workspace.file_object(file, self.slack.url, in_event=True))

    def refuse_rich_messages(self) -> None:
        self.slack.rules.append(lambda method, args: "invalid_blocks" if args.get("blocks") else None)

    def refuse_messages(self) -> None:
        posts = {"chat.postMessage", "chat.update"}
        self.slack.rules.append(lambda method, args: "invalid_blocks" if method in posts else None)

    def lose_answers(self, count: int) -> None:
        self.slack.swallows = {"chat.postMessage": count}

    def go_down(self, seconds: float | None) -> None:
        self.slack.is_down = True
        self.slack.down_until = None if seconds is None else self.slack.clock.now + seconds


def _said(message: dict[str, object]) -> str:
    """Cells of tables too."""
    shown: list[str] = []

    def walk(value: object) -> None:
        match value:
            case {"type": "actions" | "context_actions" | "container"}:
                return
            case {"text": str(text)}:
                shown.append(text)
            case dict():
                for each in value.values():
                    walk(each)
            case list():
                for each in value:
                    walk(each)

    walk(message.get("blocks") or message.get("chunks"))
    return "\n".join(shown) or str(message["text"])


def slack_stage(channel: str) -> Opened:
    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[Stage]:
        async with AsyncExitStack() as stack:
            slack = await stack.enter_async_context(FakeSlack().serving())
            http = await stack.enter_async_context(aiohttp.ClientSession())
            client = AsyncWebClient(BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
            client.proxy = None
            yield SlackStage(slack, Desk(slack, client, http), channel)
            assert slack.complaints == []

    return opened


@dataclass
class DiscordStage:
    worker: Worker
    place: Payload
    """The thread."""

    @property
    def discord(self) -> FakeDiscord:
        return self.worker.fake

    def thread(self) -> Thread:
        parent = int(self.discord.general["id"])
        return self.worker.thread(self.worker.address(self.place, parent=parent))

    def texts(self) -> list[str]:
        return [text for message in self._posts() if (text := shown_text(message))]

    def files(self) -> list[tuple[str, bytes]]:
        blobs = self.discord.world.blobs
        return [(each["filename"], blobs[each["id"]].content) for each in self._attached()]

    def described(self) -> dict[str, str]:
        return {each["filename"]: each.get("description", "") for each in self._attached()}

    def is_busy(self) -> bool:
        return self.discord.clock.is_awaited

    def requests(self) -> int | None:
        return len(self.discord.rest.calls)

    def attachment(self, name: str, content: bytes) -> Attachment:
        file = self.discord.world.attachment(self.discord.general["id"], name, content, "text/csv")
        return Attachment(name, file["url"], len(content))

    def refuse_rich_messages(self) -> None:
        self.discord.rest.rules.append(lambda call: _is_post(call) and bool(call.json.get("components")))

    def refuse_messages(self) -> None:
        self.discord.rest.rules.append(lambda call: _is_post(call) and not call.files)

    def lose_answers(self, count: int) -> None:
        self.discord.rest.swallows = {_POSTS: count}

    def go_down(self, seconds: float | None) -> None:
        # It does not wait for Discord to come back: it is asked again by then.
        self.discord.rest.fail("", 503, times=2 if seconds else 1_000_000)

    def _posts(self) -> list[Payload]:
        return self.discord.in_channel(self.place)

    def _attached(self) -> list[Payload]:
        return [each for message in self._posts() for each in message["attachments"]]


_POSTS = "POST .*/messages$"


def _is_post(call: Call) -> bool:
    return re.search(_POSTS, f"{call.method} {call.path}") is not None


@asynccontextmanager
async def discord_stage(folder: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeDiscord())
        point_to(fake.api_url, fake.gateway.url)
        worker = await stack.enter_async_context(working(fake))
        yield DiscordStage(worker, fake.world.thread(fake.general, "work", fake.bot["id"]))
        assert fake.rest.violations == []


@dataclass
class ConsoleStage:
    """No far side: nothing can be refused or lost."""

    folder: Path
    written: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        console = Console(file=self.written, width=1000)
        # What is on a screen cannot be found again, so there is one process only.
        self.only = ConsoleThread(ThreadId("console:t"), console, self.folder / "out")

    def thread(self) -> Thread:
        return self.only

    def texts(self) -> list[str]:
        lines = self.written.getvalue().splitlines()
        paths = [str(path) for path in self.only.saved.values()]
        text = "\n".join(line for line in lines if not any(path in line for path in paths))
        return [text.strip()] if text.strip() else []

    def files(self) -> list[tuple[str, bytes]]:
        return [(name, path.read_bytes()) for name, path in self.only.saved.items()]

    def described(self) -> dict[str, str]:
        found = re.findall(r"^(\S+)  .*\n  (.+)$", self.written.getvalue(), re.MULTILINE)
        return dict(found)

    def is_busy(self) -> bool:
        return False

    def requests(self) -> int | None:
        return None

    def attachment(self, name: str, content: bytes) -> Attachment:
        path = self.folder / name
        path.write_bytes(content)
        return to_console_attachment(path)

    def refuse_rich_messages(self) -> None: ...

    def refuse_messages(self) -> None: ...

    def lose_answers(self, count: int) -> None: ...

    def go_down(self, seconds: float | None) -> None: ...


@asynccontextmanager
async def console_stage(folder: Path) -> AsyncIterator[Stage]:
    yield ConsoleStage(folder)


STAGES: dict[str, Opened] = {
    "console": console_stage,
    "slack, channel": slack_stage("C1"),
    "slack, DM": slack_stage("D1"),
    "discord": discord_stage,
}


def artifact(folder: Path, name: str, content: bytes = b"content", alt_text: str = "") -> Artifact:
    """One that is there."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / f"blob-{sha256}"
    path.write_bytes(content)
    kinds = {"png": "image/png", "csv": "text/csv"}
    media_type = kinds.get(name.rsplit(".", maxsplit=1)[-1], "application/octet-stream")
    return Artifact(name, media_type, len(content), sha256, path, alt_text)
