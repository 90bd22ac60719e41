"""A store that does not answer while Discord tells of something, once."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from adapters.discord.seam import Options
from bot.errors import StoreUnavailable
from bot.messages import Message, ThreadId
from bot.reception import DurableThread
from bot.visits import Visit
from tests.discord.conftest import shown_text
from tests.discord.rig import Recorder, Rig, connected
from tests.discord.waiting import quiet, until
from tests.fakes.discord import FakeDiscord

EVERY = Options(reads_all_messages=True, direct_messages=True, contact="Ops")
SECONDS = 600
"""Longer than anybody waits."""


@dataclass
class Stored(Recorder):
    """A core whose store may be away."""

    is_away: bool = False
    asked_in_vain: int = 0

    async def refusal(self, visit: Visit) -> str | None:
        self._look()
        return await super().refusal(visit)

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        self._look()
        await super().on_message(message, visit, thread)

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None:
        self._look()
        await super().on_edit(message, codes, visit, thread)

    async def on_delete(self, message_id: str, thread: ThreadId) -> None:
        self._look()
        await super().on_delete(message_id, thread)

    async def on_thread_deleted(self, thread: ThreadId) -> None:
        self._look()
        await super().on_thread_deleted(thread)

    async def holds(self, thread: ThreadId) -> bool:
        self._look()
        return await super().holds(thread)

    def _look(self) -> None:
        if self.is_away:
            self.asked_in_vain += 1
            raise StoreUnavailable("no connection")


@pytest.fixture
def core() -> Stored:
    return Stored()


@pytest.fixture
async def rig(fake: FakeDiscord, core: Stored) -> AsyncIterator[Rig]:
    async with connected(fake, EVERY, core=core) as rig:
        await until(lambda: fake.rest.commands)
        core.is_away = True
        yield rig
        core.is_away = False


async def test_a_question_is_taken_in_once_the_store_answers_again(rig: Rig, core: Stored) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which month?")
    await until(lambda: core.asked_in_vain)
    core.is_away = False
    await rig.fake.clock.wake(60)

    (taken,) = await until(lambda: core.questions)
    await quiet()
    assert taken.message.text == "which month?"
    assert rig.fake.in_channel(rig.fake.general) == []


async def test_what_waits_for_the_store_is_taken_in_in_order(rig: Rig, core: Stored) -> None:
    for number in range(3):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, str(number))
    await until(lambda: core.asked_in_vain)
    core.is_away = False
    await rig.fake.clock.wake(60)

    await until(lambda: len(core.questions) == 3)
    assert [each.message.text for each in core.questions] == ["0", "1", "2"]


async def test_whose_question_is_not_taken_in_for_minutes_reads_so_once(rig: Rig, core: Stored) -> None:
    said = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which month?")
    await until(lambda: core.asked_in_vain)
    await rig.fake.clock.advance(SECONDS)

    (reply,) = await until(lambda: rig.fake.in_channel(rig.fake.general))
    await rig.fake.clock.advance(SECONDS)
    await quiet()
    assert "tell Ops" in shown_text(reply)
    assert reply["message_reference"]["message_id"] == said["id"]
    assert len(rig.fake.in_channel(rig.fake.general)) == 1
    assert core.asked_in_vain > 5


async def test_who_asked_behind_others_reads_so_no_later_than_they(rig: Rig, core: Stored) -> None:
    for number in range(3):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, str(number))
    await until(lambda: core.asked_in_vain)
    await quiet()
    await rig.fake.clock.advance(SECONDS)

    await until(lambda: len(rig.fake.in_channel(rig.fake.general)) == 3)


async def test_people_among_themselves_read_nothing_of_the_store(rig: Rig, core: Stored) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "theirs", rig.fake.anna["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    await rig.fake.people.say(rig.fake.anna, thread, "lunch?")
    await until(lambda: core.asked_in_vain)
    await rig.fake.clock.advance(SECONDS)
    await quiet()

    assert rig.fake.in_channel(thread) == []


async def test_an_edit_and_a_deletion_are_told_once_the_store_answers_again(rig: Rig, core: Stored) -> None:
    core.is_away = False
    edited = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which month?")
    deleted = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "and why?")
    await until(lambda: len(core.questions) == 2)
    core.is_away = True
    await rig.fake.people.edit(edited, f"<@{rig.fake.bot['id']}> which year?")
    await rig.fake.people.delete(deleted)
    await until(lambda: core.asked_in_vain >= 2)
    core.is_away = False
    await rig.fake.clock.wake(60)

    await until(lambda: core.edits and core.deletions)
    assert [each.message.text for each in core.edits] == ["which year?"]
    assert [message for message, _ in core.deletions] == [f"discord:{deleted['id']}"]


async def test_a_deleted_thread_is_told_once_the_store_answers_again(rig: Rig, core: Stored) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "work", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    gone = {key: thread[key] for key in ("id", "guild_id", "parent_id", "type")}
    await rig.fake.gateway.emit("THREAD_DELETE", gone)
    await until(lambda: core.asked_in_vain)
    core.is_away = False
    await rig.fake.clock.wake(60)

    await until(lambda: core.threads_deleted)
