"""One turn, step by step: from a message to what is posted for it, and whatever happens on the way.

Each effect is a step of the turn's journal, so whoever takes a turn over goes on after the last one that was recorded.
"""

import hashlib
import shlex
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import structlog

from bot import metrics, policy, prices, prompt
from bot.admission import Admission
from bot.agent import Agent
from bot.approving import Approving
from bot.asking import Asking
from bot.borrowing import Borrowed
from bot.budgets import Budgets
from bot.cells import Cells
from bot.codecs import Codecs, message_from_json
from bot.composing import Composing, told
from bot.done import Done
from bot.errors import BotError, DiskFull, Fenced, ModelError, StoreUnavailable
from bot.execution import Artifact, Execution
from bot.folders import team_of
from bot.incidents import Incident, Incidents, is_disk_full
from bot.journal import Journal
from bot.journalled import JournalledModel, JournalledSession, nothing_more
from bot.limits import Limits
from bot.messages import Above, Message, Noted, Output
from bot.policy import Narrowed
from bot.ports import Model, Sandbox, Session, Thread
from bot.progress import Show, progress_to
from bot.quotas import Room
from bot.reach import OFFLINE, Reach
from bot.results import for_model
from bot.rules import Approvers
from bot.sentences import explain, say
from bot.spending import PaidModel, Spending, paid_sessions
from bot.stopping import SILENT, Parked, Stop, Stopped, unless_stopped
from bot.store.audit import Event, hash_of, noted, together
from bot.store.retention import revived
from bot.store.steps import Also
from bot.store.store import Store
from bot.transcript import DataMode, Prompt, Reply, Round, ToolResult, Transcript, Upload, Usage
from bot.uploads import TakenIn, Uploading
from bot.visits import Visit

log = structlog.get_logger()

Status = Literal["ok", "error", "cancelled"]
OURSELVES = "plotline"
"""`Reply.made_by` of the sentences that we say in the model's place."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All that a turn works with."""

    model: Model
    sandbox: Sandbox
    store: Store
    worker: str
    """Who works here: see `bot.engine.alive`."""
    limits: Limits
    data: DataMode = "full"
    contact: str = ""
    """Whom people can turn to, as they should read it."""
    endpoint: str = ""
    """Where the model is, as people should read it."""
    budgets: Budgets | None = None
    """How much may be used; None where nothing is bounded."""
    admission: Admission | None = None
    """Asked again before a turn begins; None where everybody may."""
    room: Room | None = None
    """For files; None where nothing bounds them."""
    incidents: Incidents | None = None
    """What operators hear of; None where nobody does."""
    reach: Reach = OFFLINE
    """What code can."""
    approvers: Approvers = "off"
    """Who may decide about hosts that code was refused."""
    retention_days: int = 0
    """After so many without a message, a thread was emptied."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a turn is to do."""

    message: Message
    codes: Sequence[str] | None = None
    """Cells that somebody wrote, to be run as they are: the model is not asked then."""
    visit: Visit | None = None
    """That of whoever asked, where a platform told of one."""
    narrowed: Narrowed | None = None
    """What has been decided for their team or guild, where the policy was asked just now."""
    is_thread_expired: bool = False
    """All that was said there before has been deleted for its age."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    status: Status
    text: str
    """As it was posted."""
    artifacts: tuple[Artifact, ...]
    cells: tuple[tuple[str, Execution], ...]
    usage: Usage
    cost_usd: float | None
    """None where the model's price is not known."""
    seconds: float
    error: BotError | None = None
    """Why the status is `error`, where we know. Not for people: `text` says it to them."""
    delivered: bool = True
    """False where the platform did not take it: the answer is recorded, and can be posted later."""


async def take(task: Task, thread: Thread, parts: Parts, journal: Journal, stop: Stop) -> TurnResult:
    """Do the task in its thread, or go on with it.

    Raises `Fenced` when somebody else does, `StoreUnavailable` when nothing can be recorded, `Parked` until people have
    decided something, and `CancelledError`.
    """
    started = time.monotonic()
    turn = _Turn(task, task.message, thread, parts, journal, stop)
    bound = {"team": team_of(thread.id), "thread": thread.id, "turn": journal.hold.turn}
    with structlog.contextvars.bound_contextvars(**bound):
        try:
            async with thread.working():
                status, output = await turn.answered()
                delivered = await turn.deliver(output)
        except Parked:
            # Whoever asked may ask other things meanwhile.
            turn.spending.close()
            raise
        turn.spending.close()
        if stop.is_set():
            await turn.take_questions_back()
        seconds = time.monotonic() - started
        log.info("turn.ended", status=status, delivered=delivered, seconds=round(seconds, 3))
        metrics.turn_ended(status, seconds, turn.done.model_seconds, turn.done.code_seconds)
        await turn.say_what_works()
    return TurnResult(
        status=status if delivered == "ok" else delivered,
        text=output.text,
        artifacts=output.artifacts,
        cells=tuple(turn.done.cells),
        usage=turn.done.usage,
        cost_usd=prices.cost_usd(turn.done.usage, parts.model.name),
        seconds=seconds,
        error=turn.error,
        delivered=delivered == "ok" or stop.is_set(),
    )


@dataclass(slots=True)
class _Turn:
    task: Task
    message: Message
    """With all that is known of its author by now."""
    thread: Thread
    parts: Parts
    journal: Journal
    stop: Stop
    transcript: Transcript = field(default_factory=Transcript)
    taken: TakenIn = field(default_factory=TakenIn)
    prompt: Prompt | None = None
    """What the model was asked, once it is in the transcript."""
    done: Done = field(default_factory=Done)
    error: BotError | None = None
    spending: Spending = field(init=False)

    def __post_init__(self) -> None:
        self.spending = Spending(
            database=self.parts.store.database,
            journal=self.journal,
            author=lambda: self.message.author,
            model=self.parts.model.name,
            budgets=self.parts.budgets,
            narrowed=self.task.narrowed,
        )

    async def answered(self) -> tuple[Status, Output]:
        """How the work ended, and what is to be posted for it; both recorded before anything is posted."""
        if "output" in self.journal.recorded:
            return await self.journal.step("output", self._nothing, self._codecs.output)
        # What is still on its way to the thread is waited for only behind the record.
        async with progress_to(self.thread) as show:
            status, ending = await self.ended(self.work(show))
            if ending:
                await self._note(ending)
            composing = Composing(self.parts.limits, self.parts.data, self._locale)
            output = composing.output(self.done, self.taken, ending)

            async def composed() -> tuple[Status, Output]:
                return status, output

            return await self.journal.step(
                "output", composed, self._codecs.output, lambda _: self._noted_answer(status, output)
            )

    async def deliver(self, output: Output) -> Status:
        """Post it, once. A question that was taken back gets no answer."""
        if self.stop.is_set() and self.stop.reason in SILENT:
            return "cancelled"

        # That it was posted is said by the turn's end: posted twice, it is there once.
        delivered, _ = await self.ended(self._post(output))
        return delivered

    async def _post(self, output: Output) -> None:
        await self.journal.check()
        await self.thread.post(output, key=f"{self.journal.hold.turn}:answer")

    async def take_questions_back(self) -> None:
        """Of a turn that was stopped while it waited for people."""
        for question in await self.parts.store.approvals.undecided(self.journal.hold.turn):
            host = str(question.host)
            await self.thread.settle(say(self._locale, "host_over", host=host), question.id)

    async def ended(self, step: Awaitable[None]) -> tuple[Status, str]:
        """Do it; how it ended, and the sentence for people unless it ended well."""
        try:
            await step
        except Stopped:
            return "cancelled", say(self._locale, "stopped")
        except (Fenced, Parked):
            raise
        except StoreUnavailable as error:
            await self._noticed(error)
            raise
        except BotError as error:
            return await self._failed(error)
        except Exception as error:
            if is_disk_full(error):
                return await self._failed(DiskFull(str(error)))
            log.exception("turn.crashed")
            return "error", self._explain(BotError("see the log"))
        return "ok", ""

    async def _failed(self, error: BotError) -> tuple[Status, str]:
        log.warning("turn.failed", error=type(error).__name__, detail=str(error), cause=repr(error.__cause__))
        if isinstance(error, ModelError):
            metrics.model_called(self.parts.model.name, "failed")
        await self._noticed(error)
        self.error = error
        return "error", self._explain(error)

    async def _noticed(self, error: BotError) -> None:
        if self.parts.incidents:
            await self.parts.incidents.noticed(error)

    async def say_what_works(self) -> None:
        """For whoever has heard of the opposite."""
        if self.parts.incidents and self.error is None:
            model = (Incident.MODEL_KEY, Incident.MODEL_QUOTA) if self.done.tokens else ()
            engine = (Incident.ENGINE,) if self.done.cells else ()
            await self.parts.incidents.works(Incident.STORE, Incident.DISK, *model, *engine)

    async def work(self, show: Show) -> None:
        """From the message to an answer in `done`."""
        if not (self.message.text.strip() or self.message.attachments or self.task.codes):
            self.done.text = say(self._locale, "nothing_asked")
            return
        self.transcript = await self.parts.store.transcripts.load(self.thread.id, but=self.journal.hold.turn)
        self.taken.uploads = {upload.name: upload for upload in _uploads(self.transcript)}
        await self._introduce()
        if self.task.is_thread_expired:
            self.journal.write_along(revived(self.thread.id))
            days = self.parts.retention_days
            self.taken.refusals.append(say(self._locale, "thread_expired", days=days))
        async with AsyncExitStack() as stack:
            session = Borrowed(
                self.parts.sandbox, self.thread.id, self.journal.hold, stack, show, self._locale
            )

            async def prompted() -> tuple[str, TakenIn]:
                return await self._message_text(session, show), self.taken

            text, self.taken = await self.journal.step(
                "prompt",
                prompted,
                self._codecs.prompt,
                lambda _: self._noted_question(),
                may_be_repeated=not self._needs_session,
            )
            if self.task.codes is not None:
                await self._run_as_it_is(self.task.codes or self._code_files(), self._cells(session, show))
            else:
                await self._ask(text)
                await self._answer(session, show)

    async def _introduce(self) -> None:
        """Who asks; and, in a thread that others had begun, what was said and sent there before."""

        async def introduced() -> Message:
            return await self.thread.introduce(self.message)

        async def said_before() -> Above:
            return await self.thread.above(self.message, was_emptied=self.task.is_thread_expired)

        self.message = await self.journal.step(
            "introduced", introduced, self._codecs.message, may_be_repeated=True
        )
        if not self.transcript.rounds:
            above = await self.journal.step("above", said_before, self._codecs.above, may_be_repeated=True)
            if above.messages:
                # Whoever deletes one of these from now on finds it here.
                await self.journal.write()
            self.taken.above = above
            before = tuple(file for message in above.messages for file in message.attachments)
            self.message = replace(self.message, attachments=(*before, *self.message.attachments))

    async def _answer(self, session: Borrowed, show: Show) -> None:
        if self.message.attachments and self.taken.nothing_usable:
            await self._add((Reply("\n".join(self.taken.refusals), made_by=OURSELVES),))
        else:
            await self._agent(session, show).answer()

    def _code_files(self) -> Sequence[str]:
        """Cells that run what was sent as a file."""
        names = [profile.name for profile in self.taken.profiles]
        return [f"%run -i {shlex.quote(name)}" for name in names[:1]]

    async def _run_as_it_is(self, codes: Sequence[str], cells: Cells) -> None:
        try:
            for code in codes:
                await unless_stopped(self.stop, cells.session.ready())
                await cells.run(code)
        finally:
            # Also where something ends it: what was done so far is told.
            executions = [execution for _, execution in self.done.cells]
            self.done.text = told(self._locale, executions) if executions else ""
        results = [for_model(code, execution, self.parts.data) for code, execution in self.done.cells]
        await self._ask(prompt.of_cells(self.message, codes, results))

    async def _note(self, ending: str) -> None:
        """The model has to know what was asked, how far it came, and what people were told in its place."""
        if self.prompt is None:
            await self._ask(prompt.of_message(self.message, self.taken, self.parts.data))
        said = {entry.text for entry in self.transcript if isinstance(entry, Reply)}
        unsaid = "" if self.done.text in said else self.done.text
        await self._add((Reply(f"{unsaid}\n\n{ending}".strip(), made_by=OURSELVES),))

    async def _message_text(self, session: Borrowed, show: Show) -> str:
        """The message as the model reads it. Its files are in the session from now on."""
        if not self._needs_session:
            return prompt.of_message(self.message, self.taken, self.parts.data)
        opened = await unless_stopped(self.stop, session.open())
        if self.message.attachments:
            await self._uploading(opened, show).take_in(self.taken)
        lost = opened.lost_variables if _has_run_cells(self.transcript) else None
        if lost is not None:
            show(Noted(say(self._locale, "variables_lost")))
        return prompt.of_message(
            self.message, self.taken, self.parts.data, files=await opened.files(), lost_variables=lost
        )

    @property
    def _needs_session(self) -> bool:
        """With nothing but text so far, no container is needed unless the model wants one."""
        return bool(self.message.attachments or self.taken.uploads or _has_run_cells(self.transcript))

    async def _meanwhile(self) -> None:
        """What people have written since: read by the model before it goes on."""
        if self.message.is_private:
            return
        for each in await self.journal.meanwhile():
            text = prompt.meanwhile(message_from_json(each))
            await self._add((Prompt(text, (), tuple(self.taken.uploads.values()), self.parts.data),))

    async def _ask(self, text: str) -> None:
        uploads = tuple(self.taken.uploads.values())
        self.prompt = Prompt(text, tuple(self.taken.pictures), uploads, self.parts.data)
        await self._add((self.prompt,))

    def _uploading(self, session: Session, show: Show) -> Uploading:
        return Uploading(
            message=self.message,
            thread=self.thread,
            session=session,
            journal=self.journal,
            limits=self.parts.limits,
            scratch=self.parts.store.data_dir / "tmp",
            with_pictures=self.parts.model.sees_images and self.parts.data == "full",
            contact=self.parts.contact,
            show=show,
            stop=self.stop,
            room=self.parts.room,
        )

    def _agent(self, session: Borrowed, show: Show) -> Agent:
        parts = self.parts
        paid = PaidModel(parts.model, self.spending)
        model = JournalledModel(paid, self.journal, self._codecs, self._replied, lambda: session.is_open)
        asking = Asking(
            model=model,
            limits=parts.limits,
            data=parts.data,
            instructions=self._instructions(),
            user=self._opaque_user(),
            transcript=self.transcript,
            refuse=lambda pictures: parts.store.transcripts.refuse(self.thread.id, pictures),
            show=show,
            stop=self.stop,
            done=self.done,
        )
        return Agent(asking, self._cells(session, show), self.done, self._add, self._meanwhile)

    def _cells(self, session: Borrowed, show: Show) -> Cells:
        approving = self._approving(show)
        return Cells(
            model=self.parts.model,
            limits=self.parts.limits,
            data=self.parts.data,
            session=self._journalled(session, approving),
            turn=self.journal.hold.turn,
            show=show,
            stop=self.stop,
            done=self.done,
            approving=approving if self._asks else None,
        )

    def _approving(self, show: Show) -> Approving | None:
        """None where what the deployment allows is all that there is."""
        if self.parts.approvers == "off":
            return None
        return Approving(
            approvals=self.parts.store.approvals,
            journal=self.journal,
            thread=self.thread,
            locale=self._locale,
            data=self.parts.data,
            seconds=self.parts.limits.approval_seconds,
            show=show,
        )

    @property
    def _asks(self) -> bool:
        """Whether people can be asked about a host, and somebody may decide."""
        visit = self.task.visit
        may_be_decided = visit is not None and policy.somebody_may_decide(visit, self.parts.approvers)
        return may_be_decided and self.thread.can_ask

    def _journalled(self, session: Borrowed, approving: Approving | None) -> JournalledSession:
        paid = paid_sessions(session.open, self.spending)
        reaching = approving.reaching if approving else nothing_more
        return JournalledSession(paid, self.journal, self._codecs, self._ran, reaching)

    # What is written along with steps

    def _replied(self, step: str, reply: Reply) -> Also:
        metrics.model_called(self.parts.model.name, "ok", reply.usage)
        return self.spending.asking(step, reply)

    def _ran(self, step: str, code: str, execution: Execution) -> Also:
        metrics.cells.labels(execution.outcome).inc()
        facts = {
            "code": hash_of(code),
            "outcome": execution.outcome,
            "seconds": round(execution.seconds, 3),
            "hosts": sorted({receipt.host for receipt in execution.receipts}),
        }
        return together(self._noted(Event.RAN, facts), self.spending.running(step, execution))

    def _noted_question(self) -> Also:
        looked_into = [profile.name for profile in self.taken.profiles]
        new = [upload for name, upload in self.taken.uploads.items() if name in looked_into]
        facts = {
            "files": [{"name": upload.name, "sha256": upload.sha256} for upload in new],
            "model_host": self.parts.endpoint if self.task.codes is None else "",
            "data": self.parts.data,
        }
        return self._noted(Event.ASKED, facts)

    def _noted_answer(self, status: Status, output: Output) -> Also:
        facts = {
            "status": status,
            "error": type(self.error).__name__ if self.error else "",
            "model": self.parts.model.name,
            "files": [{"name": each.name, "sha256": each.sha256} for each in output.artifacts],
        }
        return self._noted(Event.ANSWERED, facts)

    def _noted(self, event: Event, facts: dict[str, Any]) -> Also:
        turn, user = self.journal.hold.turn, self.message.author.id
        return noted(event, thread=self.thread.id, turn=turn, user=user, facts=facts)

    async def _add(self, entries: Round) -> None:
        await self.journal.add(entries)
        self.transcript.add(*entries)

    def _instructions(self) -> str:
        parts, message = self.parts, self.message
        return prompt.instructions(
            message.author,
            message.sent_at,
            parts.data,
            cell_seconds=parts.limits.cell_seconds,
            reach=replace(parts.reach, asks=self._asks),
        )

    def _opaque_user(self) -> str:
        team = self.thread.id.split("/")[0]
        return hashlib.sha256(f"{team} {self.message.author.id}".encode()).hexdigest()[:32]

    def _explain(self, error: BotError) -> str:
        return explain(self._locale, error, contact=self.parts.contact, endpoint=self.parts.endpoint)

    async def _nothing(self) -> tuple[Status, Output]:
        raise AssertionError("it is recorded")

    @property
    def _codecs(self) -> Codecs:
        return Codecs(self.parts.store.blobs, team_of(self.thread.id))

    @property
    def _locale(self) -> str:
        return self.message.author.locale


def _uploads(transcript: Transcript) -> tuple[Upload, ...]:
    """The files that people have put into the thread, under their present names."""
    newest_first = (entry for entries in reversed(transcript.rounds) for entry in reversed(entries))
    return next((entry.uploads for entry in newest_first if isinstance(entry, Prompt)), ())


def _has_run_cells(transcript: Transcript) -> bool:
    return any(isinstance(entry, ToolResult) for entry in transcript)
