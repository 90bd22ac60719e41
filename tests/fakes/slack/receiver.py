"""The core, as far as the Slack adapter knows it, in memory. It records; tests assert."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.messages import Message, Output, ThreadId
from bot.reception import Action, Decided, DurableThread, Kept
from bot.visits import Visit

Turn = Callable[[Message, DurableThread], Awaitable[None]]


@dataclass
class RecordingReceiver:
    """Takes each message once. With a `turn`, each is worked on, one after the other in each thread."""

    turn: Turn | None = None
    messages: list[tuple[Message, Visit, DurableThread]] = field(
        default_factory=list[tuple[Message, Visit, DurableThread]]
    )
    edits: list[Message] = field(default_factory=list[Message])
    runs: list[tuple[Message, str, DurableThread]] = field(
        default_factory=list[tuple[Message, str, DurableThread]]
    )
    deleted: list[str] = field(default_factory=list[str])
    channels_deleted: list[str] = field(default_factory=list[str])
    files_deleted: list[str] = field(default_factory=list[str])
    stops: list[tuple[str, ThreadId]] = field(default_factory=list[tuple[str, ThreadId]])
    actions: list[Action] = field(default_factory=list[Action])
    above: list[Message] = field(default_factory=list[Message])
    """What was read above questions."""
    uninstalled: list[str] = field(default_factory=list[str])

    running: set[ThreadId] = field(default_factory=set[ThreadId])
    outputs: dict[str, Output] = field(default_factory=dict[str, Output])
    """By act, what an action answers."""
    refuses: dict[str, str] = field(default_factory=dict[str, str])
    """By wish, why not."""
    decided: Decided = field(default_factory=lambda: Decided("Decided."))
    """What a click about a host comes to."""
    codes: dict[str, str] = field(default_factory=dict[str, str])
    fails: list[BaseException] = field(default_factory=list[BaseException])
    """Raised instead of taking the next messages."""
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list["asyncio.Task[None]"])
    _locks: dict[ThreadId, asyncio.Lock] = field(default_factory=dict[ThreadId, asyncio.Lock])

    @property
    def texts(self) -> list[str]:
        return [message.text for message, _, _ in self.messages]

    @property
    def everything(self) -> str:
        """All that reached the core, for what must not."""
        return repr((self.messages, self.edits, self.runs, self.deleted, self.actions))

    async def refusal(self, visit: Visit) -> str | None:
        return self.refuses.get(visit.wish)

    async def introduction(self, locale: str) -> str:
        return f"What you write goes to api.openai.com ({locale})."

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        if self.fails:
            raise self.fails.pop(0)
        if any(message.id == known.id for known, _, _ in self.messages):
            return
        self.messages.append((message, visit, thread))
        if self.turn:
            self._tasks.append(asyncio.ensure_future(self._work(self.turn, message, thread)))

    async def on_run(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        self.runs.append((message, "".join(codes), thread))

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        self.edits.append(message)

    async def on_delete(self, message_id: str, thread: ThreadId) -> None:
        self.deleted.append(message_id)

    async def on_channel_deleted(self, platform: str, team: str, channel: str) -> None:
        self.channels_deleted.append(channel)

    async def on_file_deleted(self, platform: str, team: str, file: str) -> None:
        self.files_deleted.append(file)

    async def on_stop(self, visit: Visit, thread: ThreadId) -> bool:
        self.stops.append((visit.author.id, thread))
        askers = {message.author.id for message, _, at in self.messages if at.id == thread}
        return thread in self.running and (visit.is_manager or visit.author.id in askers)

    async def on_action(self, action: Action) -> Output:
        self.actions.append(action)
        return self.outputs.get(action.act, Output())

    async def on_decision(self, action: Action) -> Decided:
        self.actions.append(action)
        return self.decided

    async def on_uninstalled(self, platform: str, team: str) -> None:
        self.uninstalled.append(team)

    async def asker(self, turn: str) -> str | None:
        return next((message.author.id for message, _, _ in self.messages if message.id == turn), None)

    async def code(self, turn: str) -> str:
        return self.codes.get(turn, "")

    async def has_heard(self, message_id: str) -> bool:
        source = message_id.partition("@")[0]
        return any(message.id.partition("@")[0] == source for message, _, _ in self.messages)

    async def kept(self, thread: ThreadId) -> Sequence[Kept]:
        there = [message for message, _, at in self.messages if at.id == thread]
        revised = {edit.id.partition("@")[0]: edit for edit in self.edits}
        newest = [revised.get(message.id.partition("@")[0], message) for message in there]
        kept = [*(Kept(each, is_question=True) for each in newest)]
        kept += [Kept(each, is_question=False) for each in self.above]
        return [each for each in kept if each.message.id.partition("@")[0] not in self.deleted]

    async def recent(self, platform: str, team: str) -> Sequence[tuple[ThreadId, str]]:
        newest = {thread.id: message.id for message, _, thread in self.messages}
        return list(reversed(newest.items()))

    async def settle(self) -> None:
        """Until every turn is over."""
        await asyncio.gather(*self._tasks)

    async def _work(self, turn: Turn, message: Message, thread: DurableThread) -> None:
        async with self._locks.setdefault(thread.id, asyncio.Lock()):
            self.running.add(thread.id)
            try:
                await turn(message, thread)
            finally:
                self.running.discard(thread.id)
