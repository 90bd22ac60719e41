"""Slack and Discord as one person after the other lives there, and a terminal: what they do, and what they read."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from tests.discord.conftest import shown_text
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.clock import FakeClock
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.rules import EPHEMERAL, walk
from tests.fakes.slack.methods import KIND_SCOPES, SCOPES
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack
from tests.fakes.slack.state import BOT_USER
from tests.program.console import ConsoleTown, console_town
from tests.program.talk import File, Talk
from tests.program.waiting import until

DAY_SECONDS = 86_400


class Button(StrEnum):
    """Under answers and questions, as people read them."""

    SHOW_CODE = "Show code"
    EDIT = "Edit & run"
    NOTEBOOK = "Notebook"
    DELETE = "Delete"
    LIKE = "👍"
    DISLIKE = "👎"
    ALLOW_ONCE = "Allow once"
    ALLOW_THREAD = "Allow for this thread"
    DENY = "Deny"
    REVOKE = "Stop allowing"


class Anywhere(Protocol):
    """Wherever the bot can be asked, a terminal too. Tests whose `town` is one run on all there are."""

    env: dict[str, str]

    def is_listening(self) -> bool: ...

    async def ask(self, text: str, *files: File, who: str = "anna") -> Talk:
        """In a channel, by mentioning the bot; it answers in a thread. At a terminal it is always the same person."""
        ...

    async def follow_up(self, talk: Talk, text: str, *files: File, who: str = "anna") -> Any:
        """In the thread, without a mention where that is enough."""
        ...

    def read(self, talk: Talk) -> list[str]:
        """What people read there of the bot, a message each, except what tells how far it is."""
        ...

    def files(self, talk: Talk) -> dict[str, bytes]: ...

    def refused(self, talk: Talk) -> list[str]:
        """What people read where the bot began nothing: in a thread, or as an answer to their message."""
        ...

    async def stop(self, talk: Talk) -> None: ...


class Town(Anywhere, Protocol):
    """A chat platform: several people, buttons, and a bot that runs all the time."""

    async def ask(self, text: str, *files: File, who: str = "anna", heard: bool = True) -> Talk:
        """Nobody has `heard` it while the bot is away."""
        ...

    def id_of(self, who: str) -> str:
        """As operators name them: `slack:U1`."""
        ...

    async def overhears(self, text: str, *files: File) -> Any:
        """People among themselves, in the channel and below a message of theirs."""
        ...

    async def repeat(self, talk: Talk) -> None:
        """The platform tells once more what it has told."""
        ...

    async def press(self, talk: Talk, button: Button, who: str = "anna") -> None: ...

    async def rewrite(self, talk: Talk, code: str) -> str:
        """By the form behind `Button.EDIT`; the code that it showed."""
        ...

    def whispers(self, who: str = "anna") -> list[str]:
        """What nobody else has read."""
        ...

    def handed(self, talk: Talk, who: str = "anna") -> dict[str, bytes]:
        """Files that came of a click."""
        ...

    async def usage(self) -> str: ...

    async def help(self) -> str: ...

    def lacks_files(self) -> str:
        """From now on the bot has no right to them; its platform's name for that right."""
        ...

    async def is_cut_off(self) -> None:
        """What the bot listens on breaks, and nothing is told again."""
        ...

    def shuts_out(self, talk: Talk) -> None:
        """The bot can no longer write where it was asked."""
        ...

    def read_elsewhere(self, talk: Talk) -> list[str]:
        """What the asker reads of the bot outside of the thread."""
        ...

    async def stumbles(self, seconds: float = 3) -> None:
        """For so long the platform answers that it cannot, then for one more that it has heard too much."""
        ...

    async def edit(self, talk: Talk, text: str) -> None: ...

    async def delete(self, talk: Talk) -> None: ...

    async def days_pass(self, days: float) -> None:
        """By the platform's clock alone, backwards too."""
        ...


@dataclass
class SlackTown:
    slack: FakeSlack
    env: dict[str, str]
    people: dict[str, str] = field(default_factory=lambda: {"anna": "U1", "bert": "U2"})

    def is_listening(self) -> bool:
        return self.slack.sockets.connected.is_set()

    async def ask(self, text: str, *files: File, who: str = "anna", heard: bool = True) -> Talk:
        said: dict[str, Any] = {"user": self.people[who], "files": self._sent(files)}
        if heard:
            return Talk(await self.slack.says(f"<@UBOT> {text}", **said))
        return Talk(self.slack.writes(f"<@UBOT> {text}", **said))

    async def follow_up(self, talk: Talk, text: str, *files: File, who: str = "anna") -> Any:
        return await self.slack.says(
            text, user=self.people[who], thread_ts=talk.first["ts"], files=self._sent(files)
        )

    def read(self, talk: Talk) -> list[str]:
        return [_said(each) for each in self._posts(talk) if "chunks" not in each]

    def files(self, talk: Talk) -> dict[str, bytes]:
        shared = [file["id"] for each in self._posts(talk) for file in each.get("files", ())]
        return {
            self.slack.workspace.files[each].name: self.slack.workspace.files[each].content for each in shared
        }

    def id_of(self, who: str) -> str:
        return f"slack:{self.people[who]}"

    def refused(self, talk: Talk) -> list[str]:
        alone = [each for each in self.slack.workspace.ephemerals if each["user"] == talk.first["user"]]
        return [*self.read(talk), *map(_said, alone)]

    async def overhears(self, text: str, *files: File) -> Any:
        first = await self.slack.says(text, user="U2", files=self._sent(files))
        await self.slack.says(text, user="U1", thread_ts=first["ts"], files=self._sent(files))
        await self.slack.edits(first, f"{text} or so", user="U2")
        return first

    async def repeat(self, talk: Talk) -> None:
        for event in self.slack.events_of(talk.first):
            await self.slack.deliver(event, retry=1)

    async def press(self, talk: Talk, button: Button, who: str = "anna") -> None:
        message, user = self._with(button, talk), self.people[who]
        if button in {Button.LIKE, Button.DISLIKE}:
            element = message["blocks"][-1]["elements"][0]
            side = "positive_button" if button is Button.LIKE else "negative_button"
            await self.slack.clicks(message, "feedback", user=user, value=element[side]["value"])
        else:
            await self.slack.clicks(message, _ACTIONS[button], user=user)

    async def rewrite(self, talk: Talk, code: str) -> str:
        before = len(self.slack.workspace.views)
        await self.press(talk, Button.EDIT)
        (view,) = await until(lambda: self.slack.workspace.views[before:])
        await self.slack.submits(view, {"code": {"code": {"value": code}}, "files": {"files": {"files": []}}})
        return str(view["blocks"][0]["element"]["initial_value"])

    def whispers(self, who: str = "anna") -> list[str]:
        user = self.people[who]
        return [_said(each) for each in self.slack.workspace.ephemerals if each["user"] == user]

    def handed(self, talk: Talk, who: str = "anna") -> dict[str, bytes]:
        return self.files(talk)

    async def usage(self) -> str:
        before = len(self.slack.responses)
        await self.slack.commands("usage")
        (answer,) = await until(lambda: self.slack.responses[before:])
        return _said(answer)

    async def help(self) -> str:
        answer = await self.slack.commands("help")
        return str((answer.payload or {})["text"])

    def lacks_files(self) -> str:
        # All that the manifest asks for, but one.
        self.slack.scopes = {*SCOPES.values(), *_HISTORIES} - {"files:read"}
        return "files:read"

    async def is_cut_off(self) -> None:
        await self.slack.sockets.drop()

    def shuts_out(self, talk: Talk) -> None:
        self.slack.channel("C1").members.discard(BOT_USER)

    def read_elsewhere(self, talk: Talk) -> list[str]:
        own = "DU1"
        return [_said(each) for each in self.slack.posts(own)] if own in self.slack.workspace.channels else []

    async def stumbles(self, seconds: float = 3) -> None:
        self.slack.is_down = True
        await asyncio.sleep(seconds)
        self.slack.limits["*"] = [1, 1]
        self.slack.is_down = False

    async def stop(self, talk: Talk) -> None:
        await self.slack.stops("C1", talk.first["ts"])

    async def edit(self, talk: Talk, text: str, *, heard: bool = True) -> None:
        await self.slack.edits(talk.first, f"<@UBOT> {text}", heard=heard)

    async def delete(self, talk: Talk, *, heard: bool = True) -> None:
        await self.slack.deletes(talk.first, heard=heard)

    async def days_pass(self, days: float) -> None:
        self.slack.clock.advance(days * DAY_SECONDS)

    async def lose_file(self, talk: Talk, *, heard: bool = True) -> None:
        """Somebody deletes the file that came with the question."""
        file = self.slack.workspace.files[talk.first["files"][0]["id"]]
        await self.slack.loses_file(talk.first, file, heard=heard)

    def _sent(self, files: tuple[File, ...]) -> list[Any]:
        return [self.slack.add_file(name, content) for name, content in files]

    def _with(self, button: Button, talk: Talk) -> Any:
        """The newest message that has it, or any buttons where it is of another kind."""
        action = _ACTIONS.get(button)
        return [
            each
            for each in self._posts(talk)
            for block in each.get("blocks", ())
            if block["type"] == "actions"
            and (action is None or action in [element.get("action_id") for element in block["elements"]])
        ][-1]

    def _posts(self, talk: Talk) -> list[Any]:
        return [each for each in self.slack.posts("C1") if each.get("thread_ts") == talk.first["ts"]]


@dataclass
class DiscordTown:
    discord: FakeDiscord
    env: dict[str, str]

    def __post_init__(self) -> None:
        self.people = {"anna": self.discord.anna, "bert": self.discord.member("Bert")}

    def is_listening(self) -> bool:
        # Sooner than it says so itself: for more servers it waits two seconds.
        return any(
            session.connection and any(event == "GUILD_CREATE" for _, event, _ in session.sent)
            for session in self.discord.gateway.sessions.values()
        )

    async def ask(self, text: str, *files: File, who: str = "anna", heard: bool = True) -> Talk:
        message = await self.discord.people.mention(
            self.people[who], self.discord.general, text, [(*each, "text/csv") for each in files]
        )
        return Talk(message)

    async def follow_up(self, talk: Talk, text: str, *files: File, who: str = "anna") -> Any:
        return await self.discord.people.mention(
            self.people[who], self._thread(talk), text, [(*each, "text/csv") for each in files]
        )

    def read(self, talk: Talk) -> list[str]:
        return [shown_text(each) for each in self._posts(talk) if not _is_status(each)]

    def files(self, talk: Talk) -> dict[str, bytes]:
        return {
            each["filename"]: self.discord.world.blobs[each["id"]].content
            for message in self._posts(talk)
            for each in message["attachments"]
        }

    def id_of(self, who: str) -> str:
        return f"discord:{self.people[who]['id']}"

    def refused(self, talk: Talk) -> list[str]:
        said = self.discord.in_channel(self.discord.general)
        to = [
            each
            for each in said
            if (each.get("message_reference") or {}).get("message_id") == talk.first["id"]
        ]
        return list(map(shown_text, to))

    async def overhears(self, text: str, *files: File) -> Any:
        discord, sent = self.discord, [(*each, "text/csv") for each in files]
        first = await discord.people.say(self.people["bert"], discord.general, text, sent)
        thread = discord.world.thread(discord.general, "ours", self.people["bert"]["id"], first["id"])
        await discord.gateway.emit("THREAD_CREATE", thread)
        await discord.people.say(self.people["anna"], thread, text, sent)
        await discord.people.edit(first, f"{text} or so")
        return first

    async def repeat(self, talk: Talk) -> None:
        event = self.discord.people.in_event(talk.first)
        await self.discord.gateway.emit("MESSAGE_CREATE", event)

    async def press(self, talk: Talk, button: Button, who: str = "anna") -> None:
        await self._clicked(talk, button, who)

    async def rewrite(self, talk: Talk, code: str) -> str:
        opened = await self._clicked(talk, Button.EDIT, "anna")
        form = await until(lambda: opened.modal or {})
        await self.discord.people.submit(opened, {"code": code})
        return str(form["components"][0]["component"]["value"])

    def whispers(self, who: str = "anna") -> list[str]:
        return [shown_text(each) for each in self._private(who)]

    def handed(self, talk: Talk, who: str = "anna") -> dict[str, bytes]:
        return {
            each["filename"]: self.discord.world.blobs[each["id"]].content
            for message in self._private(who)
            for each in message["attachments"]
        }

    async def usage(self) -> str:
        return await self._commanded("usage")

    async def help(self) -> str:
        return await self._commanded("help")

    def lacks_files(self) -> str:
        discord = self.discord
        discord.world.set_permissions(discord.general, discord.bot["id"], attach_files=False)
        return "Attach Files"

    async def is_cut_off(self) -> None:
        self.discord.gateway.forgets_sessions = True
        await self.discord.gateway.drop()

    def shuts_out(self, talk: Talk) -> None:
        del self.discord.world.channels[talk.first["id"]]

    def read_elsewhere(self, talk: Talk) -> list[str]:
        return list(map(shown_text, self.discord.in_channel(self.discord.general)))

    async def stumbles(self, seconds: float = 3) -> None:
        self.discord.rest.fail("(POST|PATCH|DELETE) .*/channels", 500, times=10_000)
        await asyncio.sleep(seconds)
        self.discord.rest.mend()
        self.discord.rest.limit_once("POST .*/channels/.*/messages", 1.0)

    async def _clicked(self, talk: Talk, button: Button, who: str) -> Interaction:
        message = [
            each
            for each in self._posts(talk)
            if any(
                button in {part.get("label"), (part.get("emoji") or {}).get("name")}
                for part in walk(each["components"])
            )
        ][-1]
        return await self.discord.people.click(self.people[who], message, button)

    async def _commanded(self, name: str) -> str:
        await until(lambda: self.discord.rest.commands)
        used = await self.discord.people.command(self.people["anna"], self.discord.general, name)
        await until(lambda: used.original and not used.is_waiting)
        return shown_text(used.shown[0])

    def _private(self, who: str) -> list[Any]:
        return [
            message
            for each in self.discord.rest.interactions.values()
            if each.user is self.people[who] and not each.is_waiting
            for message in each.shown
            if message["flags"] & EPHEMERAL
        ]

    async def stop(self, talk: Talk) -> None:
        (status,) = [each for each in self._posts(talk) if each["components"]]
        await self.discord.people.click(self.people["anna"], status, "Stop")

    async def edit(self, talk: Talk, text: str) -> None:
        await self.discord.people.edit(talk.first, f"<@{self.discord.bot['id']}> {text}")

    async def delete(self, talk: Talk) -> None:
        await self.discord.people.delete(talk.first)

    async def days_pass(self, days: float) -> None:
        await self.discord.clock.advance(days * DAY_SECONDS)

    def _thread(self, talk: Talk) -> Any:
        """Made from the message: it has its id."""
        return self.discord.world.channels[talk.first["id"]]

    def _posts(self, talk: Talk) -> list[Any]:
        made = self.discord.world.channels.get(talk.first["id"])
        return self.discord.in_channel(made) if made else []


@asynccontextmanager
async def slack_town() -> AsyncIterator[SlackTown]:
    async with FakeSlack().serving() as slack:
        # The bot is another process, with the clock on the wall.
        slack.clock.now = time.time()
        env = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_API_URL": slack.api_url}
        yield SlackTown(slack, env)
        assert slack.complaints == []


@asynccontextmanager
async def discord_town() -> AsyncIterator[DiscordTown]:
    async with FakeDiscord(FakeClock(datetime.now(UTC))) as discord:
        env = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway.url,
            "ALLOW__DISCORD_GUILDS": discord.guild["id"],
            "BUDGETS__DISCORD_COOLDOWN_SECONDS": "0",
        }
        yield DiscordTown(discord, env)
        assert discord.rest.violations == []


def _is_status(message: dict[str, Any]) -> bool:
    return any(part.get("label") == "Stop" for part in walk(message["components"]))


def _said(message: dict[str, Any]) -> str:
    """Cells of tables and captions of buttons left out."""
    shown: list[str] = []

    def walk(value: object) -> None:
        match value:
            case {"type": "actions" | "context_actions"}:
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
    return re.sub(r"\n+", "\n", "\n".join(shown)) or str(message["text"])


_HISTORIES = {f"{kind}:{what}" for kind in KIND_SCOPES.values() for what in ("history", "read")}
_ACTIONS = {
    Button.SHOW_CODE: "show_code",
    Button.EDIT: "edit_and_run",
    Button.NOTEBOOK: "notebook",
    Button.DELETE: "delete_answer",
    Button.ALLOW_ONCE: "allow_once",
    Button.ALLOW_THREAD: "allow_thread",
    Button.DENY: "deny",
    Button.REVOKE: "revoke",
}
TOWNS: dict[str, Callable[[], AbstractAsyncContextManager[Anywhere]]] = {
    "slack": slack_town,
    "discord": discord_town,
    "console": console_town,
}
WHERE: dict[type, Sequence[str]] = {
    Anywhere: list(TOWNS),
    Town: ["slack", "discord"],
    SlackTown: ["slack"],
    DiscordTown: ["discord"],
    ConsoleTown: ["console"],
}
"""Where a test runs, by the type of its `town`."""
