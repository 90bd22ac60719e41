"""An answer in a thread of Slack's: there once, whole, in whichever form is taken."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.slack.addresses import Address
from adapters.slack.mrkdwn import Json
from adapters.slack.thread import SlackThread
from bot.errors import PlatformUnavailable
from bot.execution import Artifact, Execution, Outcome
from bot.messages import Author, CellFinished, CellStarted, Message, Output, Writing
from tests.fakes.slack.server import FakeSlack, block_types
from tests.fakes.slack.state import BOT_ID
from tests.slack.conftest import Desk


def text_of(message: Json) -> str:
    blocks = message.get("blocks") or []
    return "\n".join(block["text"] for block in blocks if block["type"] == "markdown") or message["text"]


def file_of(folder: Path, name: str, content: bytes = b"content", **facts: str) -> Artifact:
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256
    path.write_bytes(content)
    media_type = "image/png" if name.endswith(".png") else "text/csv"
    return Artifact(name, media_type, len(content), sha256, path, **facts)


async def test_an_answer_is_posted_in_its_thread(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.post(Output("The sum is **5**."), "k")

    (message,) = slack.posts()
    assert message["thread_ts"] == thread.id.rsplit("/", maxsplit=1)[-1]
    assert text_of(message) == "The sum is **5**."


async def test_the_same_key_is_posted_once(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    output = Output("Once.", (file_of(tmp_path, "a.csv"),))
    thread = desk.thread()
    await thread.post(output, "k")
    await thread.post(output, "k")
    await desk.thread(slack.channel().messages[0]).post(output, "k")

    assert [text_of(each) for each in slack.posts() if "files" not in each] == ["Once."]
    assert len(slack.called("files.completeUploadExternal")) == 1


async def test_a_long_answer_arrives_in_order_and_whole(slack: FakeSlack, desk: Desk) -> None:
    words = [f"w{number}" for number in range(9000)]
    await desk.thread().post(Output(" ".join(words)), "k")

    assert len(slack.posts()) > 4
    assert " ".join(map(text_of, slack.posts())).split() == words


@pytest.mark.parametrize(
    "refused", ["data_table", "table", "container", "context_actions", "markdown", "actions"]
)
async def test_what_slack_does_not_know_is_left_out_and_remembered(
    slack: FakeSlack, desk: Desk, refused: str
) -> None:
    slack.methods.refused_blocks = {refused, *({"data_table"} if refused == "table" else set())}
    connection = desk.connection()
    output = Output("Look:\n\n| a | b |\n|---|---|\n| 1 | 2 |", codes=("x = 1",))
    for number in range(2):
        thread = desk.thread(connection=connection)
        await thread.post(output, f"k{number}")

    first, second = slack.posts()
    assert refused not in block_types(first)
    assert "Look:" in text_of(first)
    assert block_types(first) == block_types(second)
    failed = [call for call in slack.calls if call.refused == "invalid_blocks"]
    assert len(failed) == (1 if refused not in {"actions", "table", "markdown"} else len(failed))


async def test_an_answer_that_slack_takes_in_no_form_comes_as_a_file(slack: FakeSlack, desk: Desk) -> None:
    slack.rules.append(lambda method, args: "invalid_blocks" if method == "chat.postMessage" else None)
    await desk.thread().post(Output("Hard to say."), "k")

    (message,) = slack.posts()
    (file,) = slack.workspace.files.values()
    assert file.content == b"Hard to say."
    assert "answer.md" in message["text"]


async def test_a_lost_answer_to_a_post_does_not_post_it_twice(slack: FakeSlack, desk: Desk) -> None:
    slack.swallows = {"chat.postMessage": 1}
    await desk.thread().post(Output("Once."), "k")

    assert [text_of(each) for each in slack.posts()] == ["Once."]


async def test_a_post_that_was_not_carried_out_is_tried_again(slack: FakeSlack, desk: Desk) -> None:
    slack.refuses = {"chat.postMessage": ["internal_error"]}
    await desk.thread().post(Output("Once."), "k")

    assert [text_of(each) for each in slack.posts()] == ["Once."]


async def test_another_process_finds_what_was_posted_before_it_died(slack: FakeSlack, desk: Desk) -> None:
    output = Output("\n\n".join(["A paragraph. " * 40] * 40))
    thread = desk.thread()
    await thread.post(output, "k")
    before = len(slack.posts())
    for key, value in desk.journal.notes.items():
        if key.startswith("k:"):
            # Died after posting, before noting that it had.
            desk.journal.notes[key] = json.dumps({**json.loads(value), "ts": None})
    await desk.thread(slack.channel().messages[0]).post(output, "k")

    assert len(slack.posts()) == before


async def test_a_forged_mark_is_not_taken_for_ours(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await desk.journal.note("k:0", json.dumps({"mark": "m", "since": slack.clock.now}))
    question = slack.channel().messages[0]
    metadata = {"event_type": "plotline_post", "event_payload": {"mark": "m"}}
    slack.writes("ha", user="U2", thread_ts=question["ts"], metadata=metadata, bot_id="BOTHER")
    await thread.post(Output("Ours."), "k")

    assert [text_of(each) for each in slack.posts()] == ["Ours."]


async def test_without_the_right_to_look_a_second_post_is_better_than_none(
    slack: FakeSlack, desk: Desk
) -> None:
    slack.scopes = {"chat:write", "users:read"}
    slack.refuses = {"chat.postMessage": ["internal_error"]}
    await desk.thread().post(Output("There."), "k")

    assert [text_of(each) for each in slack.posts()] == ["There."]


async def test_rate_limits_are_waited_out(slack: FakeSlack, desk: Desk) -> None:
    slack.limits = {"chat.postMessage": [30, 20]}
    await desk.thread().post(Output("At last."), "k")

    assert [text_of(each) for each in slack.posts()] == ["At last."]
    assert slack.clock.pauses == [30, 20]


async def test_a_minute_without_slack_is_waited_out(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    slack.is_down = True
    began = slack.clock.now
    slack.down_until = began + 60
    await desk.thread().post(Output("Here.", (file_of(tmp_path, "a.csv"),)), "k")

    assert slack.clock.now >= began + 60
    assert [text_of(each) for each in slack.posts() if "files" not in each] == ["Here."]
    assert [file.name for file in slack.workspace.files.values() if file.shares] == ["a.csv"]


async def test_patience_has_an_end(slack: FakeSlack, desk: Desk) -> None:
    slack.is_down = True
    with pytest.raises(PlatformUnavailable):
        await desk.thread().post(Output("Never."), "k")


async def test_charts_come_in_one_upload_with_their_descriptions(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    chart = file_of(tmp_path, "chart.png", b"png", alt_text="Sales rise in May")
    await desk.thread().post(Output("See below.", (chart, file_of(tmp_path, "data.csv", b"a,b"))), "k")

    answer, share = slack.posts()
    assert text_of(answer) == "See below."
    assert [each["name"] for each in share["files"]] == ["chart.png", "data.csv"]
    assert share["text"] == "Sales rise in May"
    assert share["thread_ts"] == answer["thread_ts"]
    contents = {file.name: (file.content, file.alt_text) for file in slack.workspace.files.values()}
    assert contents == {"chart.png": (b"png", "Sales rise in May"), "data.csv": (b"a,b", "")}


async def test_files_are_not_shared_twice_after_a_crash(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    slack.swallows = {"files.completeUploadExternal": 1}
    output = Output("See.", (file_of(tmp_path, "a.png"),))
    await desk.thread().post(output, "k")
    await desk.thread(slack.channel().messages[0]).post(output, "k")

    assert len([each for each in slack.posts() if each.get("files")]) == 1


async def test_an_upload_that_breaks_is_begun_again(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    slack.refuses = {"upload": ["500"]}
    await desk.thread().post(Output("See.", (file_of(tmp_path, "a.png"),)), "k")

    assert [each["name"] for each in slack.posts()[1]["files"]] == ["a.png"]


async def test_an_empty_file_is_named_and_the_others_arrive(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    output = Output("See.", (file_of(tmp_path, "none.csv", b""), file_of(tmp_path, "b.csv", b"b")))
    await desk.thread().post(output, "k")

    _, share, note = slack.posts()
    assert [each["name"] for each in share["files"]] == ["b.csv"]
    assert note["text"] == "none.csv is empty, and Slack takes no empty files."


async def test_a_missing_scope_for_files_is_named_and_the_answer_arrives(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    slack.scopes = {"chat:write", "users:read", "channels:history"}
    await desk.thread().post(Output("See.", (file_of(tmp_path, "a.png"),)), "k")

    answer, note = slack.posts()
    assert text_of(answer) == "See."
    assert "a.png" in note["text"]
    assert "files:write" in note["text"]


async def test_where_the_bot_may_not_write_the_asker_hears_of_it(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    thread = desk.thread(channel="C2")
    await thread.post(Output("The answer.", (file_of(tmp_path, "a.png"),)), "k")
    await thread.post(Output("The answer.", (file_of(tmp_path, "a.png"),)), "k")

    why, answer, share = slack.posts("DU1")
    assert why["text"].startswith(
        'I cannot write in #elsewhere, since I am not in it. Type "/invite @plotline"'
    )
    assert text_of(answer) == "The answer."
    assert share["files"][0]["name"] == "a.png"


@pytest.mark.parametrize(
    "code",
    ["is_archived", "restricted_action_read_only_channel", "thread_not_found", "messages_tab_disabled"],
)
async def test_an_answer_finds_its_asker_wherever_the_thread_is_closed(
    slack: FakeSlack, desk: Desk, code: str
) -> None:
    slack.rules.append(
        lambda method, args: code if method == "chat.postMessage" and args["channel"] == "C1" else None
    )
    await desk.thread().post(Output("The answer."), "k")

    why, answer = slack.posts("DU1")
    assert "#general" in why["text"]
    assert text_of(answer) == "The answer."


async def test_what_everyone_can_read_of_a_message_besides_itself_means_nothing(
    slack: FakeSlack, desk: Desk
) -> None:
    await desk.thread().post(Output("The answer."), "k")

    payload = slack.posts()[0]["metadata"]["event_payload"]
    assert list(payload) == ["mark"]
    assert re.fullmatch("[0-9a-f]{24}", payload["mark"])


async def test_what_only_the_asker_needs_nobody_else_reads(slack: FakeSlack, desk: Desk) -> None:
    first = slack.writes("<@UBOT> a question")
    await desk.thread(first).whisper("You may not.", "k")
    below = slack.writes("<@UBOT> and below?", thread_ts=first["ts"])
    await desk.thread(below).whisper("Nor here.", "l")
    await desk.thread(below).whisper("Nor here.", "l")

    assert slack.posts() == []
    # In a thread that has not begun, Slack would show it to nobody.
    assert [(each["user"], each.get("thread_ts"), each["text"]) for each in slack.workspace.ephemerals] == [
        (first["user"], None, "You may not."),
        (below["user"], first["ts"], "Nor here."),
    ]


async def test_in_a_direct_message_nobody_else_reads_anyway(slack: FakeSlack, desk: Desk) -> None:
    await desk.thread(channel="D1").whisper("You may not.", "k")

    assert [text_of(each) for each in slack.posts("D1")] == ["You may not."]


async def test_what_slack_shows_to_nobody_alone_is_said_aloud(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> a question")
    slack.channel().members.discard(question["user"])
    await desk.thread(question).whisper("You may not.", "k")

    assert [text_of(each) for each in slack.posts()] == ["You may not."]


async def test_a_revoked_token_is_not_tried_again_and_again(slack: FakeSlack, desk: Desk) -> None:
    slack.refuses = {"chat.postMessage": ["token_revoked"] * 9}
    with pytest.raises(PlatformUnavailable) as error:
        await desk.thread().post(Output("x"), "k")

    assert error.value.sentence == "slack_auth"
    assert len([call for call in slack.calls if call.method == "chat.postMessage"]) == 1


async def test_sentences_are_in_the_askers_language(slack: FakeSlack, desk: Desk, tmp_path: Path) -> None:
    question = slack.writes("<@UBOT> Frage", user="U2")
    await desk.thread(question).post(Output("x", (file_of(tmp_path, "leer.csv", b""),)), "k")

    assert slack.posts()[-1]["text"] == "leer.csv ist leer, und leere Dateien nimmt Slack nicht an."


async def test_links_that_nobody_named_are_no_links(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    author = Author("U1", "Anna")
    await thread.introduce(Message("m", author, "look at https://example.com/data", datetime.now(UTC)))
    await thread.post(
        Output("[a](https://example.com/b) [c](https://evil.test/?q=1) <!channel> <@U2> <@U1>"), "k"
    )

    assert text_of(slack.posts()[0]) == (
        "[a](https://example.com/b) c (`https:\u200b//evil\u200b.test/?q=1`) <\u200b!channel> <\u200b@U2> <@U1>"
    )


async def test_a_young_draft_becomes_the_answer(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(Writing("The sum "))
    await thread.progress(CellStarted(1, "sum(x)"))
    await thread.progress(CellFinished(1, Execution(Outcome.OK, "5", 0.2)))
    (draft,) = slack.posts()
    slack.clock.advance(10)
    await thread.post(Output("The sum is 5.", codes=("sum(x)",)), "k")

    (message,) = slack.posts()
    assert message["ts"] == draft["ts"]
    assert text_of(message) == "The sum is 5."
    assert "chunks" not in message
    assert "container" in block_types(message)


async def test_an_old_draft_gives_way_to_a_new_message(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(CellStarted(1, "sum(x)"))
    (draft,) = slack.posts()
    slack.clock.advance(100)
    await thread.post(Output("The sum is 5."), "k")

    (message,) = slack.posts()
    assert message["ts"] != draft["ts"]
    assert text_of(message) == "The sum is 5."


async def test_a_draft_of_another_process_is_taken_away(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> a question")
    await desk.thread(question).progress(CellStarted(1, "sum(x)"))
    await desk.thread(question).post(Output("The sum is 5."), "k")

    assert [text_of(each) for each in slack.posts()] == ["The sum is 5."]


async def test_a_draft_that_somebody_deleted_does_not_lose_the_answer(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(CellStarted(1, "sum(x)"))
    slack.channel().messages.remove(slack.posts()[0])
    await thread.post(Output("The sum is 5."), "k")

    assert [text_of(each) for each in slack.posts()] == ["The sum is 5."]


async def test_a_question_about_a_host_has_three_answers(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.ask("May the code reach pypi.org?", "host:1")
    await thread.ask("May the code reach pypi.org?", "host:1")

    (message,) = slack.posts()
    actions = [each["action_id"] for each in message["blocks"][-1]["elements"]]
    assert actions == ["allow_once", "allow_thread", "deny"]
    assert {each["value"] for each in message["blocks"][-1]["elements"]} == {"host:1"}
    assert message["bot_id"] == BOT_ID


async def test_the_answer_to_an_edited_question_takes_the_place_of_the_one_before(
    slack: FakeSlack, desk: Desk, tmp_path: Path
) -> None:
    question = slack.writes("<@UBOT> one")
    before = desk.thread(question)
    turn = f"slack:T1:C1:{question['ts']}"
    await before.post(Output("It is 40.", (file_of(tmp_path, "a.png"),)), f"{turn}:answer")
    edited = replace(Address.of(before.address), turn=f"{turn}@{slack.workspace.new_ts()}")
    for _ in range(2):
        # The second time, as by another process that does not know how far the first came.
        thread = SlackThread(desk.connection(), edited)
        await thread.post(Output("It is 42.", (file_of(tmp_path, "b.png"),)), f"{edited.turn}:answer")

    answers = [block["text"] for post in slack.posts() for block in post.get("blocks", ()) if "text" in block]
    assert answers == ["It is 42."]
    assert [file.name for file in slack.workspace.files.values()] == ["b.png"]


async def test_what_is_posted_beside_an_answer_takes_nothing_back(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> one")
    before = desk.thread(question)
    turn = f"slack:T1:C1:{question['ts']}"
    await before.post(Output("It is 40."), f"{turn}:answer")
    edited = replace(Address.of(before.address), turn=f"{turn}@{slack.workspace.new_ts()}")
    await SlackThread(desk.connection(), edited).post(Output("Not now."), f"{edited.turn}:refused:aloud")

    assert len(slack.posts()) == 2
