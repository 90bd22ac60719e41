"""What was said, edited and deleted while the bot could not hear."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord import catchup, inbound
from adapters.discord.seam import Options
from bot.visits import Wish
from tests.discord.rig import Rig, Taken, connected
from tests.discord.waiting import quiet, until
from tests.fakes.discord import FakeDiscord

VOICE = 2
EVERY = Options(reads_all_messages=True, direct_messages=True, runs=True)


@pytest.fixture
async def rig(fake: FakeDiscord) -> AsyncIterator[Rig]:
    async with connected(fake, EVERY) as rig:
        await until(lambda: fake.rest.commands)
        yield rig


def knows(rig: Rig) -> None:
    """Questions that were taken in are known to the core from now on."""
    rig.core.newest = [(each.thread.id, each.message.id) for each in reversed(rig.core.questions)]


async def asked(rig: Rig, channel: Any, text: str = "which month?", **facts: Any) -> tuple[Any, Taken]:
    """A question that was heard, and what was handed over of it; more than a minute ago."""
    before = len(rig.core.questions)
    said = await rig.fake.people.mention(rig.fake.anna, channel, text, **facts)
    (taken,) = await until(lambda: rig.core.questions[before:])
    await rig.fake.clock.advance(120)
    knows(rig)
    return said, taken


@asynccontextmanager
async def away(rig: Rig) -> AsyncIterator[None]:
    """The connection breaks, and what happens meanwhile is not told again."""
    gateway = rig.fake.gateway
    before = len(gateway.identified)
    gateway.forgets_sessions = True
    await gateway.ask_to_reconnect()
    await until(lambda: not gateway.sessions)
    yield
    await rig.fake.clock.wake(5)
    await until(lambda: len(gateway.identified) > before)


async def caught_up(rig: Rig) -> None:
    """By something said at the very end: messages of one channel are handed over in order."""
    before = len(rig.core.questions)
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "the last one")
    await until(lambda: [each for each in rig.core.questions[before:] if each.message.text == "the last one"])
    await quiet()


def texts(rig: Rig) -> set[str]:
    """Of all that was handed over as a question, once or twice."""
    return {each.message.text for each in rig.core.questions}


async def test_a_question_that_was_deleted_meanwhile_is_told(rig: Rig) -> None:
    said, taken = await asked(rig, rig.fake.general)
    other, _ = await asked(rig, rig.fake.general, "and why?")

    async with away(rig):
        await rig.fake.people.delete(said)

    await until(lambda: rig.core.deletions)
    await caught_up(rig)
    assert rig.core.deletions == [(taken.message.id, taken.thread.id)]
    assert other["id"] not in str(rig.core.deletions)


async def test_a_question_that_was_edited_meanwhile_is_told_once(rig: Rig) -> None:
    said, taken = await asked(rig, rig.fake.general)

    async with away(rig):
        await rig.fake.people.edit(said, f"<@{rig.fake.bot['id']}> which year?")

    (edit,) = await until(lambda: rig.core.edits)
    assert edit.message.text == "which year?"
    assert inbound.source_of(edit.message.id) == taken.message.id
    assert edit.address.edited
    async with away(rig):
        pass
    await caught_up(rig)
    assert rig.core.edits == [edit]
    assert texts(rig) == {"which month?", "the last one"}


async def test_what_says_the_same_again_is_not_answered_again(rig: Rig) -> None:
    said, _ = await asked(rig, rig.fake.general)
    linked, _ = await asked(rig, rig.fake.general, "see https://example.com")

    async with away(rig):
        await rig.fake.people.edit(said, f"<@{rig.fake.bot['id']}> which year?")
        await rig.fake.people.edit(said, f"<@{rig.fake.bot['id']}> which month?")
        await rig.fake.people.unfurl(linked)

    await caught_up(rig)
    assert rig.core.edits == []
    assert texts(rig) == {"which month?", "see https://example.com", "the last one"}


async def test_a_file_that_was_taken_out_of_a_question_is_an_edit(rig: Rig) -> None:
    said, _ = await asked(rig, rig.fake.general, files=[("a.csv", b"1", "text/csv")])

    async with away(rig):
        said["attachments"] = []
        await rig.fake.people.edit(said, said["content"])

    (edit,) = await until(lambda: rig.core.edits)
    assert edit.message.attachments == ()


async def test_an_edit_that_was_heard_is_not_told_again(rig: Rig) -> None:
    said, _ = await asked(rig, rig.fake.general)
    await rig.fake.people.edit(said, f"<@{rig.fake.bot['id']}> which year?")
    await until(lambda: rig.core.edits)

    async with away(rig):
        pass

    await caught_up(rig)
    assert len(rig.core.edits) == 1
    assert texts(rig) == {"which month?", "the last one"}


async def test_an_edit_of_long_ago_is_not_answered_any_more(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as first:
        said, _ = await asked(first, fake.general)
    await fake.people.edit(said, f"<@{fake.bot['id']}> which year?")
    await fake.clock.advance(30 * 3600)

    async with connected(fake, EVERY, core=first.core, journal=first.journal) as second:
        await caught_up(second)
        assert second.core.edits == []


async def test_after_a_restart_a_deleted_question_is_told_however_old_it_is(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as first:
        said, taken = await asked(first, fake.general)
    await fake.clock.advance(300 * 3600)
    await fake.people.delete(said)

    async with connected(fake, EVERY, core=first.core, journal=first.journal) as second:
        await until(lambda: second.core.deletions == [(taken.message.id, taken.thread.id)])


async def test_with_a_message_that_was_deleted_meanwhile_goes_what_was_asked_about_it(rig: Rig) -> None:
    ben = rig.fake.member("Ben")
    said = await rig.fake.people.say(ben, rig.fake.general, "May numbers", [("may.csv", b"1", "text/csv")])
    await rig.fake.people.use_on(rig.fake.anna, "Analyze", said)
    await rig.fake.people.reply(rig.fake.anna, said, f"<@{rig.fake.bot['id']}> sum it up")
    taken = await until(lambda: rig.core.questions[1:] and rig.core.questions)
    await rig.fake.clock.advance(120)
    knows(rig)

    async with away(rig):
        await rig.fake.people.delete(said)

    expected = {(each.message.id, each.thread.id) for each in taken}
    await until(lambda: expected <= set(rig.core.deletions))


async def test_code_blocks_that_were_edited_meanwhile_are_run_again(rig: Rig) -> None:
    said = await rig.fake.people.say(rig.fake.anna, rig.fake.general, "```py\nprint(1)\n```")
    await rig.fake.people.use_on(rig.fake.anna, "Run code blocks", said)
    (first,) = await until(lambda: rig.core.codes)
    await rig.fake.clock.advance(120)
    rig.core.newest = [(first.thread.id, first.message.id)]

    async with away(rig):
        await rig.fake.people.edit(said, "```py\nprint(2)\n```")

    (again,) = await until(lambda: rig.core.edits)
    assert again.codes == ("print(2)",)
    async with away(rig):
        pass
    await caught_up(rig)
    assert rig.core.edits == [again]


async def test_what_cannot_be_read_is_not_taken_for_deleted(rig: Rig) -> None:
    await asked(rig, rig.fake.general)
    rig.fake.world.set_permissions(rig.fake.general, rig.fake.bot["id"], read_message_history=False)

    async with away(rig):
        pass

    await caught_up(rig)
    assert rig.core.deletions == []
    # Too many refusals, and Discord shuts the whole address out.
    assert rig.fake.calls("GET", "/messages") == []


async def test_a_discord_that_fails_meanwhile_deletes_nothing(rig: Rig) -> None:
    await asked(rig, rig.fake.general)
    rig.fake.rest.fail("GET .*/messages", 403, code=50001, times=100)

    async with away(rig):
        pass

    await until(lambda: rig.fake.calls("GET", "/messages"))
    rig.fake.rest.mend()
    await caught_up(rig)
    assert rig.core.deletions == []


async def test_many_questions_of_a_channel_are_compared_with_one_request(rig: Rig) -> None:
    for number in range(20):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, str(number))
    await until(lambda: len(rig.core.questions) == 20)
    await rig.fake.clock.advance(120)
    knows(rig)
    before = len(rig.fake.calls("GET", "/messages"))

    async with away(rig):
        pass

    await caught_up(rig)
    assert len(rig.fake.calls("GET", "/messages")) - before <= 2


async def test_between_much_talk_questions_are_found_where_they_are(rig: Rig) -> None:
    gone, taken = await asked(rig, rig.fake.general)
    for number in range(150):
        await rig.fake.people.say(rig.fake.anna, rig.fake.general, str(number))
    await asked(rig, rig.fake.general, "and why?")

    async with away(rig):
        await rig.fake.people.delete(gone)

    await until(lambda: rig.core.deletions == [(taken.message.id, taken.thread.id)])


async def test_who_was_refused_before_does_not_read_so_again(rig: Rig) -> None:
    await asked(rig, rig.fake.general)
    rig.core.refusals[Wish.ASK] = "Not you."
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "one more")
    await until(lambda: rig.fake.in_channel(rig.fake.general))

    async with away(rig):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "and one meanwhile")

    await until(lambda: len(rig.fake.in_channel(rig.fake.general)) == 2)
    await quiet()
    replies = rig.fake.in_channel(rig.fake.general)
    assert len({each["message_reference"]["message_id"] for each in replies}) == len(replies) == 2


# ---- places that Discord does not tell of by itself


async def test_in_direct_messages_it_catches_up_where_they_are_on(rig: Rig) -> None:
    direct = rig.fake.world.dm(rig.fake.anna)
    edited, _ = await asked(rig, direct, "which month?")
    deleted, gone = await asked(rig, direct, "and why?")

    async with away(rig):
        await rig.fake.people.say(rig.fake.anna, direct, "meanwhile")
        await rig.fake.people.edit(edited, "which year?")
        await rig.fake.people.delete(deleted)

    await until(lambda: "meanwhile" in texts(rig))
    assert [each.message.text for each in rig.core.edits] == ["which year?"]
    assert rig.core.deletions == [(gone.message.id, gone.thread.id)]
    assert {each.thread.id for each in rig.core.questions} == {f"discord:dm/{direct['id']}"}


async def test_direct_messages_are_not_looked_at_where_they_are_off(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as first:
        direct = fake.world.dm(fake.anna)
        await asked(first, direct)

    async with connected(fake, core=first.core, journal=first.journal) as second:
        await caught_up(second)
        assert fake.calls("GET", f"/channels/{direct['id']}") == []


async def test_below_a_voice_channel_it_catches_up(rig: Rig) -> None:
    facts = {"bitrate": 64000, "user_limit": 0, "rtc_region": None, "video_quality_mode": 1}
    voice = rig.fake.world.channel(rig.fake.guild, "lounge", VOICE, **facts)
    await rig.fake.gateway.emit("CHANNEL_CREATE", voice)
    _, taken = await asked(rig, voice)
    deleted, gone = await asked(rig, voice, "and why?")

    async with away(rig):
        await rig.fake.people.mention(rig.fake.anna, voice, "meanwhile")
        await rig.fake.people.delete(deleted)

    await until(lambda: "meanwhile" in texts(rig))
    assert gone.message.id in {message for message, _ in rig.core.deletions}
    assert {each.thread.id for each in rig.core.questions} == {taken.thread.id}


async def test_in_a_thread_that_is_archived_again_it_catches_up(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    _, taken = await asked(rig, thread)
    deleted, gone = await asked(rig, thread, "and why?")
    rig.core.held.add(taken.thread.id)

    async with away(rig):
        await rig.fake.people.say(rig.fake.anna, thread, "meanwhile")
        await rig.fake.people.delete(deleted)
        thread["thread_metadata"]["archived"] = True

    (late,) = await until(lambda: [each for each in rig.core.questions if each.message.text == "meanwhile"])
    assert late.thread.id == taken.thread.id
    assert late.address.parent == int(rig.fake.general["id"])
    assert rig.core.deletions == [(gone.message.id, gone.thread.id)]


async def test_in_a_thread_of_its_own_that_is_archived_again_it_catches_up(rig: Rig) -> None:
    _, taken = await asked(rig, rig.fake.general)
    await rig.answer(taken, "May")
    thread = rig.fake.world.channels[str(taken.address.root)]

    async with away(rig):
        await rig.fake.people.say(rig.fake.anna, thread, "and June?")
        thread["thread_metadata"]["archived"] = True

    await until(lambda: "and June?" in texts(rig))


async def test_a_thread_that_was_deleted_meanwhile_is_told(rig: Rig) -> None:
    _, taken = await asked(rig, rig.fake.general)
    await rig.answer(taken, "May")

    async with away(rig):
        del rig.fake.world.channels[str(taken.address.root)]

    await until(lambda: rig.core.threads_deleted == [taken.thread.id])
    assert rig.core.deletions == []


async def test_a_thread_that_was_never_opened_is_not_taken_for_deleted(rig: Rig) -> None:
    await asked(rig, rig.fake.general)
    _, taken = await asked(rig, rig.fake.general, "and why?")
    rig.fake.world.set_permissions(rig.fake.general, rig.fake.bot["id"], create_public_threads=False)
    await rig.answer(taken, "May")

    async with away(rig):
        pass

    await caught_up(rig)
    assert rig.core.threads_deleted == []
    assert rig.core.channels_deleted == []


async def test_a_channel_that_was_deleted_meanwhile_is_told(rig: Rig) -> None:
    other = rig.fake.world.channel(rig.fake.guild, "other")
    await rig.fake.gateway.emit("CHANNEL_CREATE", other)
    await asked(rig, other)

    async with away(rig):
        del rig.fake.world.channels[other["id"]]

    await until(lambda: rig.core.channels_deleted == [(rig.fake.guild["id"], other["id"])])


async def test_no_more_than_a_bounded_number_of_archived_threads_is_asked_for(rig: Rig) -> None:
    for number in range(40):
        thread = rig.fake.world.thread(rig.fake.general, str(number), rig.fake.bot["id"])
        await rig.fake.people.mention(rig.fake.anna, thread, str(number))
        thread["thread_metadata"]["archived"] = True
    await until(lambda: len(rig.core.questions) == 40)
    await rig.fake.clock.advance(120)
    knows(rig)
    before = len(rig.fake.calls("GET"))

    async with away(rig):
        pass

    await caught_up(rig)
    assert len(rig.fake.calls("GET")) - before <= 2 * catchup.OTHERS + 5
