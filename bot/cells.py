"""Running the cells of a reply, each call answered exactly once, whatever happens."""

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.approving import Approving
from bot.done import Done
from bot.errors import BotError, LimitReached
from bot.execution import Execution, Outcome, Picture
from bot.journalled import JournalledSession
from bot.limits import Limits
from bot.messages import CellFinished, CellStarted
from bot.ports import Model
from bot.progress import Show
from bot.results import for_model
from bot.stopping import Stopped, unless_stopped, until_stopped
from bot.tools import BadCall, code_in
from bot.transcript import DataMode, Reply, ToolCall, ToolResult

log = structlog.get_logger()

REPEATS = 3
"""How often in a row the same cell may fail in the same way."""

ABORTED = "Not run: aborted."
NO_MORE_CODE = "Not run: no more code may run for this question. Answer now, with what you have."


@dataclass(slots=True)
class Cells:
    model: Model
    limits: Limits
    data: DataMode
    session: JournalledSession
    turn: str
    """Names the cells: one of them runs once, whoever asks for it."""
    show: Show
    stop: asyncio.Event
    done: Done
    approving: Approving | None = None
    """Asks people about hosts; None where nobody is asked."""

    used_up: LimitReached | None = field(default=None, init=False)
    """The bound on code that was met. The model has been told, and may still answer."""
    ending: Stopped | BotError | None = field(default=None, init=False)
    """Why the turn must end now."""

    async def answer(self, reply: Reply) -> list[ToolResult]:
        """A result for each of the reply's calls, in order. Look at `ending` afterwards. Raises `Parked`."""
        results: list[ToolResult] = []
        for call in reply.tool_calls:
            try:
                results.append(await self._answer(call, cut_off=reply.truncated))
            except (Stopped, BotError) as error:
                # Raised by the agent, once the calls and their results are in the transcript together.
                self.ending = error
                results.append(ToolResult(call.id, ABORTED))
        return results

    async def _answer(self, call: ToolCall, *, cut_off: bool) -> ToolResult:
        if self.ending:
            return ToolResult(call.id, ABORTED)
        code = code_in(call, cut_off=cut_off)
        if isinstance(code, BadCall):
            return ToolResult(call.id, code.text)
        self.used_up = self.used_up or self._bound_met()
        if self.used_up:
            return ToolResult(call.id, NO_MORE_CODE)
        await unless_stopped(self.stop, self.session.ready())
        execution = await self.run(code)
        self._check_repeats()
        text = for_model(code, execution, self.data)
        if self.approving:
            said = await self.approving.about(code, execution)
            text = "\n".join([text, *said])
        return ToolResult(call.id, text, await self._pictures(execution))

    def _bound_met(self) -> LimitReached | None:
        if len(self.done.cells) >= self.limits.cells:
            return LimitReached("cells", sentence="limit_cells", limit=self.limits.cells)
        if self.done.code_seconds >= self.limits.code_seconds:
            seconds = int(self.limits.code_seconds)
            return LimitReached("code seconds", sentence="limit_code_seconds", limit=seconds)
        return None

    async def run(self, code: str) -> Execution:
        """Run one cell, show it, and count it."""
        number = len(self.done.cells) + 1
        self.show(CellStarted(number, code))
        seconds = min(self.limits.cell_seconds, self.limits.code_seconds - self.done.code_seconds)
        cell = self.session.run(code, cell_id=f"{self.turn}:cell:{number}", seconds=seconds)
        execution = await until_stopped(self.stop, cell, self.session.interrupt)
        self.done.add_cell(code, execution)
        self.show(CellFinished(number, execution))
        log.info("cell.ran", number=number, outcome=execution.outcome, seconds=execution.seconds)
        return execution

    def _check_repeats(self) -> None:
        """A model that sends the same failing cell again and again won't get out of it by itself."""
        newest = self.done.cells[-REPEATS:]
        ways = {
            (code, execution.outcome, execution.error and execution.error.name) for code, execution in newest
        }
        failed = newest[-1][1].outcome is not Outcome.OK
        if failed and len(newest) == REPEATS and len(ways) == 1:
            self.ending = LimitReached("repeats", sentence="limit_repeats", limit=REPEATS)

    async def _pictures(self, execution: Execution) -> tuple[Picture, ...]:
        if self.data == "schema" or not self.model.sees_images:
            return ()
        images = [artifact for artifact in execution.artifacts if artifact.is_image][-self.limits.pictures :]
        seen = [await self.session.picture(image, self.limits.picture_side) for image in images]
        return tuple(picture for picture in seen if picture)
