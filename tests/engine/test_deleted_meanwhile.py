"""What is deleted while a turn works with it is gone when the turn has ended."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import forgetting
from bot.messages import Above, Attachment, Author, Message, ThreadId
from bot.ports import Request
from bot.store.store import Store
from bot.transcript import Reply
from tests.engine.conftest import Engine, attachment, until
from tests.fakes.ports import RecordingThread, ReplyingModel, texts_of
from tests.operator.test_forgetting import everything

THREAD = ThreadId("test:T1/C1/1")
SECRET = "my salary is 4711 euros"

Forget = Callable[[Store], Awaitable[forgetting.Forgotten]]


class SlowFiles(RecordingThread):
    """Files arrive once they may."""

    def __init__(self) -> None:
        super().__init__()
        self.are_asked_for = asyncio.Event()
        self.may_arrive = asyncio.Event()

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        self.are_asked_for.set()
        await self.may_arrive.wait()
        await super().fetch(attachment, to, limit_bytes)


async def the_message(store: Store) -> forgetting.Forgotten:
    return await forgetting.forget_above(store, THREAD, lambda each: each["id"] == "m0")


async def its_author(store: Store) -> forgetting.Forgotten:
    return await forgetting.forget_user(store, "test:T1", "U2", "operator:test")


def said_above(*files: Attachment) -> Above:
    return Above((Message("m0", Author("U2", "Ben"), SECRET, datetime.now(UTC), files),))


@pytest.mark.parametrize("forget", [the_message, its_author])
async def test_what_is_deleted_while_its_files_arrive_is_neither_kept_nor_read(
    engine: Engine, forget: Forget
) -> None:
    thread = engine.platform.threads[THREAD] = SlowFiles()
    file = attachment("ours.csv")
    thread.said_above = said_above(file)
    thread.files[file.url] = b"a,b"
    model = ReplyingModel(Reply("Fine."))
    await engine.ask("What of it?")

    async with engine.worker(model), Store.opened(engine.data_dir, engine.address) as store:
        await thread.are_asked_for.wait()
        gone = await forget(store)
        thread.may_arrive.set()
        await until(lambda: engine.platform.answers() == ["Fine."])

        assert gone.redacted == 1
        assert SECRET not in model.read
        assert SECRET not in await everything(store)


async def test_no_answer_is_given_to_what_is_deleted_while_the_model_reads_it(engine: Engine) -> None:
    is_read, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(ReplyingModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            is_read.set()
            await may_go_on.wait()
            return await super().reply(request, on_text)

    engine.platform.threads[THREAD] = RecordingThread()
    engine.platform.threads[THREAD].said_above = said_above()
    model = Slow(Reply(f"As {SECRET}, no."), Reply("No."))
    await engine.ask("What of it?")

    async with engine.worker(model), Store.opened(engine.data_dir, engine.address) as store:
        await is_read.wait()
        await the_message(store)
        may_go_on.set()
        await until(lambda: bool(engine.platform.answers()))

        assert engine.platform.answers() == ["No."]
        assert SECRET not in "".join(texts_of(model.requests[-1]))
        assert SECRET not in await everything(store)
