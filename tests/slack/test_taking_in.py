"""What a turn takes from Slack: files, names, the talk above."""

from pathlib import Path

import pytest

from adapters.slack.addresses import Address
from adapters.slack.attachments import to_attachment
from adapters.slack.inbound import Us, to_incoming
from adapters.slack.mrkdwn import Json
from adapters.slack.thread import SlackThread
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.messages import Author, Message
from bot.visits import Visit, Wish
from tests.fakes.slack.server import BOT_TOKEN, FakeSlack
from tests.fakes.slack.state import File
from tests.slack.conftest import Desk

US = Us("T1", "UBOT", "BBOT")


async def fetch(
    slack: FakeSlack, thread: SlackThread, file: File, to: Path, limit_bytes: int = 1000
) -> bytes:
    await thread.fetch(
        to_attachment(slack.workspace.file_object(file, slack.url, in_event=True)), to, limit_bytes
    )
    return to.read_bytes()


async def refusal(slack: FakeSlack, desk: Desk, file: File, to: Path) -> str:
    with pytest.raises(AttachmentRefused) as refused:
        await fetch(slack, desk.thread(), file, to)
    assert not to.exists()
    return refused.value.sentence


@pytest.mark.parametrize("needs_info", [False, True])
async def test_a_file_is_fetched_with_the_token(
    slack: FakeSlack, desk: Desk, tmp_path: Path, needs_info: bool
) -> None:
    file = slack.add_file("a.csv", b"a,b", needs_info=needs_info)

    assert await fetch(slack, desk.thread(), file, tmp_path / "a") == b"a,b"
    assert slack.downloads[-1][1] == f"Bearer {BOT_TOKEN}"
    assert len(slack.called("files.info")) == needs_info


async def test_the_token_does_not_go_where_a_file_redirects(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    other = slack.add_file("b.csv", b"b")
    url = slack.url.replace("127.0.0.1", "localhost")
    file = slack.add_file("a.csv", b"", redirects_to=f"{url}/files-pri/T1-{other.id}/b.csv")

    # The other host gets no token, so it shows its sign-in page.
    assert await refusal(slack, desk, file, tmp_path / "a") == "slack_file_scope"
    assert slack.downloads[-1][1] is None


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("tombstone", "slack_file_deleted"),
        ("hidden_by_limit", "slack_file_hidden"),
        ("external", "slack_file_external"),
    ],
)
@pytest.mark.parametrize("needs_info", [False, True])
async def test_files_without_bytes_tell_why(
    slack: FakeSlack, desk: Desk, tmp_path: Path, mode: str, sentence: str, needs_info: bool
) -> None:
    file = slack.add_file("a.csv", b"a", mode=mode, needs_info=needs_info)

    assert await refusal(slack, desk, file, tmp_path / "a") == sentence


async def test_a_file_that_is_gone_by_now_tells_so(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    file = slack.add_file("a.csv", b"a")
    attachment = to_attachment(slack.workspace.file_object(file, slack.url, in_event=True))
    del slack.workspace.files[file.id]
    with pytest.raises(AttachmentRefused) as refused:
        await desk.thread().fetch(attachment, tmp_path / "a", 100)

    assert refused.value.sentence == "slack_file_deleted"


async def test_a_sign_in_page_is_the_missing_scope(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    slack.scopes = {"chat:write"}

    assert await refusal(slack, desk, slack.add_file("a.csv", b"a"), tmp_path / "a") == "slack_file_scope"


async def test_a_page_that_somebody_sent_is_a_file(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    file = slack.add_file("report.html", b"<html><title>Report</title>", media_type="text/html")

    assert await fetch(slack, desk.thread(), file, tmp_path / "a") == file.content


async def test_a_file_larger_than_it_says_is_refused(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    file = slack.add_file("a.csv", b"x" * 2000, declared_size=10)

    assert await refusal(slack, desk, file, tmp_path / "a") == "attachment_over_limit"


async def test_a_slack_that_does_not_answer_is_unavailable(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    file = slack.add_file("a.csv", b"x")
    attachment = to_attachment(slack.workspace.file_object(file, "http://127.0.0.1:9", in_event=True))
    with pytest.raises(PlatformUnavailable):
        await desk.thread().fetch(attachment, tmp_path / "a", 100)

    assert len(slack.clock.pauses) == 2


def message_of(said: Json) -> Message:
    return to_incoming({**said, "channel": "C1"}, US).message


async def test_the_author_is_introduced(slack: FakeSlack, desk: Desk) -> None:
    said = slack.writes("<@UBOT> ask <@U2> and <@U999>", user="U1")
    message = await desk.thread(said).introduce(message_of(said))

    assert (message.author.name, message.author.locale, message.author.time_zone) == (
        "Anna",
        "en-US",
        "Europe/Vienna",
    )
    assert message.text == "ask @Bertram and @U999"


async def test_people_are_looked_up_once(slack: FakeSlack, desk: Desk) -> None:
    connection = desk.connection()
    for _ in range(3):
        said = slack.writes("<@UBOT> x")
        await desk.thread(said, connection=connection).introduce(message_of(said))

    assert len(slack.called("users.info")) == 1


async def test_a_visitor_is_known_as_guest_or_manager_and_by_groups(slack: FakeSlack, desk: Desk) -> None:
    slack.workspace.add_user("U3", "Guest", is_ultra_restricted=True)
    slack.workspace.groups = {"S1": {"U1", "U3"}, "S2": {"U1"}}
    thread = desk.thread()
    guest = await thread.meet(Visit(Wish.ASK, Author("U3", "U3"), "slack", "T1", "C1"))
    boss = await thread.meet(Visit(Wish.ASK, Author("UBOSS", "UBOSS"), "slack", "T1", "C1"))

    assert (guest.author.name, guest.is_guest, guest.is_manager, guest.roles) == (
        "Guest",
        True,
        False,
        ("S1",),
    )
    assert (boss.is_guest, boss.is_manager, boss.roles) == (False, True, ())
    assert len(slack.called("usergroups.list")) == 1


async def test_of_a_visitor_that_slack_does_not_tell_of_nothing_is_guessed(
    slack: FakeSlack, desk: Desk
) -> None:
    slack.scopes = {"chat:write"}
    visit = Visit(Wish.ASK, Author("U1", "U1"), "slack", "T1", "C1")

    assert await desk.thread().meet(visit) == visit


async def test_without_the_scope_people_are_their_ids(slack: FakeSlack, desk: Desk) -> None:
    slack.scopes = {"chat:write"}
    said = slack.writes("<@UBOT> x")
    message = await desk.thread(said).introduce(message_of(said))

    assert (message.author.name, message.author.locale) == ("U1", "en")


async def test_the_talk_above_is_read(slack: FakeSlack, desk: Desk) -> None:
    root = slack.writes("Sales are down", user="U2", files=[slack.add_file("a.csv", b"a")])
    slack.writes("Are they?", thread_ts=root["ts"])
    slack.writes("our own", user="UBOT", bot_id="BBOT", thread_ts=root["ts"])
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    slack.writes("later", thread_ts=root["ts"])
    above = await desk.thread(question).above(message_of(question), was_emptied=False)

    assert [(each.author.name, each.text) for each in above.messages] == [
        ("Bertram", "Sales are down"),
        ("Anna", "Are they?"),
    ]
    assert [each.name for each in above.messages[0].attachments] == ["a.csv"]
    assert above.said == "I read 2 messages and 1 files above."
    assert above.is_whole


async def test_what_those_said_whom_the_policy_refuses_is_not_read(slack: FakeSlack, desk: Desk) -> None:
    async def refusal(visit: Visit) -> str | None:
        return "Not for them." if visit.is_external or visit.is_guest else None

    slack.workspace.add_user("U3", "Guest", is_restricted=True)
    root = slack.writes("Sales are down", user="U2")
    slack.writes("of a guest", user="U3", thread_ts=root["ts"], files=[slack.add_file("a.csv", b"a")])
    slack.writes("from afar", user="U9", user_team="T9", thread_ts=root["ts"])
    slack.writes("of another app", user="U8", bot_id="B8", thread_ts=root["ts"])
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    thread = desk.thread(question, connection=desk.connection(refusal=refusal))
    above = await thread.above(message_of(question), was_emptied=False)

    assert [each.text for each in above.messages] == ["Sales are down", "of another app"]
    assert above.said == "I read 2 messages and 0 files above."
    assert not above.is_whole


async def test_of_long_talk_there_is_an_end(slack: FakeSlack, desk: Desk) -> None:
    root = slack.writes("Begin", user="U2")
    for number in range(250):
        slack.writes(str(number), thread_ts=root["ts"])
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    above = await desk.thread(question).above(message_of(question), was_emptied=False)

    assert len(above.messages) == 200
    assert not above.is_whole


@pytest.mark.parametrize(("how", "count"), [("files", 1), ("none", 0)])
async def test_what_is_read_above_is_a_setting(slack: FakeSlack, desk: Desk, how: str, count: int) -> None:
    root = slack.writes("Sales are down", user="U2", files=[slack.add_file("a.csv", b"a")])
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    thread = desk.thread(question, connection=desk.connection(how_context=how))
    above = await thread.above(message_of(question), was_emptied=False)

    assert len(above.messages) == count
    assert all(each.text == "" for each in above.messages)


async def test_what_could_not_be_read_is_said(slack: FakeSlack, desk: Desk) -> None:
    slack.scopes = {"chat:write", "users:read"}
    root = slack.writes("Sales are down", user="U2")
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    above = await desk.thread(question).above(message_of(question), was_emptied=False)

    assert above.messages == ()
    assert "channels:history" in above.said


async def test_nobody_waits_for_a_minute_to_read_what_was_said_above(slack: FakeSlack, desk: Desk) -> None:
    slack.limits["conversations.replies"] = [60]
    root = slack.writes("Sales are down", user="U2")
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    above = await desk.thread(question).above(message_of(question), was_emptied=False)

    assert above.said.startswith("I could not read what was said above right now.")
    assert slack.clock.pauses == []


async def test_pages_may_be_shorter_than_asked_for(slack: FakeSlack, desk: Desk) -> None:
    slack.methods.most_on_page = 15
    root = slack.writes("Begin", user="U2")
    for number in range(20):
        slack.writes(str(number), thread_ts=root["ts"])
    question = slack.writes("<@UBOT> check", thread_ts=root["ts"])
    above = await desk.thread(question).above(message_of(question), was_emptied=False)

    assert len(above.messages) == 21
    assert above.is_whole


async def test_a_thread_is_opened_again_by_its_address(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    again = SlackThread(desk.connection(), Address.of(thread.address))

    assert (again.id, again.address) == (thread.id, thread.address)
