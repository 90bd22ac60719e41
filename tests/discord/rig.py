"""The whole bot, connected to the fake, with a core that records what it is handed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.discord import create_bot, inbound
from adapters.discord.address import Address
from adapters.discord.client import Bot
from adapters.discord.endpoints import point_to
from adapters.discord.seam import Options
from bot.messages import Message, Output, ThreadId
from bot.reception import Act, Action, Decided, DurableThread, Held, MemoryJournal
from bot.visits import Visit, Wish
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord


@dataclass(frozen=True)
class Taken:
    """One thing that was handed over."""

    message: Message
    visit: Visit
    thread: DurableThread
    codes: Sequence[str] = ()

    @property
    def address(self) -> Address:
        return Address.from_json(self.thread.address)


@dataclass
class Recorder:
    """A core without turns: it keeps what comes, and answers when a test says so."""

    questions: list[Taken] = field(default_factory=list)
    codes: list[Taken] = field(default_factory=list)
    edits: list[Taken] = field(default_factory=list)
    deletions: list[tuple[str, ThreadId]] = field(default_factory=list)
    threads_deleted: list[ThreadId] = field(default_factory=list)
    channels_deleted: list[tuple[str, str]] = field(default_factory=list)
    uninstalled: list[str] = field(default_factory=list)
    stops: list[tuple[Visit, ThreadId]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    running: set[ThreadId] = field(default_factory=set)
    held: set[ThreadId] = field(default_factory=set)
    served: set[str] | None = None
    """None: every guild."""
    refusals: dict[Wish, str] = field(default_factory=dict)
    answers: dict[Act, Output] = field(default_factory=dict)
    askers: dict[str, str] = field(default_factory=dict)
    code_of: dict[str, str] = field(default_factory=dict)
    newest: list[tuple[ThreadId, str]] = field(default_factory=list)
    breaks: bool = False
    decided: Decided = field(default_factory=lambda: Decided("Decided."))

    async def serves(self, platform: str, guild: str) -> bool:
        return self.served is None or guild in self.served

    async def refusal(self, visit: Visit) -> str | None:
        self.visits.append(visit)
        return self.refusals.get(visit.wish)

    async def introduction(self, locale: str) -> str:
        return "models.example receives your questions; kept for 90 days; ask Ops."

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        if self.breaks:
            raise RuntimeError("the core broke")
        self.questions.append(Taken(message, visit, thread))

    async def on_run(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        self.codes.append(Taken(message, visit, thread, codes))

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        self.edits.append(Taken(message, visit, thread, codes))

    async def on_delete(self, message_id: str, thread: ThreadId) -> None:
        self.deletions.append((message_id, thread))

    async def on_channel_deleted(self, platform: str, guild: str, channel: str) -> None:
        self.channels_deleted.append((guild, channel))

    async def on_thread_deleted(self, thread: ThreadId) -> None:
        self.threads_deleted.append(thread)

    async def on_uninstalled(self, platform: str, guild: str) -> None:
        self.uninstalled.append(guild)

    async def on_stop(self, visit: Visit, thread: ThreadId) -> bool:
        self.stops.append((visit, thread))
        return thread in self.running

    async def on_action(self, action: Action) -> Output:
        self.actions.append(action)
        return self.answers.get(action.act, Output(f"{action.act} of {action.thread}"))

    async def on_decision(self, action: Action) -> Decided:
        self.actions.append(action)
        return self.decided

    async def asker(self, turn: str) -> str | None:
        return self.askers.get(turn)

    async def code(self, turn: str) -> str:
        return self.code_of.get(turn, "")

    async def holds(self, thread: ThreadId) -> bool:
        return thread in self.held

    async def has_heard(self, message_id: str) -> bool:
        heard = [*self.questions, *self.codes, *self.edits]
        return message_id in {inbound.source_of(taken.message.id) for taken in heard}

    async def recent(self, platform: str, guild: str) -> Sequence[tuple[ThreadId, str]]:
        return self.newest

    async def asked(self, platform: str, guild: str) -> Sequence[Held]:
        taken = sorted([*self.questions, *self.codes, *self.edits], key=lambda each: each.message.id)
        here = [each for each in taken if str(each.address.guild or "") == guild]
        by_source = {inbound.source_of(each.message.id): each for each in here}
        return [Held(each.message, each.thread.address) for each in reversed(by_source.values())]


@dataclass
class Rig:
    fake: FakeDiscord
    core: Recorder
    journal: MemoryJournal
    bot: Bot

    async def answer(self, taken: Taken, text: str, *, with_code: bool = True) -> str:
        """Posted as a core does it; the turn."""
        turn = taken.message.id
        self.core.askers[turn] = taken.visit.author.id
        if with_code:
            self.core.code_of[turn] = "print(1)"
            self.core.answers[Act.SHOW_CODE] = Output("```python\nprint(1)\n```")
        codes = ("print(1)",) if with_code else ()
        await self.bot.thread(taken.thread.address).post(Output(text, codes=codes), f"{turn}:answer")
        return turn


@asynccontextmanager
async def connected(
    fake: FakeDiscord,
    options: Options | None = None,
    *,
    journal: MemoryJournal | None = None,
    core: Recorder | None = None,
    **client_options: Any,
) -> AsyncIterator[Rig]:
    point_to(fake.api_url, fake.gateway.url)
    core = core or Recorder()
    journal = journal or MemoryJournal({f"discord:introduced:{fake.guild['id']}": "yes"})
    settings: dict[str, Any] = {"guild_ready_timeout": 0.02} | client_options
    bot = create_bot(core, journal, options, clock=fake.clock, **settings)
    running = asyncio.ensure_future(bot.start(fake.token))
    try:
        await until(lambda: running.done() or bot.is_ready())
        if running.done():
            running.result()
        yield Rig(fake, core, journal, bot)
    finally:
        await bot.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
