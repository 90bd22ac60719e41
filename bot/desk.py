"""Where adapters hand in what people said and clicked: the policy is asked first, then it becomes a turn, or an answer.

Nothing of what is refused is kept. Nothing here waits for a turn: workers do the work (`bot.engine`).
"""

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot import deciding, exporting, forgetting, metrics, notebook, telling
from bot.admission import Admission
from bot.blobs import Blobs
from bot.codecs import message_from_json
from bot.engine import taking
from bot.engine.bell import Bell
from bot.errors import BotError
from bot.execution import Artifact
from bot.exporting import NothingThere, OwnSandbox
from bot.folders import team_of
from bot.house import House
from bot.messages import Message, Output, ThreadId
from bot.policy import Refusal, Rule
from bot.reception import Act, Action, Decided, DurableThread, Held, Kept
from bot.rules import Approvers
from bot.sentences import say
from bot.store.audit import Event
from bot.store.lookups import Lookups
from bot.store.store import Store
from bot.store.turns import NewTurn
from bot.store.usage import Payer
from bot.visits import Visit

log = structlog.get_logger()

NOTEBOOK = "notebook.ipynb"
"""The name under which a thread's work is handed out."""


@dataclass(frozen=True, slots=True)
class Desk:
    store: Store
    admission: Admission
    bell: Bell
    sandbox: OwnSandbox | None
    """None in a gateway: there code is not run again, and workers notice for themselves what was forgotten."""
    house: House
    cell_seconds: float
    tell_rating: Callable[[str], Awaitable[object]]
    """Tells operators what somebody thought of an answer."""
    approvers: Approvers = "off"

    async def serves(self, platform: str, team: str) -> bool:
        return self.admission.serves(platform, team)

    async def refusal(self, visit: Visit) -> str | None:
        refusal = await self.admission.refusal(visit)
        return refusal.said(visit.author, self.house.contact) if refusal else None

    async def introduction(self, locale: str) -> str:
        return telling.introduction(locale, self.house)

    # What people say

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        await self._take_in(taking.question(thread.id, message, thread.address), visit, message, thread)

    async def on_run(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        await self._take_in(taking.cells(thread.id, message, codes, thread.address), visit, message, thread)

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        if codes:
            await self.on_run(message, codes, visit, thread)
        else:
            await self.on_message(message, visit, thread)

    async def on_delete(self, message_id: str, thread: ThreadId) -> None:
        source = taking.source_of(message_id)
        await self._end_sessions(await forgetting.forget_turn(self.store, source, wake=self.bell.ring))
        read = await forgetting.forget_above(
            self.store, thread, lambda said: taking.source_of(said["id"]) == source
        )
        await self._end_sessions(read)

    async def on_file_deleted(self, platform: str, team: str, file: str) -> None:
        for source in await self._lookups.turns_with_file(f"{platform}:{team}", file):
            forgotten = await forgetting.forget_turn(self.store, source, wake=self.bell.ring)
            await self._end_sessions(forgotten)
        for thread in await self._lookups.threads_with_file_above(f"{platform}:{team}", file):
            read = await forgetting.forget_above(
                self.store, thread, lambda said: any(file in each["url"] for each in said["attachments"])
            )
            await self._end_sessions(read)

    async def on_thread_deleted(self, thread: ThreadId) -> None:
        forgotten = await forgetting.forget_thread(self.store, thread, "platform", self.bell.ring)
        await self._end_sessions(forgotten)

    async def on_channel_deleted(self, platform: str, team: str, channel: str) -> None:
        for thread in await self._lookups.threads_in_channel(f"{platform}:{team}", channel):
            await self.on_thread_deleted(thread)

    async def on_uninstalled(self, platform: str, team: str) -> None:
        forgotten = await forgetting.forget_team(self.store, f"{platform}:{team}", "platform", self.bell.ring)
        await self._end_sessions(forgotten)

    async def on_stop(self, visit: Visit, thread: ThreadId) -> bool:
        askers = await self._lookups.askers(thread)
        if not askers or (visit.author.id not in askers and not visit.is_manager):
            return False
        stopped = await self.store.turns.stop(thread=thread)
        await self.bell.ring()
        return bool(stopped)

    # What people click

    async def on_action(self, action: Action) -> Output:
        await self.store.audit.note(
            Event.CLICKED,
            thread=action.thread,
            team=action.visit.place,
            turn=action.turn,
            user=action.visit.author.id,
            act=str(action.act),
        )
        return await _ANSWERS[action.act](self, action)

    async def on_decision(self, action: Action) -> Decided:
        return await deciding.decide(action, self.store, self.approvers, self.bell.ring)

    async def asker(self, turn: str) -> str | None:
        return await self._lookups.asker(turn)

    async def code(self, turn: str) -> str:
        return "\n\n".join(await exporting.codes_of(self.store, turn))

    async def holds(self, thread: ThreadId) -> bool:
        return await self._lookups.is_known(thread)

    async def has_heard(self, message_id: str) -> bool:
        return await self._lookups.has_heard(message_id, taking.source_of(message_id))

    async def kept(self, thread: ThreadId) -> Sequence[Kept]:
        found = await self._lookups.messages(thread)
        return [Kept(message_from_json(message), is_question) for message, is_question in found]

    async def recent(self, platform: str, team: str) -> Sequence[tuple[ThreadId, str]]:
        return await self._lookups.recent(f"{platform}:{team or 'dm'}")

    async def asked(self, platform: str, team: str) -> Sequence[Held]:
        asked = await self._lookups.asked(f"{platform}:{team or 'dm'}")
        return [Held(message_from_json(each["message"]), each["address"]) for each in asked]

    async def _take_in(self, turn: NewTurn, visit: Visit, message: Message, thread: DurableThread) -> None:
        visit, refusal = await self._admitted(visit, turn, thread)
        if refusal:
            await self._refuse(refusal, message, visit, thread)
            return
        if await self.store.turns.add(taking.by(visit, turn)):
            await self.bell.ring()

    async def _admitted(
        self, visit: Visit, turn: NewTurn, thread: DurableThread
    ) -> tuple[Visit, Refusal | None]:
        payer = Payer(turn.id, thread.id, visit.author.id)
        refusal = await self.admission.admit(visit, payer)
        if refusal and refusal.rule is Rule.UNKNOWN:
            # The platform knows more of them than came with the message.
            visit = await thread.meet(visit)
            refusal = await self.admission.admit(visit, payer)
        return visit, refusal

    async def _refuse(self, refusal: Refusal, message: Message, visit: Visit, thread: DurableThread) -> None:
        await self.store.audit.note(
            Event.REFUSED, team=visit.place, user=visit.author.id, rule=str(refusal.rule)
        )
        metrics.refusals.labels(str(refusal.rule)).inc()
        if not refusal.is_silent:
            sentence = refusal.said(visit.author, self.house.contact)
            with contextlib.suppress(BotError):
                await thread.whisper(sentence, key=f"{message.id}:refused")

    async def _show_code(self, action: Action) -> Output:
        return Output(telling.code(await exporting.codes_of(self.store, action.turn)))

    async def _usage(self, action: Action) -> Output:
        visit = action.visit
        payer = Payer("", action.thread or ThreadId(f"{visit.place}/"), visit.author.id)
        return Output(telling.usage(visit.author, await self.admission.budgets.standings(payer)))

    async def _delete(self, action: Action) -> Output:
        await self._end_sessions(
            await forgetting.forget_turn(
                self.store, taking.source_of(action.turn), action.visit.author.id, self.bell.ring
            )
        )
        return Output()

    async def _notebook(self, action: Action) -> Output:
        locale, thread = action.visit.author.locale, action.thread
        if thread is None:
            return Output(say(locale, "notebook_nothing"))
        try:
            one = await exporting.found(self.store, thread, locale)
            if self.sandbox:
                one = await exporting.run_again(one, self.store, self.sandbox, self.cell_seconds)
        except NothingThere:
            return Output(say(locale, "notebook_nothing"))
        artifact = await _notebook_file(self.store.blobs, team_of(thread), one, self.store.data_dir)
        return Output(notebook.stamped(one.work), (artifact,))

    async def _files(self, action: Action) -> Output:
        record = await self.store.sessions.load(action.thread) if action.thread else None
        return Output(telling.files(action.visit.author.locale, (record or {}).get("files", {})))

    async def _settings(self, action: Action) -> Output:
        visit = action.visit
        if action.values:
            narrowed = await self.admission.narrow(visit, action.values)
        else:
            narrowed = await self.admission.narrowed(visit)
        return Output(telling.settings(visit.author.locale, narrowed))

    async def _rate(self, action: Action) -> Output:
        value = "good" if action.act is Act.LIKE else "bad"
        if action.thread:
            await self.store.feedback.rate(action.turn, action.thread, action.visit.author.id, value)
            await self.tell_rating(telling.rating(value, action.thread, action.turn))
        return Output()

    async def _forget(self, action: Action) -> Output:
        author = action.visit.author
        forgotten = await forgetting.forget_user(
            self.store, action.visit.place, author.id, author.id, self.bell.ring
        )
        await self._end_sessions(forgotten)
        return Output(telling.forgotten(author.locale, forgotten))

    async def _end_sessions(self, forgotten: forgetting.Forgotten) -> None:
        """Memory and files of their containers still hold what the store is rid of."""
        if self.sandbox:
            for thread, container in forgotten.containers.items():
                await self.sandbox.end(thread, container)

    @property
    def _lookups(self) -> Lookups:
        return Lookups(self.store.database)


_ANSWERS: dict[Act, Callable[[Desk, Action], Awaitable[Output]]] = {
    Act.SHOW_CODE: Desk._show_code,
    Act.NOTEBOOK: Desk._notebook,
    Act.FILES: Desk._files,
    Act.USAGE: Desk._usage,
    Act.SETTINGS: Desk._settings,
    Act.DELETE: Desk._delete,
    Act.LIKE: Desk._rate,
    Act.DISLIKE: Desk._rate,
    Act.FORGET: Desk._forget,
}


async def _notebook_file(blobs: Blobs, team: str, one: exporting.Found, data_dir: Path) -> Artifact:
    path = data_dir / "tmp" / f"{secrets.token_hex(8)}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        exporting.write(one, "ipynb", path)
        sha256, place = await blobs.add(team, path)
    finally:
        path.unlink(missing_ok=True)
    return Artifact(NOTEBOOK, "application/x-ipynb+json", place.stat().st_size, sha256, place)
