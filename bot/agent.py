"""The loop: ask the model, run the cells it asks for, until it asks for none."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.asking import Asking
from bot.cells import Cells
from bot.done import Done
from bot.errors import LimitReached, ModelError
from bot.transcript import Prompt, Reply, Round

GO_ON = Prompt("(Your reply was cut off at its length limit. Go on exactly where it ended.)")
SAY_SOMETHING = Prompt("(Your reply was empty. Answer the question now.)")
ONE_REPLY_LEFT = "(No more code may run for this question. Answer now, with what you have.)"


@dataclass(frozen=True, slots=True)
class Agent:
    asking: Asking
    cells: Cells
    done: Done
    add: Callable[[Round], Awaitable[None]]
    """Adds a whole round to the transcript."""
    meanwhile: Callable[[], Awaitable[None]]
    """Adds what people have said since, if they have."""

    async def answer(self) -> None:
        """Work on the transcript's last prompt until `done` holds the answer.

        Raises `Stopped` or a `BotError` where it has to end before that; `done` then holds what there is.
        """
        while True:
            code_was_used_up = self.cells.used_up is not None
            reply = await self._whole_reply()
            self.done.text = reply.text or self.done.text
            results = await self.cells.answer(reply)
            if results and self.asking.replies_left == 1:
                results[-1] = replace(results[-1], text=f"{results[-1].text}\n{ONE_REPLY_LEFT}")
            if reply.text.strip() or results:
                await self.add((reply, *results))
            if self.cells.ending:
                raise self.cells.ending
            if self.cells.used_up and (code_was_used_up or not results):
                raise self.cells.used_up
            if not results:
                break
            await self.meanwhile()
        if reply.truncated:
            raise LimitReached("the reply's length", sentence="reply_truncated")

    async def _whole_reply(self) -> Reply:
        """The next reply; asked for once more when it says nothing or breaks off."""
        reply = await self.asking.ask()
        if reply.tool_calls:
            return reply
        if reply.text.strip():
            return await self._continued(reply) if reply.truncated else reply
        if self.done.artifacts:
            return reply
        reply = await self.asking.ask(SAY_SOMETHING)
        if not (reply.text.strip() or reply.tool_calls or self.done.text.strip()):
            raise ModelError("an empty reply, twice", sentence="empty_reply")
        return reply

    async def _continued(self, reply: Reply) -> Reply:
        rest = await self.asking.ask(reply, GO_ON, after=reply.text)
        return replace(
            rest, text=reply.text + rest.text, raw=reply.raw + rest.raw, usage=reply.usage + rest.usage
        )
