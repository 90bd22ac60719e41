"""The bot from the gateway to the core: what is handed over, and what people see at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import pytest

from adapters.discord import create_bot, inbound
from adapters.discord.client import logged_in
from adapters.discord.endpoints import point_to
from adapters.discord.errors import DiscordRefused
from adapters.discord.seam import Options
from bot.errors import PlatformUnavailable
from bot.messages import Noted, Output
from bot.reception import Act, MemoryJournal
from bot.visits import Wish
from tests.discord.conftest import Maker, names, shown_text
from tests.discord.rig import Recorder, Rig, connected
from tests.discord.waiting import quiet, until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.world import EVERYTHING, FORUM

EVERY = Options(reads_all_messages=True, direct_messages=True, runs=True)
MANAGES = EVERYTHING.value | discord.Permissions(manage_messages=True).value


@pytest.fixture
async def rig(fake: FakeDiscord) -> AsyncIterator[Rig]:
    async with connected(fake, EVERY) as rig:
        await until(lambda: fake.rest.commands)
        yield rig


def whispered(interaction: Interaction) -> str:
    """What only the asker reads."""
    assert interaction.original
    assert interaction.is_ephemeral
    return shown_text(interaction.original)


async def heard(interaction: Interaction) -> str:
    await until(lambda: interaction.original and not interaction.is_waiting)
    return whispered(interaction)


def in_guild(rig: Rig, channel: Any) -> str:
    return inbound.in_thread(int(rig.fake.guild["id"]), int(channel["id"]))


# ---- messages


async def test_a_mention_is_handed_over_with_its_files_and_a_thread_to_open(rig: Rig) -> None:
    said = await rig.fake.people.mention(
        rig.fake.anna, rig.fake.general, "which month?", [("a.csv", b"1", "text/csv")]
    )

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.message.text == "which month?"
    assert incoming.message.id == f"discord:{said['id']}"
    assert [each.name for each in incoming.message.attachments] == ["a.csv"]
    assert incoming.message.author.name == "Anna"
    assert incoming.address.thread == in_guild(rig, said)
    assert incoming.address.opens == "which month?"
    assert (incoming.visit.team, incoming.visit.channel) == (rig.fake.guild["id"], rig.fake.general["id"])

    await rig.answer(incoming, "May")
    thread = rig.fake.world.channels[said["id"]]
    assert [shown_text(each) for each in rig.fake.in_channel(thread)] == ["May"]


async def test_follow_ups_in_its_own_thread_need_no_mention(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)

    await rig.fake.people.say(rig.fake.anna, thread, "and June?")

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.address.thread == in_guild(rig, thread)
    assert incoming.address.opens == ""
    assert incoming.visit.channel == rig.fake.general["id"]


async def test_a_thread_that_is_not_known_yet_is_looked_up(rig: Rig) -> None:
    archived = rig.fake.world.thread(rig.fake.general, "old", rig.fake.bot["id"])

    await rig.fake.people.mention(rig.fake.anna, archived, "still there?")

    (taken,) = await until(lambda: rig.core.questions)
    assert taken.thread.id == in_guild(rig, archived)
    assert taken.visit.channel == rig.fake.general["id"]


async def test_people_among_themselves_are_left_alone(rig: Rig) -> None:
    ben = rig.fake.member("Ben")
    mine = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    theirs = rig.fake.world.thread(rig.fake.general, "theirs", ben["id"])
    for thread in (mine, theirs):
        await rig.fake.gateway.emit("THREAD_CREATE", thread)

    await rig.fake.people.say(rig.fake.anna, rig.fake.general, "lunch?")
    await rig.fake.people.say(rig.fake.anna, theirs, "secret plans")
    await rig.fake.people.say(rig.fake.anna, mine, f"<@{ben['id']}> what do you think?")
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "the last one")

    await until(lambda: rig.core.questions)
    assert [each.message.text for each in rig.core.questions] == ["the last one"]


async def test_a_post_in_a_forum_that_calls_it_is_held(rig: Rig) -> None:
    forum = rig.fake.world.channel(rig.fake.guild, "questions", FORUM)
    post = rig.fake.world.thread(forum, "help", rig.fake.anna["id"])
    await rig.fake.gateway.emit("CHANNEL_CREATE", forum)
    await rig.fake.gateway.emit("THREAD_CREATE", post)
    await rig.fake.people.mention(rig.fake.anna, post, "first", id=post["id"])
    rig.core.held.add(inbound.in_thread(int(rig.fake.guild["id"]), int(post["id"])))

    await rig.fake.people.say(rig.fake.anna, post, "second")

    await until(lambda: len(rig.core.questions) == 2)
    assert {each.address.thread for each in rig.core.questions} == {in_guild(rig, post)}


async def test_direct_messages_are_questions_where_they_are_on(rig: Rig) -> None:
    direct = rig.fake.world.dm(rig.fake.anna)

    await rig.fake.people.say(rig.fake.anna, direct, "hello", [("a.csv", b"1", "text/csv")])

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.address.thread == f"discord:dm/{direct['id']}"
    assert incoming.visit.team == ""
    await rig.answer(incoming, "hi")
    assert [shown_text(each) for each in rig.fake.in_channel(direct)] == ["hi"]


async def test_messages_of_a_channel_are_handed_over_in_order(rig: Rig) -> None:
    for number in range(20):
        await rig.fake.people.mention(rig.fake.anna, rig.fake.general, str(number))

    await until(lambda: len(rig.core.questions) == 20)
    assert [each.message.text for each in rig.core.questions] == [str(number) for number in range(20)]


async def test_who_is_refused_reads_why(rig: Rig) -> None:
    rig.core.refusals[Wish.ASK] = "Your questions for today are used up."

    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "one more")

    (reply,) = await until(lambda: rig.fake.in_channel(rig.fake.general))
    assert shown_text(reply) == "Your questions for today are used up."
    assert rig.core.questions == []


async def test_an_edited_question_is_a_new_revision_and_an_unfurled_link_is_not(rig: Rig) -> None:
    said = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "see https://example.com")
    await rig.fake.people.unfurl(said)
    await rig.fake.people.edit(said, f"<@{rig.fake.bot['id']}> which year?")

    (edit,) = await until(lambda: rig.core.edits)
    assert edit.message.text == "which year?"
    assert edit.message.id.startswith(f"discord:{said['id']}@")
    assert edit.address.edited


async def test_a_deleted_message_is_told_wherever_it_was(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    first = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "a")
    second = await rig.fake.people.say(rig.fake.anna, thread, "b")
    await rig.fake.people.delete(first)
    await rig.fake.people.delete(second)

    await until(lambda: len(rig.core.deletions) == 2)
    assert rig.core.deletions == [
        (f"discord:{first['id']}", in_guild(rig, first)),
        (f"discord:{second['id']}", in_guild(rig, thread)),
    ]


async def test_with_a_message_goes_what_was_asked_about_it(rig: Rig) -> None:
    ben = rig.fake.member("Ben")
    said = await rig.fake.people.say(ben, rig.fake.general, "May numbers", [("may.csv", b"1", "text/csv")])
    await rig.fake.people.use_on(rig.fake.anna, "Analyze", said)
    answering = await rig.fake.people.reply(rig.fake.anna, said, f"<@{rig.fake.bot['id']}> sum it up")
    asked = await until(lambda: rig.core.questions[1:] and rig.core.questions)

    await rig.fake.people.delete(said)

    await until(lambda: len(rig.core.deletions) == 3)
    assert f"discord:{answering['id']}" in {each.message.id for each in asked}
    assert {(each.message.id, each.thread.id) for each in asked} < set(rig.core.deletions)


async def test_with_an_answer_of_the_bots_does_not_go_what_was_asked_about_it(rig: Rig) -> None:
    first = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "why?")
    (taken,) = await until(lambda: rig.core.questions)
    await rig.answer(taken, "Because.")
    (answer,) = rig.fake.in_channel(rig.fake.world.channels[first["id"]])
    await rig.fake.people.reply(rig.fake.anna, answer, f"<@{rig.fake.bot['id']}> really?")
    await until(lambda: rig.core.questions[1:])

    await rig.fake.people.delete(answer)

    await until(lambda: rig.core.deletions)
    assert [message for message, _ in rig.core.deletions] == [f"discord:{answer['id']}"]


async def test_a_deleted_thread_is_told(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    gone = {key: thread[key] for key in ("id", "guild_id", "parent_id", "type")}
    await rig.fake.gateway.emit("THREAD_DELETE", gone)

    await until(lambda: rig.core.threads_deleted)
    assert rig.core.threads_deleted == [in_guild(rig, thread)]


async def test_a_deleted_channel_is_told(rig: Rig) -> None:
    await rig.fake.gateway.emit("CHANNEL_DELETE", rig.fake.general)

    await until(lambda: rig.core.channels_deleted)
    assert rig.core.channels_deleted == [(rig.fake.guild["id"], rig.fake.general["id"])]


async def test_without_the_intent_only_mentions_are_heard_and_help_says_so(fake: FakeDiscord) -> None:
    async with connected(fake) as rig:
        thread = fake.world.thread(fake.general, "mine", fake.bot["id"])
        await fake.gateway.emit("THREAD_CREATE", thread)
        await fake.people.say(fake.anna, thread, "and June?")
        await fake.people.mention(fake.anna, thread, "and July?")

        await until(lambda: rig.core.questions)
        assert [each.message.text for each in rig.core.questions] == ["and July?"]
        assert not fake.gateway.identified[0]["intents"] & 1 << 15
        await until(lambda: fake.rest.commands)
        asked = await fake.people.command(fake.anna, fake.general, "help")
        told = await heard(asked)
        assert "without that I can't read" in told
        assert "models.example" in told


async def test_direct_messages_and_runs_are_off_by_default(fake: FakeDiscord) -> None:
    async with connected(fake):
        await until(lambda: fake.rest.commands)

        listed = {each["name"] for each in fake.rest.commands[None]}
        assert not listed & {"run", "Run code blocks"}
        assert set(fake.rest.commands) == {None}
        assert all(each["integration_types"] == [0] for each in fake.rest.commands[None])
        assert all(1 not in each["contexts"] for each in fake.rest.commands[None])
        assert not fake.gateway.identified[0]["intents"] & 1 << 12


# ---- commands


async def test_ask_is_deferred_and_goes_to_a_thread_named_from_the_question(rig: Rig) -> None:
    asked = await rig.fake.people.command(
        rig.fake.anna,
        rig.fake.general,
        "ask",
        {"question": "which month?"},
        {"file1": ("a.csv", b"1", "text/csv"), "file2": ("a.csv", b"2", "text/csv")},
    )

    (incoming,) = await until(lambda: rig.core.questions)
    assert asked.is_waiting
    assert [each.name for each in incoming.message.attachments] == ["a.csv", "a.csv"]
    assert "/ephemeral-attachments/" in incoming.message.attachments[0].url

    await rig.answer(incoming, "May")
    assert asked.original
    assert shown_text(asked.original) == "**Anna** asks: which month?"
    thread = rig.fake.world.channels[asked.original["id"]]
    assert thread["name"] == "which month?"
    assert [shown_text(each) for each in rig.fake.in_channel(thread)] == ["May"]
    assert incoming.address.thread == in_guild(rig, thread)


async def test_ask_in_a_thread_is_answered_there(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)

    asked = await rig.fake.people.command(rig.fake.anna, thread, "ask", {"question": "and June?"})

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.address.thread == in_guild(rig, thread)
    await rig.answer(incoming, "Less.")
    assert [shown_text(each) for each in asked.shown] == ["Less."]


async def test_a_private_question_has_a_session_of_its_own(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)

    asked = await rig.fake.people.command(
        rig.fake.anna, thread, "ask", {"question": "how bad?", "private": True}
    )

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.address.thread == f"{in_guild(rig, thread)}/{rig.fake.anna['id']}"
    await rig.answer(incoming, "Very.")
    assert whispered(asked) == "Very."


async def test_commands_speak_the_askers_language(rig: Rig) -> None:
    await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "wann?"}, locale="de")

    (incoming,) = await until(lambda: rig.core.questions)
    await rig.answer(incoming, "Im Mai.")
    (message,) = rig.fake.in_channel({"id": str(incoming.address.original)})
    assert rig.fake.people.button(message, "Code zeigen")


async def test_who_may_not_ask_is_told_privately(rig: Rig) -> None:
    rig.core.refusals[Wish.ASK] = "Not you."

    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "why?"})

    assert await heard(asked) == "Not you."
    assert rig.core.questions == []


async def test_a_slow_policy_does_not_cost_the_three_seconds(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.answering.ANSWER_SECONDS", 0.05)

    async def slow(*_: Any) -> str:
        await asyncio.sleep(30)
        return "no"

    rig.core.refusal = slow  # type: ignore[method-assign]

    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "why?"})

    await until(lambda: rig.core.questions)
    assert asked.is_waiting


async def test_a_broken_core_is_an_apology(rig: Rig) -> None:
    rig.core.breaks = True

    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "why?"})

    await until(lambda: asked.original and not asked.is_waiting)
    assert asked.original
    assert "went wrong" in shown_text(asked.original)
    assert "broke" not in shown_text(asked.original)


async def test_a_core_that_breaks_before_the_first_answer_is_an_apology(rig: Rig) -> None:
    async def broken(*_: Any) -> str:
        raise RuntimeError("the core broke")

    rig.core.refusal = broken  # type: ignore[method-assign]

    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "why?"})

    told = await heard(asked)
    assert "went wrong" in told
    assert "broke" not in told


async def test_what_the_gateway_tells_twice_is_done_once(rig: Rig) -> None:
    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "ask", {"question": "why?"})
    (taken,) = await until(lambda: rig.core.questions)
    await rig.answer(taken, "Because.")
    before = len(rig.fake.calls("POST", "/callback"))

    await rig.fake.gateway.emit("INTERACTION_CREATE", asked.event)

    await until(lambda: len(rig.fake.calls("POST", "/callback")) > before)
    await quiet()
    assert rig.core.questions == [taken]
    assert [shown_text(each) for each in asked.shown] == ["**Anna** asks: why?"]


async def test_a_command_from_a_channel_that_discord_does_not_describe_is_answered(rig: Rig) -> None:
    elsewhere = rig.fake.world.channel(rig.fake.guild, "hidden")

    asked = await rig.fake.people.command(
        rig.fake.anna, elsewhere, "ask", {"question": "why?"}, tells_channel=False
    )

    (taken,) = await until(lambda: rig.core.questions)
    assert taken.address.opens == ""
    await rig.answer(taken, "Because.")
    assert [shown_text(each) for each in asked.shown] == ["Because."]


async def test_where_only_a_user_installed_it_all_comes_by_the_token(rig: Rig) -> None:
    asked = await rig.fake.people.command(
        rig.fake.anna, rig.fake.general, "ask", {"question": "why?"}, user_install=True
    )

    (taken,) = await until(lambda: rig.core.questions)
    await rig.answer(taken, "Because.")
    assert [shown_text(each) for each in asked.shown] == ["Because."]
    assert rig.fake.calls("POST", "/threads") == []
    assert rig.fake.calls("POST", "/messages") == []


async def test_where_it_may_not_write_in_threads_it_opens_none(rig: Rig) -> None:
    bot = rig.fake.bot["id"]
    rig.fake.world.set_permissions(rig.fake.general, bot, send_messages_in_threads=False)
    await rig.fake.gateway.emit("CHANNEL_UPDATE", rig.fake.general)
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which?")

    (taken,) = await until(lambda: rig.core.questions)
    await rig.answer(taken, "May")
    assert [shown_text(each) for each in rig.fake.in_channel(rig.fake.general)] == ["May"]
    assert rig.fake.calls("POST", "/threads") == []


async def test_no_call_waits_longer_than_a_minute_for_a_limit(rig: Rig) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which?")
    (taken,) = await until(lambda: rig.core.questions)
    rig.fake.rest.limit_once("POST .*/threads", 300)

    with pytest.raises(PlatformUnavailable):
        await asyncio.wait_for(taken.thread.post(Output("May"), "a:answer"), 5)


async def test_analyze_takes_any_message_with_its_files(rig: Rig) -> None:
    ben = rig.fake.member("Ben")
    said = await rig.fake.people.say(ben, rig.fake.general, "May numbers", [("may.csv", b"1", "text/csv")])

    await rig.fake.people.use_on(rig.fake.anna, "Analyze", said)

    (incoming,) = await until(lambda: rig.core.questions)
    assert incoming.message.text == "May numbers"
    assert incoming.message.author.name == "Anna"
    assert [each.name for each in incoming.message.attachments] == ["may.csv"]
    assert incoming.address.asked == int(said["id"])


async def test_an_empty_message_cannot_be_analyzed(rig: Rig) -> None:
    said = await rig.fake.people.say(rig.fake.anna, rig.fake.general, "")

    used = await rig.fake.people.use_on(rig.fake.anna, "Analyze", said)

    assert "question, a file" in await heard(used)


async def test_run_opens_a_form_and_runs_what_is_written(rig: Rig) -> None:
    opened = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "run")
    await until(lambda: opened.modal)

    submitted = await rig.fake.people.submit(opened, {"code": "print(1)"}, [("data.csv", b"1", "text/csv")])

    (incoming,) = await until(lambda: rig.core.codes)
    assert incoming.codes == ("print(1)",)
    assert [each.name for each in incoming.message.attachments] == ["data.csv"]
    assert incoming.address.thread == f"{in_guild(rig, rig.fake.general)}/{rig.fake.anna['id']}"
    await rig.answer(incoming, "```\n1\n```")
    assert [shown_text(each) for each in submitted.shown] == ["```\n1\n```"]


async def test_run_takes_a_file(rig: Rig) -> None:
    file = ("job.py", b"print(1)", "text/x-python")
    await rig.fake.people.command(rig.fake.anna, rig.fake.general, "run", files={"file": file})

    (incoming,) = await until(lambda: rig.core.codes)
    assert incoming.codes == ()
    assert [each.name for each in incoming.message.attachments] == ["job.py"]


async def test_code_blocks_are_run_again_in_place_when_they_are_edited(rig: Rig) -> None:
    said = await rig.fake.people.say(rig.fake.anna, rig.fake.general, "```py\nprint(1)\n```")
    used = await rig.fake.people.use_on(rig.fake.anna, "Run code blocks", said)
    (first,) = await until(lambda: rig.core.codes)
    await rig.answer(first, "1")
    await rig.fake.clock.advance(20 * 60)

    await rig.fake.people.edit(said, "```py\nprint(2)\n```")

    (again,) = await until(lambda: rig.core.edits)
    assert again.codes == ("print(2)",)
    assert inbound.source_of(again.message.id) == first.message.id
    await rig.answer(again, "2")
    assert [shown_text(each) for each in used.shown] == ["2"]
    assert len(rig.fake.in_channel(rig.fake.general)) == 1


async def test_deleting_a_message_takes_its_output_away(rig: Rig) -> None:
    said = await rig.fake.people.say(rig.fake.anna, rig.fake.general, "```py\nprint(1)\n```")
    await rig.fake.people.use_on(rig.fake.anna, "Run code blocks", said)
    (first,) = await until(lambda: rig.core.codes)
    await rig.answer(first, "1")

    await rig.fake.people.delete(said)

    await until(lambda: not rig.fake.in_channel(rig.fake.general))
    await until(lambda: (first.message.id, first.address.thread) in rig.core.deletions)


async def test_nobody_elses_edit_runs_code_in_your_session(rig: Rig) -> None:
    ben = rig.fake.member("Ben")
    said = await rig.fake.people.say(ben, rig.fake.general, "```py\nprint(1)\n```")
    await rig.fake.people.use_on(rig.fake.anna, "Run code blocks", said)
    await until(lambda: rig.core.codes)

    await rig.fake.people.edit(said, "```py\nimport evil\n```")
    await quiet()

    assert rig.core.edits == []


async def test_a_message_without_code_cannot_be_run(rig: Rig) -> None:
    said = await rig.fake.people.say(rig.fake.anna, rig.fake.general, "no code")

    used = await rig.fake.people.use_on(rig.fake.anna, "Run code blocks", said)

    assert "no Python code block" in await heard(used)


@pytest.mark.parametrize(
    ("command", "says"),
    [("files", "files of discord:"), ("usage", "usage of discord:"), ("stop", "Nothing that you may stop")],
)
async def test_looking_is_private(rig: Rig, command: str, says: str) -> None:
    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, command)

    assert says in await heard(asked)


async def test_a_notebook_comes_as_a_file(rig: Rig, made: Maker) -> None:
    rig.core.answers[Act.NOTEBOOK] = Output(artifacts=(made("thread.ipynb", b"{}"),))

    asked = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "notebook")
    await heard_files(asked)

    assert asked.original
    assert names(asked.original) == ["thread.ipynb"]


async def heard_files(interaction: Interaction) -> None:
    await until(lambda: interaction.original and interaction.original["attachments"])


async def test_stop_stops_what_runs_here(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    rig.core.running.add(inbound.in_thread(int(rig.fake.guild["id"]), int(thread["id"])))

    asked = await rig.fake.people.command(rig.fake.anna, thread, "stop")

    assert await heard(asked) == "Stopping."


async def test_settings_are_shown_and_changed(rig: Rig) -> None:
    shown = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "settings")
    assert "settings of" in await heard(shown)

    options = {"channel": rig.fake.general, "allowed": False, "turns_a_day": 5}
    changed = await rig.fake.people.command(rig.fake.anna, rig.fake.general, "settings", options)
    await heard(changed)

    assert [each.values for each in rig.core.actions] == [
        {},
        {"channel": rig.fake.general["id"], "allowed": "no", "turns_a_day": "5"},
    ]
    listed = next(each for each in rig.fake.rest.commands[None] if each["name"] == "settings")
    assert int(listed["default_member_permissions"]) == discord.Permissions(manage_guild=True).value


# ---- buttons


async def answered(rig: Rig) -> tuple[str, dict[str, Any]]:
    """The turn of an answer to Anna, and its message."""
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which month?")
    (incoming,) = await until(lambda: rig.core.questions)
    key = await rig.answer(incoming, "May")
    (message,) = rig.fake.in_channel({"id": str(incoming.address.root)})
    return key, message


async def test_code_is_shown_to_whoever_wants_it(rig: Rig) -> None:
    _, message = await answered(rig)

    clicked = await rig.fake.people.click(rig.fake.member("Ben"), message, "Show code")

    assert await heard(clicked) == "```python\nprint(1)\n```"


async def test_buttons_work_after_a_restart(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as first:
        key, message = await answered(first)
    async with connected(fake, EVERY, journal=first.journal, core=first.core) as second:
        clicked = await fake.people.click(fake.anna, message, "Show code")
        assert await heard(clicked) == "```python\nprint(1)\n```"
        await fake.people.click(fake.anna, message, "👎")
        await until(lambda: second.core.actions[-1].act is Act.DISLIKE)
        assert second.core.actions[-1].turn == key
        opened = await fake.people.click(fake.anna, message, "Edit & run")
        await until(lambda: opened.modal)
    async with connected(fake, EVERY, journal=first.journal, core=first.core) as third:
        await fake.people.submit(opened, {"code": "print(2)"})
        (incoming,) = await until(lambda: third.core.codes)
        assert incoming.codes == ("print(2)",)
        assert incoming.address.thread == inbound.in_thread(int(fake.guild["id"]), int(message["channel_id"]))


async def test_the_form_begins_with_the_code(rig: Rig) -> None:
    _, message = await answered(rig)

    opened = await rig.fake.people.click(rig.fake.anna, message, "Edit & run")

    modal = await until(lambda: opened.modal)
    assert modal["components"][0]["component"]["value"] == "print(1)"


async def test_code_of_a_private_answer_stays_private(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    options = {"question": "how bad?", "private": True}
    asked = await rig.fake.people.command(rig.fake.anna, thread, "ask", options)
    (taken,) = await until(lambda: rig.core.questions)
    await rig.answer(taken, "Very.")
    assert asked.original

    opened = await rig.fake.people.click(rig.fake.anna, asked.original, "Edit & run")
    await until(lambda: opened.modal)
    submitted = await rig.fake.people.submit(opened, {"code": "print(2)"})

    (run,) = await until(lambda: rig.core.codes)
    assert run.thread.id == taken.thread.id
    assert submitted.is_ephemeral


@pytest.mark.parametrize("label", ["Edit & run", "Delete"])
async def test_others_may_not_change_an_answer(rig: Rig, label: str) -> None:
    _, message = await answered(rig)

    clicked = await rig.fake.people.click(rig.fake.member("Ben"), message, label)

    assert "Only <@" in await heard(clicked)
    assert message["id"] in rig.fake.world.messages


@pytest.mark.parametrize("who", ["Anna", "a manager"])
async def test_delete_takes_every_piece_away(rig: Rig, who: str) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "all")
    (incoming,) = await until(lambda: rig.core.questions)
    key = await rig.answer(incoming, "word " * 2000)
    *_, last = rig.fake.in_channel({"id": str(incoming.address.root)})

    user, may = (rig.fake.anna, EVERYTHING.value) if who == "Anna" else (rig.fake.member("Ben"), MANAGES)
    await rig.fake.people.click(user, last, "Delete", permissions=may)

    (action,) = await until(lambda: rig.core.actions)
    assert (action.act, action.turn) == (Act.DELETE, key)
    assert rig.fake.in_channel({"id": str(incoming.address.root)}) == []


async def test_a_private_answer_can_be_deleted(rig: Rig) -> None:
    asked = await rig.fake.people.command(
        rig.fake.anna, rig.fake.general, "ask", {"question": "why?", "private": True}
    )
    (incoming,) = await until(lambda: rig.core.questions)
    await rig.answer(incoming, "secret")
    assert asked.original

    await rig.fake.people.click(rig.fake.anna, asked.original, "Delete")

    await until(lambda: [each for each in rig.core.actions if each.act is Act.DELETE])
    assert "secret" not in [shown_text(each) for each in rig.fake.world.messages.values()]


async def test_only_the_asker_and_managers_stop(rig: Rig) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "long work")
    (incoming,) = await until(lambda: rig.core.questions)
    thread = incoming.thread
    rig.core.running.add(thread.id)
    async with thread.working():
        await thread.progress(Noted("Reading"))
        (status,) = await until(lambda: rig.fake.in_channel({"id": str(incoming.address.root)}))

        refused = await rig.fake.people.click(rig.fake.member("Ben"), status, "Stop")
        assert "Only" in await heard(refused)
        assert rig.core.stops == []

        stopped = await rig.fake.people.click(rig.fake.anna, status, "Stop")
        assert await heard(stopped) == "Stopping."
        assert rig.core.stops[0][1] == thread.id


async def test_the_policy_is_asked_at_every_click(rig: Rig) -> None:
    _, message = await answered(rig)
    rig.core.refusals[Wish.LOOK] = "Paused."

    clicked = await rig.fake.people.click(rig.fake.anna, message, "Show code")

    assert await heard(clicked) == "Paused."


# ---- what goes wrong in the middle


async def test_the_token_dies_in_mid_turn(rig: Rig) -> None:
    thread = rig.fake.world.thread(rig.fake.general, "mine", rig.fake.bot["id"])
    await rig.fake.gateway.emit("THREAD_CREATE", thread)
    asked = await rig.fake.people.command(rig.fake.anna, thread, "ask", {"question": "long work"})
    (taken,) = await until(lambda: rig.core.questions)

    async with taken.thread.working():
        await taken.thread.progress(Noted("Reading"))
        await until(lambda: asked.original and "Reading" in shown_text(asked.original))
        # Only once it knows that "Reading" is shown, it sleeps until it may show more.
        await rig.fake.clock.wake(16 * 60)
        await taken.thread.progress(Noted("Still reading"))
        await until(lambda: asked.original and "Still" in shown_text(asked.original))
        await taken.thread.post(Output("word " * 2000), "a:answer")

    messages = rig.fake.in_channel(thread)
    assert len(messages) == 3
    assert messages[0] is asked.original
    assert not asked.is_waiting


async def test_a_process_killed_in_mid_turn_is_followed_by_another(fake: FakeDiscord) -> None:
    async with connected(fake, EVERY) as first:
        await fake.people.mention(fake.anna, fake.general, "long work")
        (taken,) = await until(lambda: first.core.questions)
        working = asyncio.ensure_future(_begin(taken.thread))
        thread = await until(lambda: fake.world.channels.get(str(taken.address.root)))
        await until(lambda: fake.in_channel(thread))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        address = taken.thread.address
    async with connected(fake, EVERY, journal=first.journal) as second:
        again = second.bot.thread(address)
        async with again.working():
            await again.progress(Noted("once more"))
            await until(lambda: "once more" in shown_text(fake.in_channel(thread)[0]))
            await again.post(Output("done"), "a:answer")

    assert [shown_text(each) for each in fake.in_channel(thread)] == ["done"]
    assert len(fake.calls("POST", "/threads")) == 1


async def test_a_bot_that_is_timed_out_says_until_when(rig: Rig) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which?")
    (taken,) = await until(lambda: rig.core.questions)
    end = rig.fake.clock.now() + timedelta(hours=1)
    member = rig.fake.world.member(rig.fake.guild["id"], rig.fake.bot)
    member |= {"guild_id": rig.fake.guild["id"], "communication_disabled_until": end.isoformat()}
    await rig.fake.gateway.emit("GUILD_MEMBER_UPDATE", member)
    await until(lambda: rig.bot.guilds[0].me.timed_out_until)
    rig.fake.rest.fail(r"POST .*/channels/.*/messages$", 403, code=50013, times=2)

    with pytest.raises(PlatformUnavailable):
        await taken.thread.post(Output("May"), "a:answer")

    (message,) = rig.fake.in_channel(rig.fake.world.dm(rig.fake.anna))
    assert f"<t:{int(end.timestamp())}:f>" in shown_text(message)


async def _begin(thread: Any) -> None:
    async with thread.working():
        await thread.progress(Noted("begun"))
        await asyncio.Event().wait()


# ---- guilds and connections


async def test_a_guild_that_is_not_served_hears_one_sentence_and_is_left(rig: Rig) -> None:
    rig.core.served = {rig.fake.guild["id"]}
    other = rig.fake.world.guild("Other")
    channel = rig.fake.world.channel(other, "lobby")

    await rig.fake.people.add_bot_to(other)

    await until(lambda: rig.fake.rest.left_guilds == [other["id"]])
    (message,) = rig.fake.in_channel(channel)
    assert "only in servers" in shown_text(message)
    await until(lambda: rig.core.uninstalled)


async def test_a_guild_that_is_served_hears_who_receives_what_once(rig: Rig) -> None:
    other = rig.fake.world.guild("Other")
    channel = rig.fake.world.channel(other, "lobby")

    await rig.fake.people.add_bot_to(other)
    (message,) = await until(lambda: rig.fake.in_channel(channel))
    await rig.fake.people.add_bot_to(other)
    await quiet()

    assert "models.example receives your questions" in shown_text(message)
    assert len(rig.fake.in_channel(channel)) == 1
    assert rig.fake.rest.left_guilds == []


async def test_commands_are_told_only_when_they_have_changed(fake: FakeDiscord) -> None:
    async with connected(fake) as first:
        await until(lambda: any("commands" in key for key in first.journal.notes))
    async with connected(fake, journal=first.journal):
        await quiet()
        assert len(fake.calls("PUT", "/commands")) == 1
    async with connected(fake, Options(runs=True), journal=first.journal):
        await until(lambda: len(fake.calls("PUT", "/commands")) == 2)


async def test_a_cut_connection_replays_what_was_missed_once(rig: Rig) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "before")
    await until(lambda: rig.core.questions)
    await rig.fake.gateway.drop()
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "meanwhile")

    await until(lambda: rig.fake.gateway.resumed)
    await until(lambda: len(rig.core.questions) == 2)
    await quiet()
    assert [each.message.text for each in rig.core.questions] == ["before", "meanwhile"]


async def test_after_a_session_is_lost_what_was_said_is_looked_up(rig: Rig) -> None:
    said = await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "before")
    await until(lambda: rig.core.questions)
    rig.core.newest = [(rig.core.questions[0].thread.id, f"discord:{said['id']}")]
    rig.fake.gateway.forgets_sessions = True
    await rig.fake.gateway.ask_to_reconnect()
    await until(lambda: not rig.fake.gateway.sessions)
    await rig.fake.people.say(rig.fake.anna, rig.fake.general, "not for the bot")
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "meanwhile")
    await rig.fake.clock.wake(5)

    await until(lambda: len(rig.core.questions) == 2)
    assert rig.core.questions[1].message.text == "meanwhile"


async def test_what_is_older_than_a_day_is_not_looked_up(fake: FakeDiscord) -> None:
    old = await fake.people.mention(fake.anna, fake.general, "old")
    await fake.clock.advance(30 * 3600)
    fresh = await fake.people.mention(fake.anna, fake.general, "fresh")
    core = Recorder(newest=[(inbound.in_thread(1, 2), f"discord:{int(old['id']) - 1}")])

    async with connected(fake, core=core) as rig:
        (incoming,) = await until(lambda: rig.core.questions)
        assert incoming.message.id == f"discord:{fresh['id']}"


async def test_thirty_members_asking_at_once_get_thirty_answers(rig: Rig) -> None:
    members = [rig.fake.member(f"Member {number}") for number in range(30)]
    asked = await asyncio.gather(
        *(
            rig.fake.people.command(each, rig.fake.general, "ask", {"question": each["global_name"]})
            for each in members
        )
    )

    await until(lambda: len(rig.core.questions) == 30)
    await asyncio.gather(*(rig.answer(each, f"for {each.message.text}") for each in rig.core.questions))

    for interaction in asked:
        assert interaction.original
        (answer,) = rig.fake.in_channel({"id": interaction.original["id"]})
        assert shown_text(answer) == f"for {interaction.user['global_name']}"


async def test_the_socket_tells_when_it_was_last_heard(rig: Rig) -> None:
    before = rig.bot.heard_at
    await rig.fake.clock.advance(60)
    await rig.fake.people.say(rig.fake.anna, rig.fake.general, "chatter")

    assert before
    await until(lambda: rig.bot.heard_at and rig.bot.heard_at > before)


async def test_an_intent_that_the_application_lacks_costs_no_try_at_the_gateway(fake: FakeDiscord) -> None:
    point_to(fake.api_url, fake.gateway.url)
    bot = create_bot(Recorder(), MemoryJournal(), EVERY, clock=fake.clock)

    async with logged_in(bot, fake.token):
        with pytest.raises(DiscordRefused, match="Message Content Intent"):
            await bot.listen()

    assert fake.gateway.identified == []


async def test_an_intent_that_the_gateway_refuses_is_named(fake: FakeDiscord) -> None:
    point_to(fake.api_url, fake.gateway.url)
    fake.rest.application["flags"] = 1 << 19
    fake.gateway.allowed_intents = ~(1 << 15)
    bot = create_bot(Recorder(), MemoryJournal(), EVERY, clock=fake.clock)

    async with logged_in(bot, fake.token):
        with pytest.raises(DiscordRefused, match="Message Content Intent"):
            await bot.listen()


async def test_while_discord_lets_it_not_in_it_is_not_heard(rig: Rig) -> None:
    await until(lambda: rig.bot.is_heard)
    rig.fake.gateway.is_shut = True
    await rig.fake.gateway.drop()
    await until(lambda: not rig.bot.is_heard)
    # Let in before that, it would only go on with its session.
    await until(lambda: rig.fake.gateway.turned_away)

    rig.fake.gateway.is_shut = False
    await rig.fake.clock.wake(5)
    await until(lambda: rig.bot.is_heard)
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "there again?")

    await until(lambda: rig.core.questions)


async def test_with_several_shards_each_message_is_heard_once(fake: FakeDiscord) -> None:
    await fake.clock.advance(0.001)
    other = fake.world.guild("Other")
    fake.world.join(other, fake.bot)
    lobby = fake.world.channel(other, "lobby")
    direct = fake.world.dm(fake.anna)
    # The second shard waits for the first.
    waking = asyncio.ensure_future(fake.clock.wake(5))

    async with connected(fake, EVERY, shard_count=2) as rig:
        await waking
        for place in (fake.general, lobby, direct):
            await fake.people.mention(fake.anna, place, "hi")
        await until(lambda: len(rig.core.questions) == 3)
        await until(lambda: fake.calls("PUT", "/commands"))
        await quiet()

        assert sorted(each["shard"] for each in fake.gateway.identified) == [[0, 2], [1, 2]]
        assert len(rig.core.questions) == 3
        assert len(fake.calls("PUT", "/commands")) == 1


async def test_a_host_may_bring_its_own_connector(fake: FakeDiscord) -> None:
    connector = aiohttp.TCPConnector()
    async with connected(fake, connector=connector) as rig:
        await fake.people.mention(fake.anna, fake.general, "hi")
        await until(lambda: rig.core.questions)
    assert connector.closed


async def test_a_worker_without_a_gateway_can_answer(rig: Rig) -> None:
    await rig.fake.people.mention(rig.fake.anna, rig.fake.general, "which?")
    (incoming,) = await until(lambda: rig.core.questions)
    worker = create_bot(rig.core, rig.journal, clock=rig.fake.clock)
    async with worker:
        await worker.login(rig.fake.token)
        other = replace(rig, bot=worker)
        await other.answer(incoming, "by another process")

    (message,) = rig.fake.in_channel({"id": str(incoming.address.root)})
    assert shown_text(message) == "by another process"
