"""What a turn writes down and tells for operators, and what it says in a thread that has expired."""

import errno
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from bot import intake
from bot.engine import alive
from bot.errors import ModelMisconfigured, ModelQuotaExhausted, SandboxNotReady
from bot.execution import Execution, Outcome
from bot.incidents import Incidents
from bot.limits import Limits
from bot.messages import Attachment, Author, Message
from bot.ports import Model
from bot.quotas import Quotas, Room
from bot.stopping import Stop
from bot.store.audit import hash_of
from bot.store.store import Store
from bot.store.tables import threads
from bot.transcript import Reply
from bot.turn import Parts, TurnResult
from tests.fakes.ports import USED, FakeSandbox, RecordingThread, ReplyingModel, artifact, calls, printed


@dataclass
class House:
    store: Store
    thread: RecordingThread = field(default_factory=RecordingThread)
    sandbox: FakeSandbox = field(default_factory=FakeSandbox)
    told: list[str] = field(default_factory=list[str])
    total_bytes: int = 10**9
    asked: int = 0

    async def ask(self, model: Model, text: str = "Why?", **files: bytes) -> TurnResult:
        self.asked += 1
        attachments = [
            Attachment(name.replace("_", "."), f"https://files.example/{name}", len(content))
            for name, content in files.items()
        ]
        self.thread.files |= {f"https://files.example/{name}": content for name, content in files.items()}
        message = Message(
            f"m{self.asked}@", Author("U1", "Anna"), text, datetime.now(UTC), tuple(attachments)
        )

        async def announce(channel: str, said: str) -> None:
            self.told.append(said)

        incidents = Incidents(self.store.database, "slack:T1/C9", announcers={"slack:": announce})

        async def tell(which: str, quota: int) -> None:
            self.told.append(f"{which} {quota}")

        quotas = Quotas(total_bytes=self.total_bytes)
        async with alive.working(self.store.data_dir) as worker:
            parts = Parts(
                model=model,
                sandbox=self.sandbox,
                store=self.store,
                worker=worker,
                limits=Limits(),
                contact="the help desk",
                endpoint="api.example",
                room=Room(self.store.files, quotas, Limits(), None, tell),
                incidents=incidents,
                retention_days=90,
            )
            return await intake.receive(message, self.thread, parts, Stop())

    async def audit(self) -> Sequence[tuple[str, dict[str, object]]]:
        return [(entry.kind, entry.facts) for entry in await self.store.audit.entries()]


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store)


async def test_what_a_turn_did_is_written_down_by_hashes_alone(house: House) -> None:
    ran = printed("a secret value\n", artifacts=[artifact("chart.png")])
    house.sandbox.the_session.does = {"plot()": ran}
    model = ReplyingModel(calls("plot()"), Reply("The secret answer.", usage=USED))

    await house.ask(model, "A secret question?", sales_csv=b"1,2,3")

    (asked, question), (run, cell), (answered, answer) = await house.audit()
    assert (asked, run, answered) == ("asked", "ran", "answered")
    assert question["model_host"] == "api.example"
    assert [file["name"] for file in question["files"]] == ["sales.csv"]  # type: ignore[attr-defined, index]
    assert (cell["code"], cell["outcome"]) == (hash_of("plot()"), Outcome.OK)
    assert [file["name"] for file in answer["files"]] == ["chart.png"]  # type: ignore[attr-defined, index]
    assert answer["status"] == "ok"
    assert "secret" not in f"{await house.audit()}"


async def test_a_file_without_room_is_refused_by_name_and_the_rest_goes_on(house: House) -> None:
    house.total_bytes = 100
    model = ReplyingModel(Reply("Done."))

    result = await house.ask(model, "Look", small_csv=b"x" * 10, large_csv=b"x" * 95)

    assert "There is no room left for large.csv" in result.text
    assert "small.csv" not in result.text
    assert house.told == ["all 100"]
    assert set(house.sandbox.the_session.workspace) == {"small.csv"}


async def test_files_that_code_left_without_room_are_named_to_people(house: House) -> None:
    house.sandbox.the_session.does = {"1": Execution(Outcome.OK, "", 0.1, no_room_for=("large.bin",))}

    result = await house.ask(ReplyingModel(calls("1"), Reply("Done.")))

    assert "could not be kept: large.bin" in result.text


@pytest.mark.parametrize(
    ("error", "said", "told"),
    [
        (ModelMisconfigured("401"), "refuses to work with this bot's settings", "refuses to work"),
        (ModelQuotaExhausted("429"), "credit", "credit"),
        (OSError(errno.ENOSPC, "No space left on device"), "no room left on my disk", "disk is full"),
    ],
)
async def test_askers_read_a_sentence_with_the_contact_and_operators_are_told_once(
    house: House, error: Exception, said: str, told: str
) -> None:
    for _ in range(2):
        result = await house.ask(ReplyingModel(error))
        assert said in result.text
        assert "the help desk" in result.text

    (once,) = house.told
    assert told in once


async def test_an_engine_that_works_again_ends_the_incident(house: House) -> None:
    def needs_code() -> ReplyingModel:
        return ReplyingModel(calls("1"), Reply("Done.", usage=USED))

    house.sandbox.error = SandboxNotReady("no engine", mend="make image")
    await house.ask(needs_code())
    house.sandbox.error = None
    await house.ask(needs_code())
    house.sandbox.error = SandboxNotReady("no engine", mend="make image")
    await house.ask(needs_code())

    assert len(house.told) == 2


async def test_who_asks_in_an_expired_thread_hears_of_it_once(house: House, store: Store) -> None:
    await house.ask(ReplyingModel(Reply("First.")), "First?", sales_csv=b"1,2,3")
    await store.database.write(lambda c: c.execute(update(threads).values(used_at=time.time() - 91 * 86_400)))
    assert await store.retention.expire(90) == [house.thread.id]
    model = ReplyingModel(Reply("Second."))

    second = await house.ask(model, "And now?")
    third = await house.ask(ReplyingModel(Reply("Third.")), "And then?")

    assert second.text.startswith("What was said and made here earlier was deleted")
    assert "90 days" in second.text
    assert "First?" not in model.read
    assert "deleted" in model.read
    assert third.text == "Third."
