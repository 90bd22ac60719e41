"""The fake refuses what Slack refuses, and answers in Slack's shapes: else the tests against it prove little."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.rules import Json
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, LOGIN_PAGE, SIGNING_SECRET, FakeSlack
from tests.fakes.slack.state import STREAM_SECONDS
from tests.fakes.slack.transport import NotAcknowledged, Sender

SAMPLES = Path(__file__).parents[3] / "shared" / "specs" / "slack-samples"
QUIET: Json = {"unfurl_links": False, "unfurl_media": False}


async def refused(call: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


def markdown(text: str) -> Json:
    return {"type": "markdown", "text": text}


def button(**facts: str) -> Json:
    return {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x"}, **facts}


TOO_MUCH: list[tuple[list[Json], str]] = [
    ([markdown("x" * 6001), markdown("x" * 6000)], "msg_too_long"),
    ([markdown("x" * 11_000), {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2500}}],
     "msg_blocks_too_long"),
    ([{"type": "divider"}] * 51, "invalid_blocks"),
    ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "invalid_blocks"),
    ([{"type": "image", "slack_file": {"id": "F1"}, "alt_text": ""}], "invalid_blocks"),
    ([{"type": "actions", "elements": [button(value="x" * 2001)]}], "invalid_blocks"),
    ([{"type": "actions", "elements": [button(), button()]}], "invalid_blocks"),
    ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}], "invalid_blocks"),
    ([{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}], "invalid_blocks"),
    ([{"type": "data_table", "rows": [[{"type": "raw_text", "text": "x"}]] * 2}], "invalid_blocks"),
    ([{"type": "container", "title": {"type": "plain_text", "text": "x"}, "child_blocks": [markdown("x")]}],
     "invalid_blocks"),
    ([{"type": "video_of_the_day"}], "invalid_blocks"),
]  # fmt: skip


@pytest.mark.parametrize(("blocks", "error"), TOO_MUCH)
async def test_blocks_beyond_the_limits_are_refused(
    client: AsyncWebClient, blocks: list[Json], error: str
) -> None:
    assert await refused(client.chat_postMessage(channel="C1", text="x", blocks=blocks, **QUIET)) == error


async def test_an_update_takes_less_text_than_a_post(client: AsyncWebClient, slack: FakeSlack) -> None:
    posted = await client.chat_postMessage(channel="C1", text="x" * 40_001, **QUIET)

    assert len(slack.posts()[0]["text"]) == 40_000
    assert await refused(client.chat_update(channel="C1", ts=posted["ts"], text="x" * 4001)) == "msg_too_long"


async def test_metadata_is_shown_only_when_asked_for(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello")["ts"]
    metadata = {"event_type": "x", "event_payload": {"key": "1"}}
    await client.chat_postMessage(channel="C1", thread_ts=root, text="x", metadata=metadata, **QUIET)

    without = await client.conversations_replies(channel="C1", ts=root)
    with_it = await client.conversations_replies(channel="C1", ts=root, include_all_metadata=True)

    assert "metadata" not in without["messages"][1]
    assert with_it["messages"][1]["metadata"] == metadata


async def test_replies_come_in_pages(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello")["ts"]
    for number in range(5):
        slack.writes(str(number), thread_ts=root)

    first = await client.conversations_replies(channel="C1", ts=root, limit=4)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_replies(channel="C1", ts=root, limit=4, cursor=cursor)

    assert [each["text"] for each in first["messages"]] == ["Hello", "0", "1", "2"]
    assert [each["text"] for each in second["messages"]] == ["3", "4"]
    assert not second["has_more"]


async def test_a_stream_needs_a_recipient_outside_of_dms(client: AsyncWebClient, slack: FakeSlack) -> None:
    in_channel, in_dm = slack.writes("Hello")["ts"], slack.writes("Hello", channel="D1")["ts"]

    assert await refused(client.chat_startStream(channel="C1", thread_ts=in_channel)) == (
        "missing_recipient_team_id"
    )
    assert (await client.chat_startStream(channel="D1", thread_ts=in_dm))["ok"]


async def test_a_stream_ends_after_five_minutes_however_busy(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    root = slack.writes("Hello", channel="D1")["ts"]
    ts = (await client.chat_startStream(channel="D1", thread_ts=root))["ts"]
    more = [{"type": "markdown_text", "text": "x"}]
    slack.clock.advance(STREAM_SECONDS - 1)
    await client.chat_appendStream(channel="D1", ts=ts, chunks=more)
    slack.clock.advance(1)

    assert await refused(client.chat_appendStream(channel="D1", ts=ts, chunks=more)) == (
        "message_not_in_streaming_state"
    )
    assert (await client.chat_update(channel="D1", ts=ts, text="mended"))["ok"]


async def test_a_stream_holds_only_so_much_and_tasks_count_double(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    root = slack.writes("Hello", channel="D1")["ts"]
    ts = (await client.chat_startStream(channel="D1", thread_ts=root))["ts"]
    task = {"type": "task_update", "id": "1", "title": "x" * 200, "status": "complete"}
    text = {"type": "markdown_text", "text": "x" * 5000}
    await client.chat_appendStream(channel="D1", ts=ts, chunks=[text, *[task] * 12])

    assert await refused(client.chat_appendStream(channel="D1", ts=ts, chunks=[task] * 3)) == "msg_too_long"


async def test_an_open_stream_cannot_be_updated(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello", channel="D1")["ts"]
    ts = (await client.chat_startStream(channel="D1", thread_ts=root))["ts"]

    assert await refused(client.chat_update(channel="D1", ts=ts, text="x")) == "streaming_state_conflict"


async def test_a_status_is_gone_after_two_minutes(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello")["ts"]
    await client.assistant_threads_setStatus(channel_id="C1", thread_ts=root, status="is thinking")

    assert slack.workspace.status("C1", root) == "is thinking"
    slack.clock.advance(120)
    assert slack.workspace.status("C1", root) == ""


async def test_files_are_uploaded_in_three_steps(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello")["ts"]
    uploads = [{"content": b"png", "filename": "a.png", "alt_txt": "A chart"}]
    await client.files_upload_v2(channel="C1", thread_ts=root, initial_comment="Here", file_uploads=uploads)

    (message,) = slack.posts()
    (file,) = slack.workspace.files.values()
    assert (message["text"], message["thread_ts"]) == ("Here", root)
    assert (file.content, file.alt_text, file.shares) == (b"png", "A chart", {"C1": [message["ts"]]})


async def test_a_file_without_the_scope_is_a_login_page(slack: FakeSlack) -> None:
    file = slack.add_file("a.csv", b"a,b")
    url = slack.workspace.file_object(file, slack.url)["url_private_download"]
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        assert await (await http.get(url)).read() == b"a,b"
        slack.scopes = {"chat:write"}
        assert await (await http.get(url)).text() == LOGIN_PAGE


async def test_switches_make_methods_fail(client: AsyncWebClient, slack: FakeSlack) -> None:
    post: Json = {"channel": "C1", "text": "x", **QUIET}
    slack.unknown = {"chat.postMessage"}
    assert await refused(client.chat_postMessage(**post)) == "unknown_method"

    slack.unknown, slack.absent = set(), {"chat.postMessage"}
    with pytest.raises(SlackApiError) as no_json:
        await client.chat_postMessage(**post)
    assert no_json.value.response.status_code == 404

    slack.absent, slack.limits = set(), {"chat.postMessage": [7]}
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(**post)
    assert limited.value.response.headers["Retry-After"] == "7"

    slack.scopes = {"files:read"}
    assert await refused(client.chat_postMessage(**post)) == "missing_scope"
    assert slack.posts() == []


async def test_a_swallowed_answer_was_carried_out(client: AsyncWebClient, slack: FakeSlack) -> None:
    slack.swallows = {"chat.postMessage": 1}
    client.retry_handlers = []
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C1", text="x", **QUIET)

    assert len(slack.posts()) == 1


@pytest.fixture
async def heard(client: AsyncWebClient, slack: FakeSlack) -> AsyncIterator[list[str]]:
    """What a Bolt app hears over a socket."""
    app, heard = AsyncApp(client=client), list[str]()

    @app.event("message")
    async def on_message(event: Json) -> None:
        heard.append(f"message {event['text']}")

    @app.event("app_mention")
    async def on_mention(event: Json) -> None:
        heard.append(f"mention {event['text']}")

    @app.command("/plotline")
    async def on_command(ack: Callable[[str], Coroutine[Any, Any, None]], command: Json) -> None:
        await ack(f"you said {command['text']}")

    handler = AsyncSocketModeHandler(app, APP_TOKEN)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.sockets.connected.wait()
    yield heard
    await handler.close_async()  # type: ignore[no-untyped-call]


async def test_a_mention_arrives_as_two_events(heard: list[str], slack: FakeSlack) -> None:
    await slack.says("<@UBOT> hello")
    await asyncio.sleep(0)

    assert sorted(heard) == ["mention <@UBOT> hello", "message <@UBOT> hello"]


async def test_a_command_is_answered_over_the_socket(heard: list[str], slack: FakeSlack) -> None:
    assert (await slack.commands("help")).payload == {"text": "you said help"}


async def test_an_app_that_listens_on_a_port_gets_signed_requests(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    app, heard = AsyncApp(client=client, signing_secret=SIGNING_SECRET), list[str]()

    @app.event("message")
    async def on_message(event: Json) -> None:
        heard.append(event["text"])

    runner = aiohttp.web.AppRunner(app.web_app())
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.sender = Sender(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", SIGNING_SECRET)
    await slack.says("hello")
    slack.sender.signing_secret = "another"
    with pytest.raises(NotAcknowledged):
        await slack.says("forged")
    await runner.cleanup()

    assert heard == ["hello"]


def keys(value: object, sample: object) -> set[str]:
    """Names in `value` that `sample` does not have in the same place."""
    if isinstance(value, dict) and isinstance(sample, dict):
        unknown = set(value) - set(sample)
        return unknown.union(*(keys(each, sample[name]) for name, each in value.items() if name in sample))
    if isinstance(value, list) and isinstance(sample, list) and sample:
        return set[str]().union(*(keys(each, sample[0]) for each in value))
    return set()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Slack's own samples are not here")
async def test_events_have_the_shape_of_slacks_samples(slack: FakeSlack) -> None:
    sent: list[Json] = []

    class Line:
        async def send(self, kind: str, payload: Json, retry: int | None = None) -> None:
            sent.append(payload)

    slack.sender = Line()  # type: ignore[assignment]  # all that is needed of one
    message = await slack.says("<@UBOT> hello", files=[slack.add_file("a.csv", b"a")])
    await slack.edits(message, "<@UBOT> hello again")
    await slack.deletes(message)

    samples = ["MessageFileShare", "AppMention", "MessageChanged", "MessageDeleted"]
    for payload, name in zip(sent, samples, strict=True):
        sample = json.loads((SAMPLES / f"events__{name}Payload.json").read_text())
        # Newer than the samples, or so deep that they leave it out.
        newer = {
            "files",
            "parent_user_id",
            "channel_type",
            "client_msg_id",
            "team",
            "subtype",
            "text",
            "user",
        }
        assert keys(payload, sample) <= newer


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Slack's own samples are not here")
async def test_answers_have_the_shape_of_slacks_samples(client: AsyncWebClient, slack: FakeSlack) -> None:
    root = slack.writes("Hello")["ts"]
    stream: Json = {"channel": "C1", "thread_ts": root, "recipient_team_id": "T1", "recipient_user_id": "U1"}
    answers = {
        "auth.test": await client.auth_test(),
        "chat.startStream": await client.chat_startStream(**stream),
        "users.info": await client.users_info(user="U1", include_locale=True),
        "conversations.info": await client.conversations_info(channel="C1"),
        "files.info": await client.files_info(file=slack.add_file("a.csv", b"a").id),
    }

    for method, answer in answers.items():
        sample = json.loads((SAMPLES / f"api__{method}.json").read_text())
        assert keys(answer.data, sample) <= {"agent_status"}
