"""Hosts that code was refused: people are asked, and the turn waits without a worker; on both stores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import approving, deciding, forgetting
from bot.engine.bell import LocalBell
from bot.errors import PlatformUnavailable
from bot.execution import Execution, Host, Outcome, Receipt
from bot.messages import Author, Noted, ThreadId
from bot.reception import Act, Action, Decided
from bot.store.approvals import Decision
from bot.store.audit import Event
from bot.store.database import Database
from bot.store.store import Store
from bot.store.tables import approvals, turns
from bot.transcript import Reply
from bot.visits import Visit, Wish
from tests.engine.conftest import Engine, until
from tests.fakes.ports import RecordingThread, ReplyingModel, calls, printed, results_in

THREAD = ThreadId("test:T1/C1/1")
SITE = Host("site.example")
ASKED = Visit(Wish.ASK, Author("U1", "Anna"), "test", "T1", "C1")


def visit(user: str = "U1", *, team: str = "T1", is_manager: bool = False) -> Visit:
    return Visit(Wish.CHANGE, Author(user, user), "test", team, "C1", is_manager=is_manager)


def refused(*hosts: Host, may_be_asked_for: bool = True) -> Execution:
    receipts = tuple(
        Receipt(each.name, each.port, refused="not listed", may_be_asked_for=may_be_asked_for)
        for each in hosts
    )
    return Execution(Outcome.RAISED, "OSError: 403", 0.1, receipts=receipts)


@dataclass
class Place:
    """A thread with people in it, whose code wants to reach `SITE`."""

    engine: Engine
    thread: RecordingThread = field(default_factory=lambda: RecordingThread(id=THREAD))

    def __post_init__(self) -> None:
        self.engine.approvers = "asker"
        self.thread.has_people = True
        self.engine.platform.threads[THREAD] = self.thread
        self.does("fetch()", lambda: printed("got it") if SITE in self.session.allowed else refused(SITE))

    @property
    def session(self) -> Any:
        return self.engine.sandbox.the_session

    def does(self, code: str, what: Callable[[], Execution]) -> None:
        self.session.does[code] = lambda _: what()

    async def ask(self, text: str = "fetch it", asking: Visit = ASKED) -> str:
        return await self.engine.ask(text, visit=asking)

    async def asked(self, count: int = 1) -> list[str]:
        """The questions, once the turn waits for their answers."""
        await until(lambda: len(self.thread.questions) == count)
        await self.until_state("parked")
        return list(self.thread.questions)

    async def until_state(self, state: str) -> None:
        async with Store.opened(self.engine.data_dir, self.engine.address) as store:

            async def states(connection: AsyncConnection) -> set[str]:
                return set(await connection.scalars(select(turns.c.state)))

            found: set[str] = set()
            while state not in found:
                found = await store.database.read(states)

    async def clicks(self, act: Act, question: str, by: Visit | None = None) -> Decided:
        """In another process."""
        action = Action("click", act, by or visit(), THREAD, question)
        async with Store.opened(self.engine.data_dir, self.engine.address) as store:
            ring = LocalBell(self.engine.data_dir / "bell").ring
            return await deciding.decide(action, store, self.engine.approvers, ring)

    async def decision(self) -> str | None:
        async with Store.opened(self.engine.data_dir, self.engine.address) as store:
            found: str | None = await store.database.read(lambda c: c.scalar(select(approvals.c.decision)))
            return found

    async def until_answered(self, count: int = 1) -> None:
        await until(lambda: len(self.engine.platform.answers()) == count)


@pytest.fixture
def place(engine: Engine) -> Place:
    return Place(engine)


def model(*more: Reply) -> ReplyingModel:
    """Tries to reach the host, tries again, and answers."""
    return ReplyingModel(calls("fetch()"), calls("fetch()"), Reply("Done."), *more)


def told(asked: ReplyingModel) -> str:
    """What the model has read of the last cell that had run by its last request."""
    return results_in(asked.requests[-1].entries)[-1].text


async def test_a_turn_that_waits_for_people_holds_no_worker_and_no_session(place: Place) -> None:
    asked = ReplyingModel(calls("fetch()"), Reply("Four."))
    async with place.engine.worker(asked) as worker:
        await place.ask()
        await place.asked()
        await until(lambda: worker.running == 0)
        assert not place.engine.sandbox.is_lent

        await place.ask("what is 2+2?")
        await place.until_answered()

    assert place.engine.platform.answers() == ["Four."]


async def test_people_read_which_host_it_is_and_until_when_they_may_decide(place: Place) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        await place.asked()

    (question,) = place.thread.questions.values()
    assert "`site.example`" in question
    assert "24 h" in question
    assert Noted("Waiting for somebody to decide about site.example") in place.thread.updates


async def test_what_is_allowed_once_is_reached_in_that_turn_and_in_no_other(place: Place) -> None:
    asked = model(calls("fetch()"), Reply("Not any more."))
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
        decided = await place.clicks(Act.ALLOW_ONCE, question)
        await place.until_answered()
        first = told(asked)
        await place.ask("again")
        await until(lambda: len(place.thread.questions) == 2)

    assert decided == Decided("U1 allowed `site.example` for this question.")
    assert "allow it for this question: run the code again" in asked.read
    assert "got it" in first


async def test_what_is_allowed_for_the_thread_is_reached_by_later_questions(place: Place) -> None:
    asked = model(calls("fetch()"), Reply("Again."))
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
        decided = await place.clicks(Act.ALLOW_THREAD, question)
        await place.until_answered()
        await place.ask("again")
        await place.until_answered(2)

    assert decided.can_be_revoked
    assert "got it" in told(asked)
    assert len(place.thread.questions) == 1


async def test_what_was_allowed_for_a_thread_is_for_no_other_thread(place: Place) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
        await place.clicks(Act.ALLOW_THREAD, question)
        await place.until_answered()
    async with Store.opened(place.engine.data_dir, place.engine.address) as store:
        assert await store.approvals.allowed(THREAD, "another") == {SITE}
        assert await store.approvals.allowed(ThreadId("test:T1/C1/2"), "another") == set()


async def test_what_is_denied_is_told_to_the_model_and_not_reached(place: Place) -> None:
    asked = ReplyingModel(calls("fetch()"), Reply("Without it, then."))
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
        decided = await place.clicks(Act.DENY, question)
        await place.until_answered()

    assert decided == Decided("U1 did not allow `site.example`.")
    assert "People were asked about site.example and do not allow it" in told(asked)
    assert place.engine.platform.answers() == ["Without it, then."]


async def test_whoever_starts_again_goes_on_with_what_was_decided_meanwhile(place: Place) -> None:
    asked = model()
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
    await place.clicks(Act.ALLOW_ONCE, question)
    async with place.engine.worker(asked):
        await place.until_answered()

    assert place.engine.platform.answers() == ["Done."]
    assert [code for _, code, _ in place.session.ran] == ["fetch()", "fetch()"]
    assert len(place.thread.questions) == 1


async def test_where_nobody_decides_in_time_the_turn_goes_on_without_the_host(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ReplyingModel(calls("fetch()"), Reply("Without it, then."))
    async with place.engine.worker(asked):
        await place.ask()
        await place.asked()
    real = Database.now

    async def a_day_later(self: Database, connection: AsyncConnection, **lock: Any) -> float:
        return await real(self, connection, **lock) + 86_401

    monkeypatch.setattr(Database, "now", a_day_later)
    async with place.engine.worker(asked):
        await place.until_answered()

    assert "nobody has decided in time" in told(asked)
    assert list(place.thread.questions.values()) == [
        "Nobody decided about `site.example` in time: it was not reached."
    ]
    assert await place.decision() == Decision.EXPIRED


@pytest.mark.parametrize(
    ("approvers", "by"),
    [
        ("asker", visit("U2")),
        ("managers", visit("U1")),
        ("asker", visit("U1", team="T2")),
        ("off", visit("U1", is_manager=True)),
    ],
)
async def test_who_may_not_decide_is_told_so_and_decides_nothing(
    place: Place, approvers: Any, by: Visit
) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
        place.engine.approvers = approvers
        decided = await place.clicks(Act.ALLOW_ONCE, question, by)

    assert not decided.is_for_all
    assert await place.decision() is None


async def test_who_manages_the_place_may_decide_for_others(place: Place) -> None:
    place.engine.approvers = "managers"
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
        await place.clicks(Act.ALLOW_ONCE, question, visit("U9", is_manager=True))
        await place.until_answered()

    assert place.engine.platform.answers() == ["Done."]


async def test_a_decision_stands(place: Place) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
    await place.clicks(Act.DENY, question)
    again = await place.clicks(Act.ALLOW_THREAD, question)

    assert again == Decided("Somebody has already decided about `site.example`.", is_for_all=False)
    assert await place.decision() == Decision.DENIED


async def stop(place: Place, why: str) -> None:
    async with Store.opened(place.engine.data_dir, place.engine.address) as store:
        await store.turns.stop(thread=THREAD, why=why)
    await LocalBell(place.engine.data_dir / "bell").ring()


async def test_a_question_of_a_turn_that_was_superseded_is_over(place: Place) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
    await stop(place, "superseded")
    decided = await place.clicks(Act.ALLOW_THREAD, question)

    assert decided == Decided("The question that needed `site.example` is over.")
    assert await place.decision() is None


async def test_a_turn_that_is_stopped_while_it_waits_says_so_and_takes_its_question_back(
    place: Place,
) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        await place.asked()
        await stop(place, "cancelled")
        await place.until_answered()
        await place.until_state("ended")

    (answer,) = place.engine.platform.answers()
    assert "Stopped" in answer
    assert list(place.thread.questions.values()) == ["The question that needed `site.example` is over."]


async def test_who_decides_before_the_turn_waits_is_heard(place: Place) -> None:
    class Quick(RecordingThread):
        async def ask(self, text: str, question: str) -> None:
            await super().ask(text, question)
            await place.clicks(Act.ALLOW_ONCE, question)

    quick = Quick(id=THREAD)
    quick.has_people = True
    place.engine.platform.threads[THREAD] = quick
    async with place.engine.worker(model()):
        await place.ask()
        await place.until_answered()

    assert place.engine.platform.answers() == ["Done."]


async def test_of_several_hosts_all_are_decided_before_the_turn_goes_on(place: Place) -> None:
    two = (SITE, Host("other.example", 8443))
    place.does("fetch()", lambda: printed("got both") if place.session.allowed == {*two} else refused(*two))
    asked = model()
    async with place.engine.worker(asked):
        await place.ask()
        first, second = await place.asked(2)
        await place.clicks(Act.ALLOW_ONCE, first)
        assert place.engine.platform.answers() == []
        await place.clicks(Act.ALLOW_ONCE, second)
        await place.until_answered()

    assert "got both" in told(asked)


async def test_code_that_tries_many_hosts_asks_about_a_few(place: Place) -> None:
    place.does("fetch()", lambda: refused(*(Host(f"{number}.example") for number in range(50))))
    async with place.engine.worker(model()):
        await place.ask()
        assert len(await place.asked(3)) == 3


async def test_a_host_is_asked_for_once_in_a_turn(place: Place) -> None:
    place.does("fetch()", lambda: refused(SITE))
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
        await place.clicks(Act.DENY, question)
        await place.until_answered()

    assert len(place.thread.questions) == 1
    assert len(place.session.ran) == 2


@pytest.mark.parametrize(
    "why", ["nobody may decide", "nobody can be asked", "a hard rule", "a direct message"]
)
async def test_else_a_refusal_stays_as_it_is(place: Place, why: str) -> None:
    asking = ASKED
    match why:
        case "nobody may decide":
            place.engine.approvers = "off"
        case "nobody can be asked":
            place.thread.has_people = False
        case "a hard rule":
            place.does("fetch()", lambda: refused(SITE, may_be_asked_for=False))
        case _:
            # There is nobody else, and whoever asks is no manager.
            place.engine.approvers = "managers"
            asking = Visit(Wish.ASK, Author("U1", "Anna"), "test", "T1", "D1", in_dm=True)
    async with place.engine.worker(model()):
        await place.ask(asking=asking)
        await place.until_answered()

    assert place.thread.questions == {}


async def test_a_question_that_the_platform_does_not_take_is_not_waited_for(place: Place) -> None:
    class Deaf(RecordingThread):
        async def ask(self, text: str, question: str) -> None:
            raise PlatformUnavailable("500 from the platform")

    deaf = Deaf(id=THREAD)
    deaf.has_people = True
    place.engine.platform.threads[THREAD] = deaf
    async with place.engine.worker(model()):
        await place.ask()
        await place.until_answered()

    assert place.engine.platform.answers() == ["Done."]


async def test_a_running_cell_loses_a_host_that_is_taken_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approving, "LOOK_SECONDS", 0.01)
    place.session.hangs_on = "wait()"
    asked = ReplyingModel(calls("fetch()"), calls("wait()"), Reply("Done."))
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
        await place.clicks(Act.ALLOW_THREAD, question)
        await place.session.is_hanging.wait()
        assert place.session.allowed == {SITE}

        taken_back = await place.clicks(Act.REVOKE, question, visit("U2"))
        await until(lambda: place.session.allowed == set())

    assert taken_back == Decided("U2 stopped allowing `site.example`.")


async def test_in_schema_mode_the_model_reads_no_name_that_code_may_have_made_of_data(place: Place) -> None:
    place.engine.data = "schema"
    asked = ReplyingModel(calls("fetch()"), Reply("Without it, then."))
    async with place.engine.worker(asked):
        await place.ask()
        (question,) = await place.asked()
        await place.clicks(Act.DENY, question)
        await place.until_answered()

    assert "People were asked about that host" in told(asked)
    assert "site.example" not in asked.read


async def test_the_trail_says_who_decided_what(place: Place) -> None:
    async with place.engine.worker(model()):
        await place.ask()
        (question,) = await place.asked()
    await place.clicks(Act.ALLOW_THREAD, question)
    async with Store.opened(place.engine.data_dir, place.engine.address) as store:
        (entry,) = await store.audit.entries(event=Event.DECIDED)

    assert (entry.user, entry.thread, entry.facts) == (
        "U1",
        THREAD,
        {"host": "site.example", "decision": "thread"},
    )


async def test_with_the_turn_that_asked_its_permission_is_forgotten(place: Place) -> None:
    async with place.engine.worker(model()):
        turn = await place.ask()
        (question,) = await place.asked()
    await place.clicks(Act.ALLOW_THREAD, question)
    async with Store.opened(place.engine.data_dir, place.engine.address) as store:
        await forgetting.forget_turn(store, turn)

        assert await store.approvals.allowed(THREAD, "another") == set()
