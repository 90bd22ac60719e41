"""Turns in their order, once, and stopped when people say so; on both stores."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from bot.engine import taking, worker
from bot.engine.bell import LocalBell
from bot.errors import StoreUnavailable
from bot.messages import ThreadId
from bot.ports import Request
from bot.store.claiming import Bounds
from bot.store.fence import Hold
from bot.store.steps import Also
from bot.store.store import Store
from bot.store.tables import usage
from bot.store.turns import Turns
from bot.transcript import Reply
from tests.engine.conftest import Engine, until
from tests.fakes.ports import SilentModel, calls, printed

THREAD = "test:T1/C1/1"


class EchoModel:
    """Answers each question with its own last words, after a moment."""

    name = "echo"
    context_tokens = 100_000
    sees_images = False

    def __init__(self, seconds: float = 0.01) -> None:
        self.seconds = seconds
        self.at_once = self.most_at_once = 0
        self.asked: list[str] = []

    async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        text = request.entries[-1].text.splitlines()[-1]
        self.asked.append(text)
        return Reply(f"You said: {text}")


async def test_a_question_is_answered_in_its_thread(engine: Engine) -> None:
    async with engine.worker(EchoModel()):
        await engine.ask("hello")
        await until(engine.platform.answers)

    assert engine.platform.answers() == ["You said: hello"]


async def test_what_was_asked_while_nobody_worked_is_answered_later(engine: Engine) -> None:
    await engine.ask("one")
    await engine.ask("two", thread="test:T1/C1/2")

    async with engine.worker(EchoModel()):
        await until(lambda: engine.platform.answers() and engine.platform.answers("test:T1/C1/2"))


async def test_the_same_message_is_answered_once(engine: Engine) -> None:
    model = EchoModel()
    async with engine.worker(model):
        for _ in range(3):
            await engine.ask("hello", id="m1")
        await until(engine.platform.answers)
        await asyncio.sleep(0.3)

    assert model.asked == ["hello"]


async def test_a_turn_goes_on_where_it_was_once_the_store_is_there_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, away, end = EchoModel(), [StoreUnavailable("gone")], Turns.end

    async def ends(self: Turns, hold: Hold, outcome: str, also: Also | None = None) -> bool:
        if away:
            raise away.pop()
        return await end(self, hold, outcome, also)

    monkeypatch.setattr(Turns, "end", ends)
    monkeypatch.setattr(worker, "TRY_AGAIN_SECONDS", 0.01)
    async with engine.worker(model):
        await engine.ask("hello")
        await until(lambda: not away)
        await asyncio.sleep(0.3)

    assert (model.asked, engine.platform.answers()) == (["hello"], ["You said: hello"])


async def test_threads_run_side_by_side_and_each_in_its_order(engine: Engine) -> None:
    model = EchoModel(0.3)
    for number in range(3):
        for thread in ("test:T1/C1/1", "test:T1/C1/2"):
            # Of somebody else each, so that nothing is merged into what runs.
            await engine.ask(f"{thread[-1]}{number}", thread=thread, user=f"U{number}")
    async with engine.worker(model):
        await until(lambda: len(model.asked) == 6)

    assert model.most_at_once == 2
    assert [text for text in model.asked if text[0] == "1"] == ["10", "11", "12"]


async def test_one_person_cannot_take_all_places(engine: Engine) -> None:
    engine.bounds = Bounds(worker=8, user=2, everywhere=8)
    model = EchoModel(0.3)
    for number in range(5):
        await engine.ask(f"q{number}", thread=f"test:T1/C1/{number}")
    async with engine.worker(model):
        await until(lambda: len(model.asked) == 5)

    assert model.most_at_once == 2


async def test_a_follow_up_is_seen_by_the_turn_that_runs(engine: Engine) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    class Working(EchoModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            if not self.asked:
                self.asked.append("first")
                began.set()
                await go_on.wait()
                return calls("1")
            self.asked.append(request.entries[-1].text)
            return Reply("Both.")

    model = Working()
    async with engine.worker(model):
        await engine.ask("plot it")
        await began.wait()
        await engine.ask("in blue, please")
        go_on.set()
        await until(engine.platform.answers)
        await asyncio.sleep(0.2)

    assert engine.platform.answers() == ["Both."]
    assert "Meanwhile" in model.asked[1]
    assert "in blue, please" in model.asked[1]


async def test_what_is_asked_openly_is_not_answered_where_only_one_person_reads_it(engine: Engine) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    class Working(EchoModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            if not began.is_set():
                began.set()
                await go_on.wait()
                return calls("1")
            return await super().reply(request, on_text)

    async with engine.worker(Working()):
        await engine.ask("whispered", is_private=True)
        await began.wait()
        await engine.ask("aloud")
        go_on.set()
        await until(lambda: len(engine.platform.answers()) == 2)

    assert engine.platform.answers()[1] == "You said: aloud"


async def test_a_stop_ends_what_runs_and_says_so(engine: Engine) -> None:
    model = SilentModel("So far")
    async with engine.worker(model):
        await engine.ask("think")
        await model.was_asked.wait()
        async with Store.opened(engine.data_dir, engine.address) as store:
            await store.turns.stop(thread=ThreadId(THREAD))
        await LocalBell(engine.data_dir / "bell").ring()
        await until(engine.platform.answers, seconds=2)

    (answer,) = engine.platform.answers()
    assert answer.startswith("So far")
    assert "Stopped" in answer


async def test_an_edited_question_takes_the_place_of_the_older_one(engine: Engine) -> None:
    model = SilentModel()
    async with engine.worker(model):
        await engine.ask("wrong", id="m1")
        await model.was_asked.wait()
    await engine.ask("right", id="m1@2")
    async with engine.worker(EchoModel()):
        await until(engine.platform.answers)

    assert engine.platform.answers() == ["You said: right"]


async def test_a_turn_whose_worker_ended_goes_on_after_its_last_step(engine: Engine) -> None:
    class TwoSteps(EchoModel):
        async def reply(self, request: Request, on_text: Callable[[str], None]) -> Reply:
            self.asked.append("")
            if len(self.asked) == 1:
                return calls("first()")
            await asyncio.Event().wait()
            raise AssertionError("nobody sets that event")

    first = TwoSteps()
    engine.sandbox.the_session.does["first()"] = printed("did it")
    async with engine.worker(first):
        await engine.ask("work")
        await until(lambda: len(first.asked) == 2)
    second = EchoModel()
    async with engine.worker(second):
        await until(engine.platform.answers, seconds=15)

    assert len(engine.sandbox.the_session.ran) == 1
    assert second.asked == ["did it"]
    assert len(engine.platform.answers()) == 1


async def test_a_turn_that_breaks_again_and_again_ends_with_a_sentence(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "TAKEOVERS", 1)
    # Not within the turn, which would tell it itself.
    engine.platform.broken = 2
    async with engine.worker(EchoModel()):
        await engine.ask("die")
        await until(engine.platform.answers, seconds=20)

    (answer,) = engine.platform.answers()
    assert "several times" in answer


async def test_a_platform_that_does_not_take_the_answer_gets_it_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "DELIVER_AGAIN_SECONDS", 0.2)
    model = EchoModel()
    engine.platform.open(ThreadId(THREAD))
    engine.platform.threads[ThreadId(THREAD)].refuses_posts = True
    async with engine.worker(model):
        await engine.ask("hello")
        await until(lambda: model.asked)
        await asyncio.sleep(0.1)
        engine.platform.threads[ThreadId(THREAD)].refuses_posts = False
        await until(engine.platform.answers)

    assert model.asked == ["hello"]


async def test_usage_is_counted_once(engine: Engine) -> None:
    async with engine.worker(EchoModel()):
        await engine.ask("hello")
        await until(engine.platform.answers)
    async with Store.opened(engine.data_dir, engine.address) as store:
        count = await store.database.read(
            lambda connection: connection.scalar(select(func.count()).select_from(usage))
        )

    assert count == 1
