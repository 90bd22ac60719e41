"""The `Thread` port over Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from adapters import named_hosts
from adapters.slack import blocks
from adapters.slack.addresses import Address
from adapters.slack.answers import Answers
from adapters.slack.connection import Connection
from adapters.slack.context import Context
from adapters.slack.delivering import Delivering
from adapters.slack.drafts import Drafts
from adapters.slack.errors import SlackRefused
from adapters.slack.progress import Progress
from adapters.slack.render import Form, Part, Rendering
from adapters.slack.safe import hosts_in, quiet
from adapters.slack.signs import Signs
from bot.errors import PlatformUnavailable
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update
from bot.sentences import say
from bot.visits import Visit

ALLOW_ONCE, ALLOW_THREAD, DENY, REVOKE = "allow_once", "allow_thread", "deny", "revoke"


class SlackThread:
    """For one turn. `title` is what Slack may call the conversation."""

    def __init__(self, connection: Connection, address: Address, title: str = "") -> None:
        self._connection = connection
        self._to = address
        self._title = title
        self._progress = Progress(
            Drafts(connection.web, connection.journal, address),
            stop_label=say(connection.people.known_locale(address.asker), "slack_stop"),
        )
        self._signs: Signs | None = None

    @property
    def id(self) -> ThreadId:
        return self._to.place.id

    @property
    def address(self) -> str:
        return str(self._to)

    async def meet(self, visit: Visit) -> Visit:
        return await self._connection.people.meet(visit)

    async def introduce(self, message: Message) -> Message:
        await named_hosts.remember(self._connection.journal, self.id, hosts_in(message.text))
        return await self._connection.people.introduce(message)

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        connection = self._connection
        context = Context(
            web=connection.web,
            people=connection.people,
            place=self._to.place,
            us=connection.us,
            refusal=connection.refusal,
            how=connection.how_context,
        )
        found = await context.above(self._to.question_ts, await self._locale())
        named = [host for each in found.messages for host in hosts_in(each.text)]
        await named_hosts.remember(connection.journal, self.id, named)
        return found

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        self._signs = Signs(
            web=self._connection.web,
            place=self._to.place,
            question_ts=self._to.question_ts,
            asker=self._to.asker,
            title=quiet(self._title),
            status=say(self._connection.people.known_locale(self._to.asker), "slack_working"),
        )
        async with self._signs.shown(), self._progress.kept():
            yield

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        await self._connection.files.fetch(attachment, to, limit_bytes)

    async def progress(self, update: Update) -> None:
        await self._progress.show(update)

    async def post(self, output: Output, key: str) -> None:
        delivering = await self._delivering()
        rendering = Rendering(
            locale=delivering.locale,
            turn=self._to.turn,
            hosts=await named_hosts.recall(self._connection.journal, self.id),
            asker=self._to.asker,
        )
        await delivering.deliver(rendering.render(output), key)
        if self._signs:
            self._signs.is_suspended = False

    async def whisper(self, text: str, key: str) -> None:
        place, asker, journal = self._to.place, self._to.asker, self._connection.journal
        if place.is_dm or not asker:
            await self.post(Output(text), key)
            return
        if await journal.recall(key):
            return
        await journal.note(key, "whispered")
        # Slack shows it to nobody in a thread that has not begun.
        begun = "" if place.thread_ts == self._to.question_ts else place.thread_ts
        try:
            await Answers(self._connection).whisper(asker, replace(place, thread_ts=begun), text)
        except SlackRefused:
            await self.post(Output(text), f"{key}:aloud")

    @property
    def can_ask(self) -> bool:
        return True

    async def ask(self, text: str, question: str) -> None:
        delivering = await self._delivering()
        locale = delivering.locale
        buttons = [
            blocks.button(say(locale, "host_allow_once"), ALLOW_ONCE, question, style="primary"),
            blocks.button(say(locale, "host_allow_thread"), ALLOW_THREAD, question),
            blocks.button(say(locale, "host_deny"), DENY, question, style="danger"),
        ]
        shown = quiet(text, self._to.asker)
        form = Form(shown, (blocks.markdown(shown), blocks.actions(buttons)))
        await delivering.post([Part(text, (form,))], self._key_of(question))
        if self._signs:
            await self._signs.suspend()

    async def settle(self, text: str, question: str) -> None:
        shown = quiet(text, self._to.asker)
        delivering = await self._delivering()
        with suppress(PlatformUnavailable):
            await delivering.change(Form(shown, (blocks.markdown(shown),)), self._key_of(question))

    def _key_of(self, question: str) -> str:
        return f"{self._to.turn}:asked:{question}"

    async def _delivering(self) -> Delivering:
        return Delivering(self._connection, self._to, self._progress, await self._locale())

    async def _locale(self) -> str:
        return (await self._connection.people.author(self._to.asker)).locale
