"""Events → what happened: for the bot or not, and what of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.slack.attachments import file_id, is_login_page, refusal, to_attachment
from adapters.slack.inbound import Deleted, Edited, FilesGone, Happened, Meant, Said, Us, happened
from adapters.slack.mrkdwn import Json
from adapters.slack.places import Place, message_id
from bot.messages import Attachment, Author, ThreadId
from bot.visits import Visit, Wish

US = Us("T1", "UBOT", "BBOT")
CSV = {
    "id": "F1",
    "name": "sales.csv",
    "mimetype": "text/csv",
    "size": 12,
    "mode": "hosted",
    "url_private": "https://files.slack.com/files-pri/T1-F1/sales.csv",
    "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/sales.csv",
}


def event(text: str = "", **facts: Any) -> Json:
    said = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "team": "T1"}
    return {**said, "ts": "1790000000.000100", "text": text, **facts}


def dm(text: str = "", **facts: Any) -> Json:
    return event(text, channel="D1", channel_type="im", **facts)


def changed(message: Json, before: Json) -> Json:
    place = {name: message.get(name) for name in ("channel", "channel_type")}
    return {
        "type": "message",
        "subtype": "message_changed",
        **place,
        "message": message,
        "previous_message": before,
    }


def said(event: Json) -> Said:
    result = happened(event, US)
    assert isinstance(result, Said)
    return result


def meant(event: Json) -> Meant | None:
    result = happened(event, US)
    return result.meant if isinstance(result, Said) else None


IN_THREAD = {"thread_ts": "1789999999.000100", "parent_user_id": "U2"}


def test_a_mention_is_a_message_without_the_mention() -> None:
    mention = said(event("<@UBOT> plot *this*", type="app_mention"))

    incoming = mention.incoming
    assert mention.meant is Meant.SURELY
    assert incoming.message.text == "plot **this**"
    assert incoming.message.id == "slack:T1:C1:1790000000.000100"
    assert incoming.message.sent_at == datetime(2026, 9, 21, 14, 13, 20, 100, UTC)
    assert incoming.place.id == ThreadId("slack:T1/C1/1790000000.000100")
    assert incoming.begins_thread
    assert incoming.visit == Visit(Wish.ASK, Author("U1", "U1"), "slack", "T1", "C1")


def test_both_events_of_a_mention_are_the_same_message() -> None:
    first, second = said(event("<@UBOT> hi", type="app_mention")), said(event("<@UBOT> hi"))

    assert first.incoming == second.incoming


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<@UBOT> plot", "plot"),
        ("<@UBOT|plotline>: plot", "plot"),
        ("plot it <@UBOT>", "plot it"),
        ("<@UBOT>", ""),
        ("ask <@UBOT> about it", "ask plotline about it"),
        ("<@UBOT> <@UBOT> ask <@U2> too", "ask @U2 too"),
    ],
)
def test_the_mention_is_taken_out_where_it_says_nothing(text: str, left: str) -> None:
    assert said(event(text)).incoming.message.text == left


def test_a_mention_in_rich_text_is_taken_out_too() -> None:
    inner = [{"type": "user", "user_id": "UBOT"}, {"type": "text", "text": " plot "}]
    rich = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": inner}]}]

    assert said(event("<@UBOT> plot", blocks=rich)).incoming.message.text == "plot"


def test_files_alone_are_a_message() -> None:
    incoming = said(dm(subtype="file_share", files=[CSV])).incoming

    assert incoming.message.text == ""
    assert incoming.message.attachments == (
        Attachment("sales.csv", f"{CSV['url_private_download']}#F1", 12, "text/csv"),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (dm("hello"), Meant.SURELY),
        (dm("<@U2> said so"), Meant.SURELY),
        (dm("and?", **IN_THREAD), Meant.SURELY),
        (event("hello"), None),
        (event("", subtype="file_share", files=[CSV]), None),
        (event("and the others?", **IN_THREAD), Meant.PERHAPS),
        (event("", subtype="file_share", files=[CSV], **IN_THREAD), Meant.PERHAPS),
        (event("also here", subtype="thread_broadcast", **IN_THREAD), Meant.PERHAPS),
        (event("and now?", **{**IN_THREAD, "parent_user_id": "UBOT"}), Meant.SURELY),
        (event("<@U2> look at this", **IN_THREAD), None),
        (event("<@U2> ask <@UBOT>", **IN_THREAD), Meant.SURELY),
        (event("<@UBOT> and <@U2>", **IN_THREAD), Meant.SURELY),
        (event("hello", channel="G1", channel_type="mpim"), None),
        (event("<@UBOT> hello", channel="G1", channel_type="mpim"), Meant.SURELY),
        (event("beep", bot_id="B2", user=None, subtype="bot_message", **IN_THREAD), None),
        (event("<@UBOT> beep", bot_id="B2", user=None, subtype="bot_message"), Meant.SURELY),
        (dm("hi", user="UBOT", bot_id="BBOT"), None),
        (dm("hi", user="USLACK"), None),
        (dm("hi", user="USLACKBOT"), None),
        (event("joined", subtype="channel_join"), None),
        (dm("topic", subtype="channel_topic"), None),
        ({"type": "message"}, None),
        (event("hi", type="message", channel=None), None),
    ],
)
def test_whether_a_message_is_for_the_bot(given: Json, expected: Meant | None) -> None:
    assert meant(given) is expected


@pytest.mark.parametrize("text", ["stop", "Stop!", " STOP. ", "cancel", "Abbrechen"])
def test_stop_typed_in_a_thread_is_no_question(text: str) -> None:
    assert said(event(text, **IN_THREAD)).is_stop
    assert said(event(f"<@UBOT> {text}", **IN_THREAD)).is_stop
    assert said(dm(text)).is_stop


def test_stop_within_a_sentence_is_a_question() -> None:
    assert not said(event("stop words in this text?", **IN_THREAD)).is_stop
    assert not said(event("<@UBOT> stop")).is_stop
    assert not said(dm("stop", files=[CSV])).is_stop


def edited(before: Json, text: str, **facts: Any) -> Happened | None:
    now = {**before, "text": text, "edited": {"user": "U1", "ts": "1790000001.000000"}, **facts}
    return happened(changed(now, before), US)


def test_an_edit_is_a_new_revision_of_the_same_message() -> None:
    result = edited(event("<@UBOT> plot"), "<@UBOT> plot by month")

    assert isinstance(result, Edited)
    assert result.incoming.message.text == "plot by month"
    assert result.incoming.message.id == "slack:T1:C1:1790000000.000100@1790000001.000000"
    assert result.incoming.message.id.startswith(message_id("T1", "C1", "1790000000.000100"))


def test_an_edit_that_takes_the_mention_away_is_still_ours() -> None:
    result = edited(event("<@UBOT> plot"), "never mind")

    assert isinstance(result, Edited)
    assert result.meant is Meant.SURELY


def test_edits_of_other_peoples_talk_are_not_ours() -> None:
    assert edited(event("hello"), "hello all") is None
    assert edited(event("<@U2> hello", **IN_THREAD), "<@U2> hello all") is None


def test_a_preview_of_a_link_is_no_edit() -> None:
    before = event("<@UBOT> read <https://example.com>")

    assert (
        happened(changed({**before, "attachments": [{"from_url": "https://example.com"}]}, before), US)
        is None
    )
    assert edited(before, before["text"]) is None


def test_a_file_taken_off_is_known_by_its_id() -> None:
    before = event("<@UBOT> plot", subtype="file_share", files=[CSV])
    now = {**before, "files": [{"id": "F1", "mode": "tombstone"}]}

    assert happened(changed(now, before), US) == FilesGone(("F1",))


def test_a_deleted_message_takes_its_files_along() -> None:
    before = event("<@UBOT> plot", files=[CSV], **IN_THREAD)
    deleted = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": before["ts"]}

    assert happened({**deleted, "previous_message": before}, US) == Deleted(
        Place("T1", "C1", IN_THREAD["thread_ts"]), "slack:T1:C1:1790000000.000100", ("F1",)
    )


def test_a_deleted_message_with_replies_is_deleted_too() -> None:
    before = event("<@UBOT> plot")
    tombstone = {**before, "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}

    assert happened(changed(tombstone, before), US) == Deleted(
        Place("T1", "C1", before["ts"]), "slack:T1:C1:1790000000.000100"
    )


def test_a_deleted_message_that_slack_no_longer_shows_is_deleted_too() -> None:
    deleted = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C1",
        "deleted_ts": "1790000000.000100",
    }

    assert happened(deleted, US) == Deleted(
        Place("T1", "C1", "1790000000.000100"), "slack:T1:C1:1790000000.000100"
    )


def test_what_the_bot_says_deletes_or_edits_is_not_an_event_for_it() -> None:
    ours = event("answer", user="UBOT", bot_id="BBOT", **IN_THREAD)
    deleted = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": ours["ts"]}

    assert edited(ours, "another") is None
    assert happened({**deleted, "previous_message": ours}, US) is None


def test_somebody_from_another_team_is_external() -> None:
    assert said(event("<@UBOT> hi", user_team="T2", team="T2")).incoming.visit.is_external
    assert not said(event("<@UBOT> hi", user_team="T1", team="T2")).incoming.visit.is_external


def test_a_forwarded_message_is_quoted_and_its_files_come_along() -> None:
    forwarded = {"is_share": True, "author_name": "Bertram", "text": "See *this*\nnow", "files": [CSV]}
    message = said(event("<@UBOT> why?", attachments=[forwarded])).incoming.message

    assert message.text == "why?\n\n> Bertram: See **this**\n> now"
    assert [each.name for each in message.attachments] == ["sales.csv"]


def test_what_the_asker_looks_at_is_known_where_slack_says_it() -> None:
    context = {"entities": [{"type": "slack#/types/channel_id", "value": "C7", "team_id": "T1"}]}

    assert said(dm("summarise", app_context=context)).incoming.visit.looking_at == "C7"


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (CSV, None),
        ({"id": "F2", "file_access": "check_file_info"}, None),
        ({"id": "F3", "mode": "tombstone"}, "slack_file_deleted"),
        ({"id": "F4", "mode": "hidden_by_limit"}, "slack_file_hidden"),
        ({**CSV, "id": "F5", "mode": "external", "is_external": True}, "slack_file_external"),
    ],
)
def test_every_file_can_be_told_apart(file: Json, sentence: str | None) -> None:
    attachment = to_attachment(file)

    assert file_id(attachment) == file["id"]
    assert refusal(attachment) == sentence


def test_a_sign_in_page_is_not_the_file() -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title>"
    csv, html = to_attachment(CSV), Attachment("page.html", "https://files.slack.com/x#F1", 1, "text/html")

    assert is_login_page(csv, "text/html", page)
    assert is_login_page(html, "text/html", page)
    assert not is_login_page(html, "text/html", b"<html><title>Our report</title>")
    assert not is_login_page(csv, "text/csv", b"a,b")


def test_a_thread_is_found_again_by_its_id() -> None:
    place = Place("T1", "C1", "1790000000.000100")

    assert Place.of(place.id) == place
