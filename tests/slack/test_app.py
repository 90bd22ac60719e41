"""The whole adapter over Socket Mode: what happens in Slack reaches the core once, and what it says arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from adapters.slack import listeners
from adapters.slack.app import Slack, open_slack, serve
from adapters.slack.errors import SlackRefused
from adapters.slack.listeners import bolt
from adapters.slack.socket import Socket
from adapters.slack.thread import SlackThread
from bot.messages import CellStarted, Message, Output
from bot.reception import Act, Decided, DurableThread, MemoryJournal
from bot.visits import Wish
from tests.fakes.ports import artifact
from tests.fakes.slack.receiver import RecordingReceiver
from tests.fakes.slack.server import APP_TOKEN, SIGNING_SECRET, FakeSlack
from tests.fakes.slack.transport import NotAcknowledged, Sender
from tests.slack.conftest import Office, said, until


async def echo(message: Message, thread: DurableThread) -> None:
    async with thread.working():
        await thread.post(Output(f"You said: {message.text}"), f"{message.id}:answer")


# Messages


async def test_a_mention_is_answered_once_in_its_thread(slack: FakeSlack, office: Office) -> None:
    office.receiver.turn = echo
    async with office.opened():
        message = await slack.says("<@UBOT> hello")

    assert office.receiver.texts == ["hello"]
    assert said(slack) == ["You said: hello"]
    assert slack.posts()[0]["thread_ts"] == message["ts"]


async def test_events_in_any_order_and_again_are_one_message(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        first, second = slack.events_of(slack.writes("<@UBOT> hello"))
        await slack.deliver(second, event_id="Ev1")
        await slack.deliver(first, event_id="Ev2")
        await slack.deliver(second, event_id="Ev1", retry=1)
        await slack.deliver(first, event_id="Ev3", retry=2)

    assert office.receiver.texts == ["hello"]


@pytest.mark.parametrize("first", [0, 1])
async def test_whichever_event_of_a_mention_comes_first_its_files_are_there(
    slack: FakeSlack, office: Office, first: int
) -> None:
    async with office.opened():
        message = slack.writes("<@UBOT> plot", files=[slack.add_file("a.csv", b"a")])
        events = slack.events_of(message)
        for event in (events[first], events[1 - first]):
            await slack.deliver(event)

    ((message, _, _),) = office.receiver.messages
    assert [each.name for each in message.attachments] == ["a.csv"]


async def test_an_event_that_could_not_be_recorded_is_not_acknowledged(
    slack: FakeSlack, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.slack.transport.ACK_SECONDS", 0.2)
    office.receiver.fails = [OSError("the disk is full")]
    async with office.opened():
        (event,) = slack.events_of(slack.writes("hello", channel="D1"), "D1")
        with pytest.raises(NotAcknowledged):
            await slack.deliver(event)
        monkeypatch.undo()
        await slack.deliver(event, retry=1)

    assert office.receiver.texts == ["hello"]


async def test_files_alone_are_a_question_in_a_dm(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("", channel="D1", files=[slack.add_file("a.csv", b"a")])

    ((message, visit, _),) = office.receiver.messages
    assert [each.name for each in message.attachments] == ["a.csv"]
    assert (visit.in_dm, visit.wish) == (True, Wish.ASK)


async def test_a_thread_that_began_with_a_question_goes_on_without_mentions(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        root = await slack.says("<@UBOT> one")
        await slack.says("two", thread_ts=root["ts"], user="U2")
    async with office.opened():
        await slack.says("three", thread_ts=root["ts"])
        await slack.says("<@U2> not for the bot", thread_ts=root["ts"])

    assert office.receiver.texts == ["one", "two", "three"]


async def test_where_it_was_called_in_it_answers_to_mentions_only(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        root = await slack.says("people talk", user="U2")
        await slack.says("<@UBOT> what of it?", thread_ts=root["ts"])
        await slack.says("more talk", thread_ts=root["ts"], user="U2")
        await slack.says("<@UBOT> and now?", thread_ts=root["ts"])

    assert office.receiver.texts == ["what of it?", "and now?"]


async def test_what_is_not_for_the_bot_leaves_no_trace(
    slack: FakeSlack, office: Office, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    canary = "canary-7f3a"
    async with office.opened():
        root = await slack.says(f"{canary} talk", user="U2", files=[slack.add_file(f"{canary}.csv", b"a")])
        reply = await slack.says(f"{canary} reply", thread_ts=root["ts"])
        called = await slack.says("<@UBOT> hello")
        await slack.says(f"<@U2> {canary} aside", thread_ts=called["ts"])
        await slack.edits(reply, f"{canary} edited")
        await slack.deletes(reply)

    ours = [record for record in caplog.records if not record.name.startswith(("slack_", "asyncio"))]
    assert office.receiver.texts == ["hello"]
    assert canary not in office.receiver.everything
    assert canary not in repr(office.journal.notes)
    assert canary not in capsys.readouterr().out
    assert canary not in repr([record.getMessage() for record in ours])
    assert canary not in repr([call.args for call in slack.calls])


async def test_edits_and_deletions_reach_the_core(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = await slack.says("<@UBOT> plot", files=[slack.add_file("a.csv", b"a")])
        file = next(iter(slack.workspace.files.values()))
        await slack.unfurls(message)
        await slack.edits(message, "<@UBOT> plot by month")
        await slack.loses_file(message, file)
        await slack.deletes(message)

    source = office.receiver.messages[0][0].id
    assert [each.text for each in office.receiver.edits] == ["plot by month"]
    assert office.receiver.edits[0].id.startswith(f"{source}@")
    assert office.receiver.files_deleted == [file.id]
    assert office.receiver.deleted == [source]


@pytest.mark.parametrize("kind", ["channel_deleted", "group_deleted"])
async def test_a_deleted_channel_is_told(slack: FakeSlack, office: Office, kind: str) -> None:
    async with office.opened():
        await slack.deliver({"type": kind, "channel": "C1"})

    assert office.receiver.channels_deleted == ["C1"]


async def test_externals_and_bots_are_marked_for_the_policy(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("<@UBOT> from afar", user_team="T9")
        await slack.says("<@UBOT> beep", bot_id="B9")

    afar, beep = [visit for _, visit, _ in office.receiver.messages]
    assert (afar.is_external, afar.asker_team, afar.is_bot) == (True, "T9", False)
    assert (beep.is_external, beep.is_bot) == (False, True)


# Stopping


async def test_stop_typed_slacks_stop_and_the_button_all_stop(slack: FakeSlack, office: Office) -> None:
    slack.unknown = {"chat.startStream", "agents.sessions.setStatus"}
    async with office.opened():
        root = await slack.says("<@UBOT> work")
        ((_, _, thread),) = office.receiver.messages
        office.receiver.running.add(thread.id)
        await slack.says("stop", thread_ts=root["ts"], user="U2")
        await slack.stops("C1", root["ts"])
        await thread.progress(CellStarted(1, "work()"))
        await slack.clicks(slack.posts()[0], "stop")

    assert office.receiver.stops == [("U2", thread.id), ("U1", thread.id), ("U1", thread.id)]
    assert office.receiver.texts == ["work"]


@pytest.mark.parametrize(("user", "may"), [("UBOSS", True), ("U2", False)])
@pytest.mark.parametrize("how", ["typed", "slacks"])
async def test_managers_stop_what_others_have_asked_for(
    slack: FakeSlack, office: Office, user: str, may: bool, how: str
) -> None:
    async with office.opened():
        root = await slack.says("<@UBOT> work")
        ((_, _, thread),) = office.receiver.messages
        office.receiver.running.add(thread.id)
        if how == "typed":
            await slack.says("stop", thread_ts=root["ts"], user=user)
        else:
            await slack.stops("C1", root["ts"], user=user)

    assert bool(slack.workspace.ephemerals) is not may


async def test_where_nothing_runs_whoever_stops_hears_so(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        root = await slack.says("<@UBOT> work")
        await slack.stops("C1", root["ts"])

    assert slack.workspace.ephemerals[0]["text"] == "Nothing that you may stop is running here."
    assert slack.workspace.sessions["C1", root["ts"]] == "active"


async def test_stop_at_the_top_of_a_dm_stops_what_runs_there(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.says("work", channel="D1")
        ((_, _, thread),) = office.receiver.messages
        office.receiver.running.add(thread.id)
        await slack.says("Stop!", channel="D1")

    assert office.receiver.stops[-1] == ("U1", thread.id)
    assert office.receiver.texts == ["work"]


# Buttons


async def answered(slack: FakeSlack, office: Office) -> dict[str, Any]:
    """An answer with every button under it."""

    async def turn(message: Message, thread: DurableThread) -> None:
        await thread.post(Output("Done.", codes=("x = 1",)), f"{message.id}:answer")

    office.receiver.turn = turn
    await slack.says("<@UBOT> work")
    await office.receiver.settle()
    return slack.posts()[-1]


async def test_code_is_shown_to_whoever_asks_for_it(slack: FakeSlack, office: Office) -> None:
    office.receiver.outputs[Act.SHOW_CODE] = Output("```python\nx = 1\n```")
    async with office.opened():
        message = await answered(slack, office)
        await slack.clicks(message, "show_code", user="U2")

    ((action),) = office.receiver.actions
    assert action.turn == office.receiver.messages[0][0].id
    (shown,) = slack.workspace.ephemerals
    assert (shown["user"], shown["thread_ts"]) == ("U2", message["thread_ts"])
    assert shown["blocks"][0]["text"] == "```python\nx = 1\n```"


async def test_buttons_work_after_a_restart(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = await answered(slack, office)
    async with office.opened():
        await slack.clicks(
            message, "feedback", value=message["blocks"][-1]["elements"][0]["positive_button"]["value"]
        )

    assert [action.act for action in office.receiver.actions] == [Act.LIKE]
    assert office.receiver.actions[0].turn == office.receiver.messages[0][0].id


async def test_a_notebook_is_shared_in_the_thread(slack: FakeSlack, office: Office, tmp_path: Any) -> None:
    path = tmp_path / "n"
    path.write_bytes(b"content")
    notebook = replace(artifact("thread.ipynb", media_type="application/json"), path=path)
    office.receiver.outputs[Act.NOTEBOOK] = Output("", (notebook,))
    async with office.opened():
        message = await answered(slack, office)
        await slack.clicks(message, "notebook", user="U2")

    assert [each["name"] for each in slack.posts()[-1]["files"]] == ["thread.ipynb"]


@pytest.mark.parametrize(("user", "may"), [("U1", True), ("UBOSS", True), ("U2", False)])
async def test_only_the_asker_and_managers_delete_an_answer(
    slack: FakeSlack, office: Office, user: str, may: bool, tmp_path: Any
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")

    async def turn(message: Message, thread: DurableThread) -> None:
        output = Output("word " * 5000, (replace(artifact("a.png"), path=path),))
        await thread.post(output, f"{message.id}:answer")

    office.receiver.turn = turn
    async with office.opened():
        await slack.says("<@UBOT> work")
        await office.receiver.settle()
        message = next(each for each in slack.posts() if each["blocks"][-1]["type"] == "context_actions")
        await slack.clicks(message, "delete_answer", user=user)

    assert bool(slack.posts()) is not may
    assert bool(slack.workspace.files) is not may
    assert [action.act for action in office.receiver.actions] == ([Act.DELETE] if may else [])
    if not may:
        assert slack.workspace.ephemerals[0]["text"].startswith("Das können nur Anna und")


async def test_code_is_edited_in_a_form_and_runs_in_the_thread(slack: FakeSlack, office: Office) -> None:
    async with office.opened() as opened:
        message = await answered(slack, office)
        office.receiver.codes[office.receiver.messages[0][0].id] = "x = 1"
        await slack.clicks(message, "edit_and_run")
        await opened.background.settle()
        (view,) = slack.workspace.views
        answer = await slack.submits(
            view, {"code": {"code": {"value": "x = 2"}}, "files": {"files": {"files": []}}}
        )

    assert view["blocks"][0]["element"]["initial_value"] == "x = 1"
    assert answer.payload is None
    ((run, code, thread),) = office.receiver.runs
    assert (code, run.author.id) == ("x = 2", "U1")
    assert thread.id == office.receiver.messages[0][2].id


async def test_code_too_long_for_a_form_comes_back_as_a_file(slack: FakeSlack, office: Office) -> None:
    async with office.opened() as opened:
        message = await answered(slack, office)
        office.receiver.codes[office.receiver.messages[0][0].id] = "x = 1\n" * 1000
        await slack.clicks(message, "edit_and_run")
        await opened.background.settle()
        (view,) = slack.workspace.views
        file = slack.workspace.file_object(slack.add_file("code.py", b"x = 2"), slack.url)
        await slack.submits(view, {"code": {"code": {"value": None}}, "files": {"files": {"files": [file]}}})

    assert "3000 characters" in view["blocks"][0]["text"]["text"]
    ((run, code, _),) = office.receiver.runs
    assert (code, [each.name for each in run.attachments]) == ("", ["code.py"])


async def test_what_the_policy_refuses_is_said_and_not_done(slack: FakeSlack, office: Office) -> None:
    office.receiver.refuses = {Wish.CHANGE: "Not today."}
    async with office.opened():
        message = await answered(slack, office)
        await slack.clicks(message, "delete_answer")

    assert slack.posts() == [message]
    assert slack.workspace.ephemerals[0]["text"] == "Not today."
    assert office.receiver.actions == []


# Questions about hosts


async def ask_about_a_host(slack: FakeSlack, office: Office) -> None:
    """By a process that ends then."""
    async with office.opened() as opened:
        await slack.says("<@UBOT> install it")
        ((_, _, thread),) = office.receiver.messages
        for _ in range(2):
            asking: SlackThread = opened.thread(thread.address)
            await asking.ask("May the code reach `pypi.org`?", "a1b2")


def buttons(message: dict[str, Any]) -> list[str]:
    rows = [block["elements"] for block in message.get("blocks") or [] if block["type"] == "actions"]
    return [button["text"]["text"] for row in rows for button in row]


async def test_a_question_about_a_host_is_asked_once_with_three_buttons(
    slack: FakeSlack, office: Office
) -> None:
    await ask_about_a_host(slack, office)

    assert said(slack) == ["May the code reach `pypi.org`?"]
    assert buttons(slack.posts()[0]) == ["Allow once", "Allow for this thread", "Deny"]


@pytest.mark.parametrize(
    ("button", "act"),
    [("allow_once", Act.ALLOW_ONCE), ("allow_thread", Act.ALLOW_THREAD), ("deny", Act.DENY)],
)
async def test_a_decision_about_a_host_takes_the_place_of_its_buttons_after_a_restart_too(
    slack: FakeSlack, office: Office, button: str, act: Act
) -> None:
    office.receiver.decided = Decided("Anna has decided.")
    await ask_about_a_host(slack, office)
    async with office.opened():
        await slack.clicks(slack.posts()[0], button)

    (action,) = office.receiver.actions
    assert (action.act, action.turn, action.visit.wish) == (act, "a1b2", Wish.CHANGE)
    assert said(slack) == ["Anna has decided."]
    assert buttons(slack.posts()[0]) == []


async def test_what_is_allowed_for_a_thread_can_be_taken_back_by_a_button(
    slack: FakeSlack, office: Office
) -> None:
    await ask_about_a_host(slack, office)
    async with office.opened() as opened:
        office.receiver.decided = Decided("Anna allowed `pypi.org`.", can_be_revoked=True)
        await slack.clicks(slack.posts()[0], "allow_thread")
        await opened.background.settle()
        assert buttons(slack.posts()[0]) == ["Stop allowing"]
        office.receiver.decided = Decided("Ben stopped allowing `pypi.org`.")
        await slack.clicks(slack.posts()[0], "revoke", user="U2")

    assert [(each.act, each.turn) for each in office.receiver.actions][-1] == (Act.REVOKE, "a1b2")
    assert said(slack) == ["Ben stopped allowing `pypi.org`."]
    assert buttons(slack.posts()[0]) == []


async def test_who_may_not_decide_is_told_so_alone_and_the_question_stays(
    slack: FakeSlack, office: Office
) -> None:
    office.receiver.decided = Decided("Only managers can.", is_for_all=False)
    await ask_about_a_host(slack, office)
    async with office.opened():
        await slack.clicks(slack.posts()[0], "allow_once", user="U2")

    assert [each["text"] for each in slack.workspace.ephemerals] == ["Only managers can."]
    assert buttons(slack.posts()[0]) == ["Allow once", "Allow for this thread", "Deny"]


async def test_whom_the_policy_refuses_decides_nothing(slack: FakeSlack, office: Office) -> None:
    office.receiver.refuses[Wish.CHANGE] = "Not for guests."
    await ask_about_a_host(slack, office)
    async with office.opened():
        await slack.clicks(slack.posts()[0], "allow_once", user="U2")

    assert office.receiver.actions == []
    assert [each["text"] for each in slack.workspace.ephemerals] == ["Not for guests."]


async def test_a_question_that_nobody_answered_in_time_says_so(slack: FakeSlack, office: Office) -> None:
    await ask_about_a_host(slack, office)
    async with office.opened() as opened:
        ((_, _, thread),) = office.receiver.messages
        later: SlackThread = opened.thread(thread.address)
        await later.settle("Nobody decided about `pypi.org` in time.", "a1b2")

    assert said(slack) == ["Nobody decided about `pypi.org` in time."]
    assert buttons(slack.posts()[0]) == []


# Commands, forms, shortcuts, Home


async def test_a_command_begins_a_thread(slack: FakeSlack, office: Office) -> None:
    office.receiver.turn = echo
    async with office.opened():
        answer = await slack.commands("what is *2+2*?")
        await office.receiver.settle()
        root = slack.posts()[0]
        await slack.says("and 3+3?", thread_ts=root["ts"])

    assert answer.payload is None
    assert root["text"] == "<@U1> asks: what is **2+2**?"
    assert office.receiver.texts == ["what is **2+2**?", "and 3+3?"]
    assert all(each.get("thread_ts") == root["ts"] for each in slack.posts()[1:])


@pytest.mark.parametrize("text", ["", "help"])
async def test_help_is_for_the_asker_alone(slack: FakeSlack, office: Office, text: str) -> None:
    async with office.opened():
        answer = await slack.commands(text, user="U2")

    assert answer.payload
    assert answer.payload["response_type"] == "ephemeral"
    assert "Frag mich nach Daten" in answer.payload["text"]
    assert "api.openai.com (de-AT)" in answer.payload["text"]
    assert slack.posts() == []


async def test_usage_is_for_the_asker_alone(slack: FakeSlack, office: Office) -> None:
    office.receiver.outputs[Act.USAGE] = Output("You have used 5 of 100 turns.")
    async with office.opened():
        await slack.commands("usage")

    (response,) = slack.responses
    assert response["response_type"] == "ephemeral"
    assert "5 of 100" in response["text"]


async def test_a_command_where_the_bot_is_no_member_says_how_to_invite_it(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened():
        answer = await slack.commands("a question", channel="C2")

    assert answer.payload
    assert '"/invite @plotline"' in answer.payload["text"]
    assert office.receiver.messages == []


async def test_a_form_asks_a_question_with_files(slack: FakeSlack, office: Office) -> None:
    async with office.opened() as opened:
        await slack.uses_shortcut("new_analysis")
        await opened.background.settle()
        (view,) = slack.workspace.views
        empty = await slack.submits(view, {"question": {"question": {"value": None}}})
        file = slack.workspace.file_object(slack.add_file("a.csv", b"a"), slack.url)
        values = {
            "question": {"question": {"value": "plot it"}},
            "files": {"files": {"files": [file]}},
            "channel": {"channel": {"selected_conversation": None}},
        }
        answer = await slack.submits(view, values)

    assert empty.payload
    assert empty.payload["errors"] == {"question": "Write a question or add a file."}
    assert answer.payload is None
    ((message, visit, _),) = office.receiver.messages
    assert (message.text, [each.name for each in message.attachments]) == ("plot it", ["a.csv"])
    assert (visit.channel, visit.in_dm) == ("DU1", True)
    assert said(slack, "DU1") == ["<@U1> asks: plot it"]


async def test_a_form_for_a_channel_without_the_bot_says_so(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        values = {
            "question": {"question": {"value": "x"}},
            "channel": {"channel": {"selected_conversation": "C2"}},
        }
        view = {"id": "V1", "type": "modal", "callback_id": "ask_form", "private_metadata": ""}
        answer = await slack.submits(view, values)

    assert answer.payload
    assert "/invite @plotline" in answer.payload["errors"]["channel"]


async def test_a_command_is_acknowledged_in_time_however_slow_slack_is(
    slack: FakeSlack, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "ANSWER_SECONDS", 0.05)
    async with office.opened() as opened:
        slack.going.clear()
        answers = [await slack.commands(text) for text in ("what is 2+2?", "help")]
        refused = await slack.commands("a question", channel="C2")
        slack.going.set()
        await opened.background.settle()
        await office.receiver.settle()

    assert [each.payload for each in (*answers, refused)] == [None] * 3
    assert office.receiver.texts == ["what is 2+2?"]
    texts = [each["text"] for each in slack.responses]
    assert any("Ask me about data" in text for text in texts)
    assert any('"/invite @plotline"' in text for text in texts)


async def test_what_is_wrong_with_a_form_is_said_in_a_direct_message_once_it_is_closed(
    slack: FakeSlack, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "ANSWER_SECONDS", 0.05)
    async with office.opened() as opened:
        values = {
            "question": {"question": {"value": "x"}},
            "channel": {"channel": {"selected_conversation": "C2"}},
        }
        view = {"id": "V1", "type": "modal", "callback_id": "ask_form", "private_metadata": ""}
        slack.going.clear()
        answer = await slack.submits(view, values)
        slack.going.set()
        await opened.background.settle()

    assert answer.payload is None
    assert any("/invite @plotline" in text for text in said(slack, "DU1"))


async def test_any_message_can_be_analyzed(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = slack.writes(
            "Sales: <https://example.com|here>", user="U2", files=[slack.add_file("a.csv", b"a")]
        )
        await slack.uses_message_shortcut("analyze_message", message)

    ((question, visit, thread),) = office.receiver.messages
    assert question.text.endswith("\n\n> Sales: [here](https://example.com)")
    assert [each.name for each in question.attachments] == ["a.csv"]
    assert visit.author.id == "U1"
    assert thread.id == f"slack:T1/C1/{message['ts']}"


async def test_with_a_message_goes_what_was_asked_about_it(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        message = await slack.says("Sales are down", user="U2")
        await slack.uses_message_shortcut("analyze_message", message)
        await slack.deletes(message)

    ((question, _, _),) = office.receiver.messages
    assert office.receiver.deleted == [f"slack:T1:C1:{message['ts']}", question.id]


async def test_opening_the_conversation_suggests_prompts(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.deliver({"type": "app_home_opened", "channel": "D1", "user": "U1", "tab": "messages"})

    assert 1 <= len(slack.workspace.prompts["D1"]) <= 4


async def test_the_home_tab_tells_usage_and_who_reads_what(slack: FakeSlack, office: Office) -> None:
    office.receiver.outputs[Act.USAGE] = Output("You have used **5** of 100 turns.")
    async with office.opened():
        await slack.deliver({"type": "app_home_opened", "channel": "D1", "user": "U1", "tab": "home"})

    shown = repr(slack.workspace.homes["U1"])
    assert "You have used *5* of 100 turns." in shown
    assert "api.openai.com" in shown
    assert "Delete my data" in shown


async def test_data_are_deleted_from_the_home_tab(slack: FakeSlack, office: Office) -> None:
    office.receiver.outputs[Act.FORGET] = Output("All of it is gone.")
    async with office.opened():
        await slack.clicks_home("forget_me")

    assert office.receiver.actions[0].act is Act.FORGET
    assert office.receiver.actions[0].visit.author.id == "U1"
    assert said(slack, "DU1") == ["All of it is gone."]


async def test_on_joining_a_channel_it_says_who_reads_what(slack: FakeSlack, office: Office) -> None:
    joined = {"type": "member_joined_channel", "channel": "C1", "inviter": "U2"}
    async with office.opened():
        await slack.deliver({**joined, "user": "UBOT"})
        await slack.deliver({**joined, "user": "U2"})

    (text,) = said(slack)
    assert "api.openai.com (de-AT)" in text


async def test_an_uninstalled_app_is_told_to_the_core(slack: FakeSlack, office: Office) -> None:
    async with office.opened():
        await slack.deliver({"type": "app_uninstalled"})

    assert office.receiver.uninstalled == ["T1"]


@pytest.mark.parametrize(
    ("tokens", "is_gone"), [({"bot": ["UBOT"]}, True), ({"oauth": ["U1"], "bot": []}, False)]
)
async def test_only_the_end_of_its_own_token_is_its_end(
    slack: FakeSlack, office: Office, tokens: dict[str, list[str]], is_gone: bool
) -> None:
    async with office.opened():
        await slack.deliver({"type": "tokens_revoked", "tokens": tokens})

    assert bool(office.receiver.uninstalled) is is_gone


@pytest.mark.parametrize("kind", ["app_context_changed", "agent_session_title_changed"])
async def test_other_events_are_heard_and_left_alone(slack: FakeSlack, office: Office, kind: str) -> None:
    async with office.opened():
        await slack.deliver({"type": kind, "channel": "D1", "user": "U1"})


# Connections


async def test_everything_works_over_http_too(slack: FakeSlack, office: Office) -> None:
    options = replace(office.options, app_token="", signing_secret=SIGNING_SECRET, host="127.0.0.1", port=0)
    office.receiver.turn = echo
    async with open_slack(options, office.receiver, office.journal) as opened:
        runner = web.AppRunner(bolt(opened, options).web_app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.sender = Sender(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", SIGNING_SECRET)
        await slack.says("<@UBOT> hello")
        await slack.commands("help")
        status, challenge = await slack.sender.request(
            '{"type": "url_verification", "challenge": "abc"}', {"Content-Type": "application/json"}
        )
        forged, _ = await slack.sender.request("{}", {"Content-Type": "application/json"}, secret="another")
        old, _ = await slack.sender.request("{}", {"Content-Type": "application/json"}, age=400)
        await office.receiver.settle()
        await runner.cleanup()

    assert said(slack) == ["You said: hello"]
    assert (status, "abc" in challenge) == (200, True)
    assert (forged, old) == (401, 401)


async def test_over_http_it_is_ready_however_long_slack_is_quiet(slack: FakeSlack, office: Office) -> None:
    options = replace(office.options, app_token="", signing_secret=SIGNING_SECRET, host="127.0.0.1", port=0)
    async with office.opened(options) as opened:
        slack.clock.advance(3600)

        assert opened.health.is_ready


async def test_the_environment_does_not_change_what_bolt_does(
    slack: FakeSlack, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from-the-environment")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    office.receiver.turn = echo
    async with office.opened():
        await slack.says("<@UBOT> hello")

    assert said(slack) == ["You said: hello"]


async def test_a_wrong_token_ends_it_at_once(slack: FakeSlack, office: Office) -> None:
    options = replace(office.options, bot_token="xoxb-wrong")
    with pytest.raises(SlackRefused) as error:
        async with open_slack(options, RecordingReceiver(), MemoryJournal()):
            pass

    assert error.value.code == "invalid_auth"


async def test_after_slack_asks_for_a_new_connection_events_still_arrive(
    slack: FakeSlack, office: Office
) -> None:
    async with office.opened() as opened:
        await slack.sockets.disconnect()
        await until(lambda: slack.sockets.pings == 2)
        slack.clock.advance(5)
        await until(lambda: opened.health.reconnects == 1)
        await slack.says("<@UBOT> still there?")

    assert office.receiver.texts == ["still there?"]


@asynccontextmanager
async def listening(slack: FakeSlack, office: Office) -> AsyncIterator[Slack]:
    """With a socket that pings often."""
    options = replace(office.options, clock=replace(office.options.clock, tick=lambda _: asyncio.sleep(0.01)))
    async with open_slack(options, office.receiver, office.journal) as opened:
        socket = Socket(
            bolt(opened, options), APP_TOKEN, None, opened.health, opened.on_connected, ping_seconds=0.05
        )
        running = asyncio.ensure_future(socket.run())
        await until(lambda: opened.health.is_connected)
        yield opened
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_deaf_connection_is_opened_anew(slack: FakeSlack, office: Office) -> None:
    async with listening(slack, office) as opened:
        slack.sockets.is_deaf = True
        await until(lambda: opened.health.reconnects)
        slack.sockets.is_deaf = False
        await until(lambda: opened.health.is_ready and slack.sockets.open)
        await slack.says("<@UBOT> do you hear me?")

    assert office.receiver.texts == ["do you hear me?"]


async def test_a_connection_that_the_sdk_gives_up_on_is_opened_anew(slack: FakeSlack, office: Office) -> None:
    async with listening(slack, office) as opened:
        slack.rules.append(lambda method, args: "fatal_error" if method == "apps.connections.open" else None)
        await slack.sockets.drop()
        await until(lambda: not opened.health.is_connected)
        assert not opened.health.is_ready
        slack.clock.advance(31)
        await until(lambda: len([call for call in slack.calls if call.refused == "fatal_error"]) > 3)
        slack.rules.clear()
        await until(lambda: opened.health.is_ready)
        await slack.says("<@UBOT> do you hear me?")

    assert office.receiver.texts == ["do you hear me?"]


async def test_a_wrong_token_for_the_socket_ends_it(slack: FakeSlack, office: Office) -> None:
    options = replace(office.options, app_token="xapp-wrong")
    async with open_slack(options, office.receiver, office.journal) as opened:
        with pytest.raises(ExceptionGroup) as error:
            await serve(opened, options)

    assert error.group_contains(SlackRefused)


async def test_two_threads_at_once_do_not_mix(slack: FakeSlack, office: Office) -> None:
    office.receiver.turn = echo
    async with office.opened():
        roots = [await slack.says(f"<@UBOT> {number}") for number in range(10)]
        await asyncio.gather(
            *(slack.says(f"{at} more", thread_ts=root["ts"]) for at, root in enumerate(roots))
        )

    for number, root in enumerate(roots):
        answers = [each for each in slack.posts() if each["thread_ts"] == root["ts"]]
        assert [each["blocks"][0]["text"] for each in answers] == [
            f"You said: {number}",
            f"You said: {number} more",
        ]
