"""A running turn, shown while it runs: signs of life, streams and their limits, and what replaces them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.slack.addresses import Address
from adapters.slack.mrkdwn import Json
from adapters.slack.steps import Steps, title
from adapters.slack.thread import SlackThread
from bot.execution import CellError, Execution, Outcome
from bot.messages import CellFinished, CellStarted, Noted, Output, Writing
from tests.fakes.slack.server import FakeSlack
from tests.slack.conftest import Desk, until

OK = Execution(Outcome.OK, "5", 0.24)


def streamed(message: Json) -> str:
    return "".join(chunk["text"] for chunk in message["chunks"] if chunk["type"] == "markdown_text")


def cards(message: Json) -> dict[str, Json]:
    """As they stand in the end."""
    return {chunk["id"]: chunk for chunk in message["chunks"] if chunk["type"] == "task_update"}


def refuse(*methods: str) -> Callable[[str, Json], str | None]:
    return lambda method, args: "internal_error" if method in methods else None


# Signs of life


async def test_while_it_works_the_session_says_so(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> plot")
    sessions = slack.workspace.sessions
    async with desk.thread(question).working():
        await until(lambda: sessions.get(("C1", question["ts"])) == "processing")

    assert sessions["C1", question["ts"]] == "active"
    assert slack.called("reactions.add", "assistant.threads.setStatus") == []


async def test_a_session_is_named_however_long_the_question_is(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> plot")
    thread = SlackThread(desk.connection(), Address.of(desk.thread(question).address), "word " * 100)
    async with thread.working():
        await until(lambda: slack.workspace.sessions.get(("C1", question["ts"])) == "processing")

    assert slack.workspace.titles["C1", question["ts"]] == ("word " * 100)[:200]


async def test_without_the_stop_event_the_operator_is_told_once(
    slack: FakeSlack, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.methods.has_stop_event = False
    connection = desk.connection()
    for _ in range(2):
        async with desk.thread(connection=connection).working():
            await until(lambda: slack.clock.waiting == 2)

    assert capsys.readouterr().out.count("slack.no_stop_button") == 1


async def test_without_sessions_a_status_is_kept_alive_and_cleared(slack: FakeSlack, desk: Desk) -> None:
    slack.methods.is_agent = False
    question = slack.writes("<@UBOT> plot")

    def status() -> str:
        return slack.workspace.status("C1", question["ts"])

    async with desk.thread(question).working():
        await until(status)
        for _ in range(5):
            await until(lambda: slack.clock.waiting == 2)
            before = len(slack.called("assistant.threads.setStatus"))
            slack.clock.advance(90)
            await until(lambda count=before: len(slack.called("assistant.threads.setStatus")) > count)  # type: ignore[misc]  # bound
            assert status() == "is working on it"

    assert status() == ""


async def test_with_neither_there_are_eyes_on_the_question(slack: FakeSlack, desk: Desk) -> None:
    slack.absent = {"agents.sessions.setStatus", "assistant.threads.setStatus"}
    question = slack.writes("<@UBOT> plot")
    reactions = slack.workspace.reactions
    async with desk.thread(question).working():
        await until(lambda: reactions.get(("C1", question["ts"])))
        assert reactions["C1", question["ts"]] == {"eyes"}

    assert reactions["C1", question["ts"]] == set()


async def test_what_slack_does_not_have_is_asked_for_once(slack: FakeSlack, desk: Desk) -> None:
    slack.unknown = {"agents.sessions.setStatus"}
    connection = desk.connection()
    for _ in range(3):
        question = slack.writes("<@UBOT> plot")
        async with desk.thread(question, connection=connection).working():
            await until(lambda ts=question["ts"]: slack.workspace.status("C1", ts))  # type: ignore[misc]  # bound

    assert len([call for call in slack.calls if call.method == "agents.sessions.setStatus"]) == 1


async def test_signs_are_cleared_when_the_turn_is_cancelled(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> plot")

    async def work() -> None:
        async with desk.thread(question).working():
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await until(lambda: slack.workspace.sessions)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert slack.workspace.sessions["C1", question["ts"]] == "active"


async def test_no_sign_at_all_does_not_stop_the_work(slack: FakeSlack, desk: Desk) -> None:
    slack.is_down = True
    async with desk.thread().working():
        await until(lambda: True)


async def test_a_turn_that_waits_for_a_person_is_suspended(slack: FakeSlack, desk: Desk) -> None:
    question = slack.writes("<@UBOT> plot")
    thread = desk.thread(question)
    async with thread.working():
        await until(lambda: slack.workspace.sessions)
        await thread.ask("May it?", "a1b2")

    assert slack.workspace.sessions["C1", question["ts"]] == "suspended"


async def test_a_turn_that_goes_on_after_a_person_decided_is_active_in_the_end(
    slack: FakeSlack, desk: Desk
) -> None:
    question = slack.writes("<@UBOT> plot")
    thread = desk.thread(question)
    async with thread.working():
        await until(lambda: slack.workspace.sessions)
        await thread.ask("May it?", "a1b2")
        await thread.post(Output("Done."), "k:answer")

    assert slack.workspace.sessions["C1", question["ts"]] == "active"


# Streams


async def test_steps_and_text_are_streamed(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(Noted("Reading sales.csv"))
    await thread.progress(Writing("I will sum "))
    slack.clock.advance(1)
    await thread.progress(Writing("I will sum them up."))
    await thread.progress(CellStarted(1, "# Sum the amounts\nsum(x)"))
    await thread.progress(CellFinished(1, OK))
    slack.clock.advance(1)
    await thread.progress(Writing("The sum is 5. "))

    (message,) = slack.posts()
    assert streamed(message) == "I will sum them up.\n\nThe sum is 5. "
    told = {step: (card["title"], card["status"]) for step, card in cards(message).items()}
    assert told == {
        "note-0": ("Reading sales.csv", "complete"),
        "cell-1": ("Sum the amounts", "complete"),
    }


async def test_in_a_dm_nobody_has_to_be_named(slack: FakeSlack, desk: Desk) -> None:
    await desk.thread(channel="D1").progress(Writing("Hello "))

    (start,) = slack.called("chat.startStream")
    assert "recipient_user_id" not in start


async def test_where_nobody_can_be_named_a_message_is_updated(slack: FakeSlack, desk: Desk) -> None:
    # Another app has asked.
    address = replace(Address.of(desk.thread().address), asker="")
    thread = SlackThread(desk.connection(), address)
    async with thread.working():
        await thread.progress(CellStarted(1, "load()"))
        (shown,) = slack.posts()

    assert "load()" in shown["text"]
    assert slack.called("chat.startStream") == []


async def test_text_is_appended_now_and_then_only(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    for number in range(100):
        await thread.progress(Writing("word " * (number + 1)))
        slack.clock.advance(0.05)

    assert 4 <= len(slack.called("chat.startStream", "chat.appendStream")) <= 9


async def test_no_half_link_or_mention_is_streamed(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    text = "See [the long label](https://evil.test/?q=secret) and <!channel> and `a b` now "
    for end in range(1, len(text) + 1):
        await thread.progress(Writing(text[:end]))
        slack.clock.advance(1)

    (message,) = slack.posts()
    assert streamed(message) == (
        "See the long label (`https:\u200b//evil\u200b.test/?q=secret`) and <\u200b!channel> and `a b` now "
    )


async def test_a_stream_is_rolled_over_before_it_is_too_old(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(CellStarted(1, "sleep(1000)"))
    for _ in range(30):
        slack.clock.advance(20)
        await thread.progress(Noted("Still at it"))

    assert len(slack.posts()) == 3
    assert not [call for call in slack.calls if call.refused]
    assert all("cell-1" in cards(message) for message in slack.posts())
    await thread.post(Output("Done."), "k")
    assert len(slack.posts()) == 1


async def test_a_stream_with_no_news_is_ended_in_time(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    async with thread.working():
        await thread.progress(CellStarted(1, "sleep(1000)"))
        (stream,) = slack.workspace.streams.values()
        for _ in range(16):
            await until(lambda: slack.clock.waiting == 2)
            slack.clock.advance(15)
        await until(lambda: not stream.is_open)
        slack.clock.advance(1000)
        await thread.progress(CellFinished(1, OK))

    assert len(slack.posts()) == 2
    assert not [call for call in slack.calls if call.refused]


async def test_a_stream_is_rolled_over_before_it_is_too_long(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    text = ""
    for _ in range(30):
        text += "漢字 word " * 60
        await thread.progress(Writing(text))
        slack.clock.advance(1)

    assert len(slack.posts()) > 1
    assert not [call for call in slack.calls if call.refused]
    assert "".join(streamed(each) for each in slack.posts()).split() == text.split()


async def test_code_goes_on_as_code_in_the_next_stream(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    text = "Here:\n```python\n"
    for number in range(40):
        text += f"print({number})  # " + "x" * 400 + "\n"
        await thread.progress(Writing(text))
        slack.clock.advance(1)

    first, second = map(streamed, slack.posts())
    assert first.rstrip().endswith("```")
    assert second.startswith("```python\n")


async def test_a_stream_that_slack_ended_is_followed_by_another(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(Writing("One "))
    slack.workspace.streams[slack.posts()[0]["ts"]].is_open = False
    slack.clock.advance(1)
    await thread.progress(Writing("One two "))

    first, second = slack.posts()
    assert (streamed(first), streamed(second)) == ("One ", "two ")


async def test_after_slacks_stop_nothing_more_is_streamed(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(Writing("One "))
    stream = slack.workspace.streams[slack.posts()[0]["ts"]]
    stream.is_open, stream.stopped_by_user = False, True
    for number in range(3):
        slack.clock.advance(1)
        await thread.progress(Writing("One two " * (number + 1)))

    assert len([call for call in slack.calls if call.refused == "stopped_by_user"]) == 1
    await thread.post(Output("Stopped."), "k")
    assert len(slack.posts()) == 1


@pytest.mark.parametrize("how", ["unknown", "absent", "not_agent", "channels", "odd"])
async def test_without_streams_a_message_is_updated(slack: FakeSlack, desk: Desk, how: str) -> None:
    streaming = {"chat.startStream", "chat.appendStream", "chat.stopStream"}
    match how:
        case "unknown":
            slack.unknown = streaming
        case "absent":
            slack.absent = streaming
        case "not_agent":
            slack.rules.append(lambda method, args: "not_agent_app" if method in streaming else None)
        case "channels":
            slack.methods.streams_in_channels = False
        case "odd":
            slack.rules.append(lambda method, args: "restricted_plan_level" if method in streaming else None)
    connection = desk.connection()
    thread = desk.thread(connection=connection)
    await thread.progress(CellStarted(1, "sum(x)"))
    await thread.progress(Writing("The sum "))
    slack.clock.advance(1)
    await thread.progress(CellFinished(1, OK))

    (message,) = slack.posts()
    assert message["text"] == "✓ sum(x)  0.2 s\nThe sum "
    await thread.post(Output("The sum is 5."), "k")
    assert len(slack.posts()) == 1
    tried = [call for call in slack.calls if call.method == "chat.startStream"]
    assert len(tried) <= 1


@pytest.mark.parametrize("streams", [True, False])
async def test_whoever_goes_on_with_a_turn_leaves_nothing_of_what_was_shown_before(
    slack: FakeSlack, desk: Desk, streams: bool
) -> None:
    slack.methods.streams_in_channels = streams
    question = slack.writes("<@UBOT> plot")
    await desk.thread(question).progress(CellStarted(1, "sum(x)"))
    slack.clock.advance(1)

    thread = desk.thread(question)
    await thread.progress(CellStarted(1, "sum(x)"))
    await thread.post(Output("The sum is 5."), "k")

    assert [each["text"] for each in slack.posts()] == ["The sum is 5."]


async def test_what_came_too_soon_is_shown_a_little_later(slack: FakeSlack, desk: Desk) -> None:
    slack.unknown = {"chat.startStream"}
    thread = desk.thread()
    async with thread.working():
        await thread.progress(CellStarted(1, "sum(x)"))
        await thread.progress(CellFinished(1, OK))
        assert slack.posts()[0]["text"] == "⏳ sum(x)"
        await until(lambda: slack.clock.waiting == 3)
        slack.clock.advance(1)
        await until(lambda: slack.posts()[0]["text"] == "✓ sum(x)  0.2 s")


async def test_updates_are_throttled(slack: FakeSlack, desk: Desk) -> None:
    slack.unknown = {"chat.startStream"}
    thread = desk.thread()
    for number in range(100):
        await thread.progress(Writing("word " * (number + 1)))
        slack.clock.advance(0.1)

    assert len(slack.called("chat.update")) <= 4


async def test_progress_steps_aside_while_slack_limits_us(slack: FakeSlack, desk: Desk) -> None:
    thread = desk.thread()
    await thread.progress(Writing("One "))
    slack.limits = {"chat.appendStream": [30]}
    for _ in range(5):
        slack.clock.advance(1)
        await thread.progress(Noted("Going on"))

    assert len([call for call in slack.calls if call.method == "chat.appendStream"]) == 1
    slack.clock.advance(30)
    await thread.progress(Noted("And on"))
    assert len(cards(slack.posts()[0])) == 6


async def test_progress_never_fails(slack: FakeSlack, desk: Desk) -> None:
    slack.is_down = True
    thread = desk.thread()
    for update in (Noted("x"), Writing("a b "), CellStarted(1, "x"), CellFinished(1, OK)):
        await thread.progress(update)

    slack.is_down = False
    await thread.post(Output("There."), "k")
    assert len(slack.posts()) == 1


# Steps


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("# Load the data\nimport pandas as pd", "Load the data"),
        ("import pandas as pd\n\ndf = pd.read_csv('a.csv')", "df = pd.read_csv('a.csv')"),
        ("import os", "import os"),
        ("", "Python"),
        ("x" * 200, "x" * 89 + "…"),
    ],
)
def test_a_step_is_called_by_what_its_code_is_about(code: str, expected: str) -> None:
    assert title(code) == expected


def test_a_failed_step_says_how() -> None:
    steps = Steps()
    steps.add(CellStarted(1, "1/0"))
    steps.add(
        CellFinished(
            1, Execution(Outcome.RAISED, "", 0.1, CellError("ZeroDivisionError", "by <!here>\nx", ""))
        )
    )
    steps.add(CellFinished(2, Execution(Outcome.TIMED_OUT, "", 60)))

    first, second = steps.take_news()
    assert (first.state, first.output) == ("error", "ZeroDivisionError: by <\u200b!here>")
    assert (second.title, second.output) == ("Python", "timed out")
    assert steps.take_news() == []
