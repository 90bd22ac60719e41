"""What the adapter finds when it was away: what was said, edited and deleted meanwhile."""

from adapters.slack.inbound import Us, to_incoming
from bot.errors import StoreUnavailable
from bot.messages import Message, Output
from bot.reception import DurableThread
from bot.visits import Wish
from tests.fakes.slack.server import FakeSlack
from tests.slack.conftest import Office, said

US = Us("T1", "UBOT", "BBOT")


async def echo(message: Message, thread: DurableThread) -> None:
    async with thread.working():
        await thread.post(Output(f"You said: {message.text}"), f"{message.id}:answer")


async def test_what_was_said_meanwhile_is_caught_up_on(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        root = await slack.says("<@UBOT> one")
        dm = await slack.says("two", channel="D1")
    slack.clock.advance(60)
    slack.writes("<@UBOT> three")
    slack.writes("four", thread_ts=root["ts"])
    slack.writes("five", channel="D1", thread_ts=dm["ts"])
    slack.writes("six", channel="D1")
    slack.writes("not for the bot")
    other = slack.writes("nor this")
    slack.writes("nor that", thread_ts=other["ts"])
    async with office.opened():
        pass

    assert sorted(office.receiver.texts) == ["five", "four", "one", "six", "three", "two"]


async def test_a_look_back_that_breaks_off_is_begun_again(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("<@UBOT> one")
    slack.clock.advance(60)
    for text in ("two", "three"):
        slack.writes(f"<@UBOT> {text}")
    office.receiver.fails = [StoreUnavailable("gone"), StoreUnavailable("gone")]
    async with office.opened():
        pass

    assert office.receiver.texts == ["one", "two", "three"]


async def test_what_was_deleted_meanwhile_is_told_to_the_core(slack: FakeSlack, office: Office) -> None:
    office.receiver.turn = echo
    async with office.opened():
        deleted = await slack.says("<@UBOT> one")
        kept = await slack.says("<@UBOT> two")
        last = await slack.says("three", thread_ts=kept["ts"])
        await office.receiver.settle()
    slack.clock.advance(120)
    # A first message with replies leaves a mark.
    deleted |= {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}
    slack.workspace.channels["C1"].messages.remove(last)
    async with office.opened():
        pass

    assert sorted(office.receiver.deleted) == [
        f"slack:T1:C1:{deleted['ts']}",
        f"slack:T1:C1:{last['ts']}",
    ]


async def test_where_the_bot_may_not_look_nothing_counts_as_deleted(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("<@UBOT> one")
    slack.clock.advance(120)
    slack.scopes = {"chat:write", "connections:write"}
    async with office.opened():
        pass

    assert office.receiver.deleted == []


async def test_what_is_too_old_gets_one_sentence(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("<@UBOT> one")
    slack.clock.advance(60)
    late = slack.writes("<@UBOT> two", user="U2")
    slack.clock.advance(3 * 3600)
    for _ in range(2):
        async with office.opened():
            pass

    assert office.receiver.texts == ["one"]
    assert said(slack) == [
        "Ich war nicht da, als du das geschrieben hast. Frag mich noch einmal, wenn du es noch brauchst."
    ]
    assert slack.posts()[0]["thread_ts"] == late["ts"]


async def test_what_is_too_old_in_a_held_thread_gets_a_sentence_without_a_mention(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        held = await slack.says("<@UBOT> one")
        await slack.says("<@UBOT> and this?", thread_ts=(await slack.says("talk", user="U2"))["ts"])
    slack.clock.advance(60)
    slack.writes("two", thread_ts=held["ts"])
    slack.writes("more talk", thread_ts=slack.workspace.channels["C1"].messages[1]["ts"], user="U2")
    slack.clock.advance(3 * 3600)
    async with office.opened():
        pass

    assert [each["thread_ts"] for each in slack.posts()] == [held["ts"]]
    assert said(slack)[0].startswith("I was away")


async def test_nothing_is_said_of_being_away_for_what_was_answered_long_ago(
    slack: FakeSlack, office: Office
) -> None:
    office.receiver.turn = echo
    async with office.opened():
        await slack.says("<@UBOT> one")
        await office.receiver.settle()
        slack.clock.advance(3 * 3600)
        await slack.says("<@UBOT> two")
    slack.clock.advance(120)
    async with office.opened():
        pass

    assert said(slack) == ["You said: one", "You said: two"]


async def test_to_whom_the_policy_refuses_nothing_is_said_of_being_away(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        await slack.says("<@UBOT> one")
    slack.clock.advance(60)
    slack.writes("<@UBOT> two")
    slack.clock.advance(3 * 3600)
    office.receiver.refuses[Wish.ASK] = "Not for you."
    async with office.opened():
        pass

    assert said(slack) == []


async def test_a_new_installation_has_nothing_to_catch_up_on(slack: FakeSlack, office: Office) -> None:
    slack.writes("<@UBOT> long ago")
    async with office.opened():
        pass

    assert office.receiver.messages == []
    assert slack.called("conversations.history") == []


async def test_without_the_right_to_read_history_it_still_starts(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("<@UBOT> one")
    slack.scopes = {"chat:write", "connections:write"}
    async with office.opened():
        await slack.says("<@UBOT> two")

    assert office.receiver.texts == ["one", "two"]


async def test_what_was_edited_meanwhile_is_answered_anew(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        first = await slack.says("<@UBOT> one", files=[slack.add_file("a.csv", b"a")])
        later = await slack.says("two", thread_ts=first["ts"])
        await slack.says("<@UBOT> three")
    slack.clock.advance(120)
    await slack.edits(first, "<@UBOT> one and a half", heard=False)
    await slack.edits(later, "two and a half", heard=False)
    for _ in range(2):
        async with office.opened():
            pass
    edits = office.receiver.edits

    assert [each.text for each in edits] == ["one and a half", "two and a half"]
    assert [each.id.partition("@")[0] for each in edits] == [
        f"slack:T1:C1:{each['ts']}" for each in (first, later)
    ]
    assert [each.name for each in edits[0].attachments] == ["a.csv"]
    assert office.receiver.texts == ["one", "two", "three"]


async def test_what_says_the_same_as_before_is_not_answered_anew(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        first = await slack.says("<@UBOT> one of https://example.com")
        second = await slack.says("<@UBOT> two")
    slack.clock.advance(120)
    await slack.unfurls(first, heard=False)
    await slack.edits(second, "<@UBOT>  two", heard=False)
    async with office.opened():
        pass

    assert office.receiver.edits == []
    assert len(office.receiver.messages) == 2


async def test_an_edit_too_long_ago_gets_one_sentence(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = await slack.says("<@UBOT> one")
    slack.clock.advance(60)
    await slack.edits(message, "<@UBOT> two", heard=False)
    slack.clock.advance(3 * 3600)
    for _ in range(2):
        async with office.opened():
            pass

    assert office.receiver.edits == []
    assert [each.startswith("I was away") for each in said(slack)] == [True]


async def test_an_edit_that_was_refused_when_it_was_heard_is_not_found_again(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        message = await slack.says("<@UBOT> one")
        slack.clock.advance(60)
        await slack.edits(message, "<@UBOT> two", heard=False)
        slack.clock.advance(60)
        await slack.says("<@UBOT> three")
    slack.clock.advance(120)
    async with office.opened():
        pass

    assert office.receiver.edits == []
    assert said(slack) == []


async def test_a_file_deleted_meanwhile_is_told_to_the_core(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        gone, kept = slack.add_file("a.csv", b"a"), slack.add_file("b.csv", b"b")
        first = await slack.says("<@UBOT> one", files=[gone, kept])
        for number in range(120):
            await slack.says(str(number), thread_ts=first["ts"])
            slack.clock.advance(600)
        latest = await slack.says("and this?", thread_ts=first["ts"], files=[slack.add_file("c.csv", b"c")])
    slack.clock.advance(120)
    await slack.loses_file(first, gone, heard=False)
    await slack.deletes(latest, heard=False)
    async with office.opened():
        pass

    assert sorted(office.receiver.files_deleted) == sorted([gone.id, latest["files"][0]["id"]])
    assert office.receiver.deleted == [f"slack:T1:C1:{latest['ts']}"]
    assert office.receiver.edits == []


async def test_in_a_long_thread_what_is_new_is_found_and_nothing_unseen_counts_as_deleted(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        first = await slack.says("<@UBOT> one")
        for number in range(350):
            slack.writes(f"<@U2> aside {number}", thread_ts=first["ts"])
        slack.clock.advance(120)
        await slack.says("two", thread_ts=first["ts"])
    slack.clock.advance(120)
    slack.writes("three", thread_ts=first["ts"])
    calls = len(slack.called("conversations.replies"))
    async with office.opened():
        pass

    assert office.receiver.texts == ["one", "two", "three"]
    assert office.receiver.deleted == []
    assert len(slack.called("conversations.replies")) == calls + 4


async def test_a_rate_limit_is_waited_out(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = await slack.says("<@UBOT> one")
    slack.clock.advance(120)
    await slack.edits(message, "<@UBOT> two", heard=False)
    slack.limits["conversations.replies"] = [30]
    async with office.opened():
        pass

    assert [each.text for each in office.receiver.edits] == ["two"]
    assert 30 in slack.clock.pauses


async def test_a_question_about_a_message_goes_with_it_whenever_that_is_deleted(
    slack: FakeSlack, office: Office
) -> None:
    office.receiver.turn = echo
    async with office.opened():
        await slack.says("<@UBOT> hello", channel="D1")
        message = await slack.says("Sales are down", user="U2")
        await slack.uses_message_shortcut("analyze_message", message)
        await office.receiver.settle()
    slack.clock.advance(120)
    await slack.deletes(message, heard=False)
    async with office.opened():
        pass

    assert office.receiver.messages[1][0].id in office.receiver.deleted


async def test_of_what_was_read_above_a_question_deletions_count_and_edits_do_not(
    slack: FakeSlack, office: Office
) -> None:
    file = slack.add_file("a.csv", b"a")
    first = slack.writes("Sales are down", user="U2", files=[file])
    second = slack.writes("Are they?", thread_ts=first["ts"])
    async with office.opened():
        await slack.says("<@UBOT> what of it?", thread_ts=first["ts"])
    office.receiver.above = [to_incoming({**each, "channel": "C1"}, US).message for each in (first, second)]
    slack.clock.advance(120)
    await slack.edits(first, "Sales are up", user="U2", heard=False)
    await slack.loses_file(first, file, heard=False)
    await slack.deletes(second, heard=False)
    async with office.opened():
        pass

    assert office.receiver.edits == []
    assert office.receiver.files_deleted == [file.id]
    assert office.receiver.deleted == [f"slack:T1:C1:{second['ts']}"]
