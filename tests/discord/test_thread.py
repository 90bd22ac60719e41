"""The Thread port against the fake: what people see of a turn, and that they see it once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.address import Address
from adapters.discord.status import BETWEEN_EDITS
from adapters.discord.thread import DiscordThread
from bot.errors import AttachmentRefused, PlatformUnavailable, StoreUnavailable
from bot.execution import Artifact, Execution, Outcome
from bot.messages import Attachment, CellFinished, CellStarted, Noted, Output, ThreadId, Writing
from bot.sentences import explain
from tests.discord.conftest import Maker, Worker, names, shown_text
from tests.discord.waiting import quiet, until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.rules import COMPONENTS_V2, walk

KEY = "discord:1:answer"


def labels(message: dict[str, Any]) -> list[str]:
    return [
        each.get("label") or each["emoji"]["name"]
        for each in walk(message["components"])
        if each["type"] == 2
    ]


async def test_an_answer_is_one_message_with_picture_file_and_buttons(worker: Worker, made: Maker) -> None:
    thread, place = worker.in_thread()
    chart = made.picture("chart.png", alt_text="Sales rise")

    await thread.post(Output("May was **best**.", (chart, made("a.csv")), ("plot()",)), KEY)

    (message,) = worker.fake.in_channel(place)
    kinds = [each["type"] for each in message["components"]]
    assert shown_text(message) == "May was **best**."
    assert kinds == [10, 12, 13, 1, 1]
    assert message["components"][1]["items"][0]["description"] == "Sales rise"
    assert labels(message) == ["Show code", "Edit & run", "Notebook", "Delete", "👍", "👎"]
    assert message["flags"] & COMPONENTS_V2


async def test_without_code_there_is_nothing_to_show_of_it(worker: Worker) -> None:
    thread, place = worker.in_thread()

    await thread.post(Output("Hello."), KEY)

    assert labels(worker.fake.in_channel(place)[0]) == ["Delete", "👍", "👎"]


async def test_the_same_key_is_posted_once(worker: Worker) -> None:
    thread, place = worker.in_thread()

    await thread.post(Output("once"), KEY)
    await thread.post(Output("once"), KEY)
    await worker.again(thread).post(Output("once"), KEY)

    assert len(worker.fake.in_channel(place)) == 1


async def test_a_long_answer_comes_in_order_with_the_buttons_last(worker: Worker) -> None:
    thread, place = worker.in_thread()

    await thread.post(Output("\n\n".join(f"Paragraph {n} " + "word " * 120 for n in range(15))), KEY)

    messages = worker.fake.in_channel(place)
    assert len(messages) == 3
    assert [bool(labels(each)) for each in messages] == [False, False, True]
    assert shown_text(messages[0]).startswith("Paragraph 0")


@pytest.mark.parametrize("dies_after", [0, 1, 2])
async def test_a_post_that_was_interrupted_goes_on_where_it_was(worker: Worker, dies_after: int) -> None:
    thread, place = worker.in_thread()
    text = "\n\n".join(f"Paragraph {n} " + "word " * 120 for n in range(15))
    notes = worker.journal.notes
    seen: list[dict[str, str]] = []
    note = worker.journal.note

    async def remembering(key: str, value: str) -> None:
        seen.append(dict(notes))
        await note(key, value)

    worker.journal.note = remembering  # type: ignore[method-assign]
    await thread.post(Output(text), KEY)
    # What was noted before the piece was known to be there: the process died between the two.
    notes.clear()
    notes |= seen[2 * dies_after + 1]

    await worker.again(thread).post(Output(text), KEY)

    assert len(worker.fake.in_channel(place)) == 3


async def test_after_the_nonce_is_forgotten_a_look_finds_what_was_sent(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("once"), KEY)
    begun = worker.fake.clock.now().timestamp()
    state = {"messages": [], "channels": [], "trying": begun, "is_done": False}
    worker.journal.notes[f"discord:posted:{KEY}"] = json.dumps(state)
    await worker.fake.clock.advance(3600)

    await worker.again(thread).post(Output("once"), KEY)

    assert len(worker.fake.in_channel(place)) == 1


async def test_refused_components_go_out_as_plain_text(worker: Worker, made: Maker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.fail(r"POST .*/messages$", 400, code=50035)

    await thread.post(Output("word " * 700, (made("a.csv"),)), KEY)

    messages = worker.fake.in_channel(place)
    assert [bool(each["content"]) for each in messages] == [True, True]
    assert [names(each) for each in messages] == [[], ["a.csv"]]
    # Read once already, for the form that was refused.
    assert worker.fake.world.blobs[messages[-1]["attachments"][0]["id"]].content == b"content"
    assert labels(messages[-1])


async def test_refused_again_the_answer_is_a_file(worker: Worker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.fail(r"POST .*/messages$", 400, code=50035, times=2)

    await thread.post(Output("the answer"), KEY)

    (message,) = worker.fake.in_channel(place)
    assert names(message) == ["answer.md"]
    assert worker.fake.world.blobs[message["attachments"][0]["id"]].content == b"the answer"


async def test_a_server_that_takes_less_than_it_said_gets_the_text(worker: Worker, made: Maker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.upload_limit = 3

    await thread.post(Output("text", (made("a.csv"),)), KEY)

    (message,) = worker.fake.in_channel(place)
    assert shown_text(message).startswith("text")
    assert "a.csv" in shown_text(message)


async def test_what_is_too_large_is_made_smaller_where_that_can_be(worker: Worker, made: Maker) -> None:
    async def fit(artifact: Artifact, limit_bytes: int, _thread: ThreadId) -> Artifact | None:
        return made.picture("chart.webp", b"x") if artifact.is_image else None

    worker.around = replace(worker.around, fit=fit)
    thread, place = worker.in_thread(file_bytes=5)

    await thread.post(
        Output("text", (made.picture("chart.png", b"123456"), made("big.csv", b"1234567"))), KEY
    )

    (message,) = worker.fake.in_channel(place)
    assert names(message) == ["chart.webp"]
    assert "big.csv" in shown_text(message)


async def test_files_are_left_out_where_the_bot_may_not_attach_them(worker: Worker, made: Maker) -> None:
    worker.fake.world.set_permissions(worker.fake.general, worker.fake.bot["id"], attach_files=False)
    thread, place = worker.in_thread()

    await thread.post(Output("text", (made("a.csv"),)), KEY)

    (message,) = worker.fake.in_channel(place)
    assert "a.csv" in shown_text(message)
    assert '"Attach Files"' in shown_text(message)


async def test_a_known_lack_of_permission_is_named(worker: Worker, made: Maker) -> None:
    thread, place = worker.in_thread(permissions=0)

    await thread.post(Output("text", (made("a.csv"),)), KEY)

    (message,) = worker.fake.in_channel(place)
    assert '"Attach Files"' in shown_text(message)
    assert labels(message)


async def test_links_to_hosts_that_people_named_stay(worker: Worker) -> None:
    thread, place = worker.in_thread()
    worker.journal.notes[f"{thread.id}:hosts"] = "known.example"

    await thread.post(Output("[a](https://known.example) [b](https://evil.example)"), KEY)

    assert (
        shown_text(worker.fake.in_channel(place)[0])
        == "[a](<https://known.example>) b (`https://evil.example`)"
    )


# ---- threads


async def test_a_mention_gets_a_thread_named_from_the_question(worker: Worker) -> None:
    fake = worker.fake
    asked = fake.world.message(fake.general["id"], fake.anna, "which month?")
    root = int(asked["id"])
    address = worker.address(
        fake.general, opens="which month?", root=root, asked=root, asked_in=int(fake.general["id"])
    )

    await worker.thread(address).post(Output("May"), KEY)
    await worker.thread(replace(address, turn="discord:2")).post(Output("June"), "discord:2:answer")

    opened = fake.world.channels[asked["id"]]
    assert opened["name"] == "which month?"
    assert [shown_text(each) for each in fake.in_channel(opened)] == ["May", "June"]
    assert len(fake.calls("POST", "/threads")) == 1


async def test_a_thread_that_is_there_already_is_used(worker: Worker) -> None:
    fake = worker.fake
    asked = fake.world.message(fake.general["id"], fake.anna, "which?")
    opened = fake.world.thread(fake.general, "by somebody", fake.anna["id"], asked["id"])

    await worker.thread(worker.address(fake.general, opens="which?", root=int(asked["id"]))).post(
        Output("May"), KEY
    )

    assert [shown_text(each) for each in fake.in_channel(opened)] == ["May"]


@pytest.mark.parametrize(
    ("prevent", "says"),
    [
        (
            lambda f: f.world.set_permissions(f.general, f.bot["id"], create_public_threads=False),
            "Create Public Threads",
        ),
        (lambda f: setattr(f.rest, "active_thread_limit", 0), "as many active threads"),
    ],
)
async def test_where_no_thread_can_be_the_answer_is_a_reply_that_says_why(
    worker: Worker, prevent: Any, says: str
) -> None:
    fake = worker.fake
    prevent(fake)
    asked = fake.world.message(fake.general["id"], fake.anna, "which?")
    root = int(asked["id"])
    address = worker.address(
        fake.general, opens="which?", root=root, asked=root, asked_in=int(fake.general["id"])
    )

    await worker.thread(address).post(Output("May"), KEY)

    (message,) = fake.in_channel(fake.general)
    assert message["message_reference"]["message_id"] == asked["id"]
    assert says in shown_text(message)


async def test_a_commands_question_is_shown_above_its_thread(worker: Worker) -> None:
    fake = worker.fake
    address, interaction = worker.deferred(fake.general)
    address = replace(address, opens="which month?", root=address.original, asks="which month?\nplease")

    await worker.thread(address).post(Output("May"), KEY)

    assert interaction.original
    assert shown_text(interaction.original) == "**Anna** asks: which month?\n> please"
    assert [shown_text(each) for each in fake.in_channel({"id": str(address.original)})] == ["May"]


async def test_an_archived_thread_is_opened_again_by_an_answer_and_by_an_edit(worker: Worker) -> None:
    thread, place = worker.in_thread()
    async with thread.working():
        await thread.progress(Noted("Reading"))
        await until(lambda: worker.fake.in_channel(place))
        place["thread_metadata"]["archived"] = True
        await worker.fake.clock.wake(BETWEEN_EDITS)
        await thread.progress(Noted("Still reading"))
        await until(lambda: "Still" in shown_text(worker.fake.in_channel(place)[0]))
        place["thread_metadata"]["archived"] = True
        await thread.post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_a_locked_thread_is_told_around_it(worker: Worker) -> None:
    thread, place = worker.in_thread()
    place["thread_metadata"]["locked"] = True

    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("May"), KEY)

    (message,) = worker.fake.in_channel(worker.fake.general)
    assert "locked" in shown_text(message)


async def test_a_deleted_thread_is_told_around_it(worker: Worker) -> None:
    thread, place = worker.in_thread()
    del worker.fake.world.channels[place["id"]]

    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("May"), KEY)

    (message,) = worker.fake.in_channel(worker.fake.general)
    assert "gone" in shown_text(message)


async def test_who_may_not_be_answered_in_the_channel_hears_why_directly(worker: Worker) -> None:
    fake = worker.fake
    fake.world.set_permissions(fake.general, fake.bot["id"], send_messages=False)

    with pytest.raises(PlatformUnavailable):
        await worker.thread(worker.address(fake.general, permissions=1 << 10)).post(Output("May"), KEY)

    (message,) = fake.in_channel(fake.world.dm(fake.anna))
    assert '"Send Messages"' in shown_text(message)
    assert '"View Channels"' not in shown_text(message)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [(429, 20016, "slow mode"), (403, 50001, "can't see"), (404, 10003, "gone"), (400, 160005, "locked")],
)
async def test_each_refusal_of_a_place_has_its_sentence(
    worker: Worker, status: int, code: int, says: str
) -> None:
    thread, _ = worker.in_thread()
    worker.fake.rest.fail(r"POST .*/messages$", status, code=code)

    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("May"), KEY)

    (message,) = worker.fake.in_channel(worker.fake.general)
    assert says in shown_text(message)


async def test_an_answer_that_is_tried_again_and_again_is_complained_of_once(worker: Worker) -> None:
    thread, place = worker.in_thread()
    place["thread_metadata"]["locked"] = True

    for _ in range(3):
        with pytest.raises(PlatformUnavailable):
            await worker.again(thread).post(Output("May"), KEY)
        await worker.fake.clock.advance(300)

    assert len(worker.fake.in_channel(worker.fake.general)) == 1


async def test_an_answer_that_is_kept_off_by_something_else_is_complained_of_again(worker: Worker) -> None:
    thread, place = worker.in_thread()
    place["thread_metadata"]["locked"] = True
    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("May"), KEY)
    del worker.fake.world.channels[place["id"]]

    with pytest.raises(PlatformUnavailable):
        await worker.again(thread).post(Output("May"), KEY)

    locked, gone = worker.fake.in_channel(worker.fake.general)
    assert "locked" in shown_text(locked)
    assert "gone" in shown_text(gone)


async def test_when_discord_is_down_nothing_is_said_and_the_post_can_be_tried_again(worker: Worker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.fail(r"POST .*/messages$", 503)

    with pytest.raises(PlatformUnavailable):
        await thread.post(Output("May"), KEY)
    await worker.again(thread).post(Output("May"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["May"]
    assert not worker.fake.in_channel(worker.fake.general)


async def test_who_takes_no_direct_messages_costs_nothing(worker: Worker) -> None:
    fake = worker.fake
    fake.world.set_permissions(fake.general, fake.bot["id"], view_channel=False)
    fake.world.closed_dms.add(fake.anna["id"])

    with pytest.raises(PlatformUnavailable) as caught:
        await worker.thread(worker.address(fake.general)).post(Output("May"), KEY)

    assert caught.value.sentence == "discord_no_access"


# ---- commands, whose answers come by their token


async def test_a_deferred_response_becomes_the_answer(worker: Worker, made: Maker) -> None:
    address, interaction = worker.deferred(worker.fake.general)

    await worker.thread(address).post(Output("May", (made("a.csv"),)), KEY)

    assert [shown_text(each) for each in interaction.shown] == ["May"]
    assert interaction.original
    assert names(interaction.original) == ["a.csv"]
    assert not interaction.is_waiting


async def test_what_does_not_fit_into_the_response_follows_as_messages(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general)

    await worker.thread(address).post(Output("word " * 2000), KEY)

    assert len(interaction.shown) == 1
    assert len(worker.fake.in_channel(worker.fake.general)) == 3


async def test_private_answers_stay_private_with_all_their_pieces(worker: Worker, made: Maker) -> None:
    address, interaction = worker.deferred(worker.fake.general, private=True)

    await worker.thread(address).post(Output("word " * 2000, (made("a.csv"),)), KEY)

    assert len(interaction.shown) == 3
    assert all(each["flags"] & 64 for each in interaction.shown)
    assert names(interaction.shown[-1]) == ["a.csv"]
    assert not fake_messages_for_all(worker.fake)


def fake_messages_for_all(fake: FakeDiscord) -> list[Any]:
    return [each for each in fake.in_channel(fake.general) if not each["flags"] & 64]


async def test_an_answer_after_15_minutes_comes_by_the_bots_own_token(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general)
    await worker.fake.clock.advance(16 * 60)

    await worker.thread(address).post(Output("late"), KEY)

    assert interaction.original
    assert shown_text(interaction.original) == "late"
    assert not worker.fake.calls("PATCH", "/webhooks/")


async def test_a_token_that_dies_early_is_no_end(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general)
    worker.fake.rest.fail(r"PATCH .*/webhooks/", 401, code=50027, times=9)

    await worker.thread(address).post(Output("answer"), KEY)

    assert interaction.original
    assert shown_text(interaction.original) == "answer"


async def test_who_asked_privately_is_told_before_their_time_is_up(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general, private=True)
    thread = worker.thread(address)

    async with thread.working():
        await worker.fake.clock.wake(14 * 60 + 10)
        await until(
            lambda: "15 minutes" in shown_text(interaction.original or {"content": "", "components": []})
        )
        await worker.fake.clock.advance(120)
        await thread.post(Output("late"), KEY)

    assert not fake_messages_for_all(worker.fake)


async def test_who_asked_privately_hears_once_that_their_time_is_up(worker: Worker) -> None:
    fake = worker.fake
    address, _ = worker.deferred(fake.general, private=True)
    await fake.clock.advance(16 * 60)

    for _ in range(3):
        # It counts as posted: what they ask next does not wait for it.
        await worker.thread(address).post(Output("late"), KEY)
        await fake.clock.advance(300)

    (message,) = fake.in_channel(fake.world.dm(fake.anna))
    assert "15 minutes" in shown_text(message)


async def test_user_installs_get_what_five_follow_ups_hold(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general, reachable=False)
    interaction.user_install = True

    await worker.thread(address).post(Output("\n\n".join(f"P{n} " + "word " * 700 for n in range(9))), KEY)

    assert len(interaction.shown) <= 6
    assert any("answer.md" in names(each) for each in interaction.shown)


# ---- edits


async def test_an_edited_question_changes_its_answer_in_place(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("\n\n".join(["word " * 700] * 2)), KEY)
    before = [each["id"] for each in worker.fake.in_channel(place)]
    again = worker.again(thread, turn="discord:1@5", edited=True)

    await again.post(Output("shorter"), "discord:1@5:answer")

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["shorter"]
    assert worker.fake.in_channel(place)[0]["id"] == before[0]


async def test_an_edited_question_whose_answer_is_gone_gets_a_new_one(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("old"), KEY)
    worker.fake.world.messages.clear()

    again = worker.again(thread, turn="discord:1@5", edited=True)
    await again.post(Output("new"), "discord:1@5:answer")

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["new"]


async def test_an_edited_question_whose_new_answer_is_refused_gets_it_in_a_simpler_form(
    worker: Worker,
) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("old"), KEY)
    worker.fake.rest.rules.append(
        lambda call: bool(call.json) and bool(call.json.get("flags", 0) & COMPONENTS_V2)
    )
    worker.fake.rest.rules.append(lambda call: call.method == "PATCH" and walks_to_text(call.json))
    again = worker.again(thread, turn="discord:1@5", edited=True)

    await again.post(Output("new"), "discord:1@5:answer")

    (message,) = worker.fake.in_channel(place)
    assert message["content"] == "new"


def walks_to_text(body: Any) -> bool:
    return any(each["type"] == 10 for each in walk(body.get("components") or []))


async def test_an_answer_too_old_to_be_edited_makes_room_for_a_new_one(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("old"), KEY)
    await worker.fake.clock.advance(2 * 3600)
    worker.fake.rest.fail("PATCH .*/messages", 400, code=30046)
    again = worker.again(thread, turn="discord:1@5", edited=True)

    await again.post(Output("new"), "discord:1@5:answer")

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["new"]


async def test_two_posts_of_an_edited_question_do_not_replace_each_other(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("old"), KEY)
    again = worker.again(thread, turn="discord:1@5", edited=True)

    await again.post(Output("first"), "discord:1@5:note")
    await again.post(Output("second"), "discord:1@5:answer")

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["first", "second"]


async def test_a_turn_that_goes_on_after_a_post_shows_a_status_again(worker: Worker) -> None:
    thread, place = worker.in_thread()
    for part in ("one", "two"):
        async with thread.working():
            await thread.progress(Noted("busy"))
            await until(lambda: [e for e in worker.fake.in_channel(place) if "busy" in shown_text(e)])
            await thread.post(Output(part), f"discord:1:{part}")

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["one", "two"]


# ---- progress


class Interrupted(Exception):
    """Whoever worked on it is told to end."""


@asynccontextmanager
async def interrupted(thread: DiscordThread) -> AsyncIterator[None]:
    """Work that somebody else has to go on with."""
    with pytest.raises(Interrupted):
        async with thread.working():
            yield
            raise Interrupted


async def test_one_status_message_is_kept_and_then_gone(worker: Worker) -> None:
    thread, place = worker.in_thread()
    fake = worker.fake

    async with thread.working():
        await thread.progress(Noted("Reading a.csv"))
        (status,) = await until(lambda: fake.in_channel(place))
        assert "Reading a.csv" in shown_text(status)
        assert labels(status) == ["Stop"]
        assert status["flags"] & 1 << 12
        await fake.clock.wake(BETWEEN_EDITS)
        await thread.progress(CellStarted(1, "import pandas\ndf.plot()"))
        await until(lambda: "df.plot()" in shown_text(fake.in_channel(place)[0]))
        await thread.post(Output("done"), KEY)

    assert [shown_text(each) for each in fake.in_channel(place)] == ["done"]


async def test_a_status_that_discord_does_not_remove_at_once_goes_a_little_later(worker: Worker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.fail("DELETE .*/messages/", 503)
    async with thread.working():
        await thread.progress(Noted("Reading"))
        await until(lambda: worker.fake.in_channel(place))
        posting = asyncio.ensure_future(thread.post(Output("done"), KEY))
        await until(lambda: len(worker.fake.in_channel(place)) == 2)
        await worker.fake.clock.wake(1)
        await posting

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_edits_are_coalesced_and_the_last_one_is_sent(worker: Worker) -> None:
    thread, place = worker.in_thread()
    fake = worker.fake

    async with thread.working():
        await thread.progress(Writing("0"))
        await until(lambda: fake.in_channel(place))
        for number in range(1, 100):
            await thread.progress(Writing(f"text {number}"))
        await quiet()
        assert not fake.calls("PATCH")
        await fake.clock.wake(BETWEEN_EDITS)
        await until(lambda: "text 99" in shown_text(fake.in_channel(place)[0]))
        # Who ends before the edit is answered makes it again.
        await fake.clock.wake(BETWEEN_EDITS)

    times = [each.at for each in fake.rest.calls if "/messages" in each.path]
    assert all((b - a).total_seconds() >= BETWEEN_EDITS for a, b in pairwise(times))
    assert len(fake.calls("PATCH")) == 1


async def test_a_turn_that_others_go_on_with_leaves_the_last_word(worker: Worker) -> None:
    thread, place = worker.in_thread()

    async with interrupted(thread):
        await thread.progress(Noted("one"))
        await until(lambda: worker.fake.in_channel(place))
        await thread.progress(Noted("two"))

    assert "two" in shown_text(worker.fake.in_channel(place)[0])


async def test_a_turn_that_ends_without_an_answer_leaves_no_status(worker: Worker) -> None:
    thread, place = worker.in_thread()

    async with thread.working():
        await thread.progress(Noted("one"))
        await until(lambda: worker.fake.in_channel(place))
        await thread.progress(Noted("two"))

    assert worker.fake.in_channel(place) == []


async def test_a_status_that_others_left_goes_with_a_turn_that_ends_without_an_answer(worker: Worker) -> None:
    thread, place = worker.in_thread()
    async with interrupted(thread):
        await thread.progress(Noted("one"))
        await until(lambda: worker.fake.in_channel(place))

    async with worker.again(thread).working():
        pass

    assert worker.fake.in_channel(place) == []


async def test_a_turn_whose_answer_is_there_already_shows_no_status_again(worker: Worker) -> None:
    thread, place = worker.in_thread()
    async with thread.working():
        await thread.progress(Noted("busy"))
        await until(lambda: worker.fake.in_channel(place))
        await thread.post(Output("done"), KEY)

    again = worker.again(thread)
    async with again.working():
        await again.post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_a_status_below_an_answer_that_was_there_already_goes(worker: Worker) -> None:
    thread, place = worker.in_thread()
    await thread.post(Output("done"), KEY)
    again = worker.again(thread)
    async with interrupted(again):
        await again.progress(Noted("busy"))
        await until(lambda: len(worker.fake.in_channel(place)) == 2)

    await worker.again(thread).post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_a_store_that_does_not_answer_hides_no_interruption(worker: Worker) -> None:
    thread, place = worker.in_thread()

    async def in_vain(key: str) -> str | None:
        raise StoreUnavailable("no connection")

    async with interrupted(thread):
        await thread.progress(Noted("one"))
        await until(lambda: worker.fake.in_channel(place))
        worker.journal.recall = in_vain  # type: ignore[method-assign]  # as a store that has gone away
        await thread.progress(Noted("two"))


async def test_a_status_that_was_made_unheard_of_says_what_is_new(worker: Worker) -> None:
    thread, place = worker.in_thread()
    worker.fake.rest.swallows["POST .*/messages$"] = 1

    async with interrupted(thread):
        await thread.progress(Noted("one"))
        await until(lambda: worker.fake.in_channel(place))
        await thread.progress(Noted("two"))

    (message,) = worker.fake.in_channel(place)
    assert "two" in shown_text(message)


async def test_a_status_that_is_being_noted_when_the_answer_comes_does_not_stay(worker: Worker) -> None:
    thread, place = worker.in_thread()
    noted, note = asyncio.Event(), worker.journal.note

    async def slowly(key: str, value: str) -> None:
        await note(key, value)
        if not noted.is_set():
            noted.set()
            await asyncio.Event().wait()

    worker.journal.note = slowly  # type: ignore[method-assign]  # as a store that has written it, and not said so yet
    async with thread.working():
        await thread.progress(Noted("Reading"))
        await noted.wait()
        await thread.post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_progress_shows_in_a_deferred_response(worker: Worker) -> None:
    address, interaction = worker.deferred(worker.fake.general)
    thread = worker.thread(address)

    async with thread.working():
        await thread.progress(Noted("Reading"))
        await until(lambda: "Reading" in shown_text(interaction.original or {}))
        await thread.post(Output("done"), KEY)

    assert [shown_text(each) for each in interaction.shown] == ["done"]


async def test_a_restart_goes_on_with_the_same_status_message(worker: Worker) -> None:
    thread, place = worker.in_thread()
    async with interrupted(thread):
        await thread.progress(Noted("before"))
        await until(lambda: worker.fake.in_channel(place))

    again = worker.again(thread)
    async with again.working():
        await again.progress(Noted("after"))
        await until(lambda: "after" in shown_text(worker.fake.in_channel(place)[0]))
        assert len(worker.fake.in_channel(place)) == 1
        await again.post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_a_status_on_its_way_when_the_answer_comes_does_not_stay(worker: Worker) -> None:
    thread, place = worker.in_thread()
    async with thread.working():
        worker.fake.rest.limit_once(r"POST .*/messages$", 0.1)
        await thread.progress(Noted("Reading"))
        await until(lambda: worker.fake.calls("POST", "/messages"))
        await thread.post(Output("done"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["done"]


async def test_typing_is_kept_up_and_ends(worker: Worker) -> None:
    thread, _ = worker.in_thread()
    fake = worker.fake

    async with thread.working():
        await until(lambda: len(fake.calls("POST", "/typing")) == 1)
        await fake.clock.wake(8)
        await until(lambda: len(fake.calls("POST", "/typing")) == 2)
    await fake.clock.advance(60)

    assert len(fake.calls("POST", "/typing")) == 2


async def test_cosmetics_never_fail(worker: Worker) -> None:
    thread, place = worker.in_thread()
    del worker.fake.world.channels[place["id"]]

    async with thread.working():
        await thread.progress(Noted("Reading"))
        await quiet()
        await thread.progress(CellFinished(1, Execution(Outcome.OK, "", 0.1)))


async def test_an_edit_storm_does_not_hold_up_the_answer(worker: Worker) -> None:
    thread, place = worker.in_thread()
    fake = worker.fake
    fake.rest.rate_limits["PATCH /channels/{c}/messages/{m}"] = (1, 30.0)
    async with thread.working():
        await thread.progress(Writing("first"))
        await until(lambda: fake.in_channel(place))
        await fake.clock.wake(BETWEEN_EDITS)
        await thread.progress(Writing("second"))
        await until(lambda: fake.calls("PATCH"))
        await asyncio.wait_for(thread.post(Output("done"), KEY), 2)

    assert [shown_text(each) for each in fake.in_channel(place)] == ["done"]


# ---- files from people


async def attached(fake: FakeDiscord, content: bytes) -> tuple[dict[str, Any], Attachment]:
    message = fake.world.message(fake.general["id"], fake.anna, f"<@{fake.bot['id']}> look")
    file = fake.world.attachment(fake.general["id"], "a.csv", content, "text/csv")
    message["attachments"] = [file]
    return message, Attachment("a.csv", file["url"], len(content))


async def test_a_file_is_fetched(worker: Worker, tmp_path: Path) -> None:
    _, attachment = await attached(worker.fake, b"1,2")
    thread, _ = worker.in_thread()

    await thread.fetch(attachment, tmp_path / "a", 100)

    assert (tmp_path / "a").read_bytes() == b"1,2"


async def test_a_file_over_the_limit_is_refused(worker: Worker, tmp_path: Path) -> None:
    _, attachment = await attached(worker.fake, b"x" * 200)
    thread, _ = worker.in_thread()

    with pytest.raises(AttachmentRefused):
        await thread.fetch(attachment, tmp_path / "a", 100)


async def test_an_expired_address_is_asked_for_anew(worker: Worker, tmp_path: Path) -> None:
    message, attachment = await attached(worker.fake, b"1,2")
    await worker.fake.clock.advance(48 * 3600)
    thread, _ = worker.in_thread(asked=int(message["id"]), asked_in=int(worker.fake.general["id"]))

    await thread.fetch(attachment, tmp_path / "a", 100)

    assert (tmp_path / "a").read_bytes() == b"1,2"


async def test_a_file_whose_message_is_gone_cannot_be_had(worker: Worker, tmp_path: Path) -> None:
    message, attachment = await attached(worker.fake, b"1,2")
    await worker.fake.clock.advance(48 * 3600)
    del worker.fake.world.messages[message["id"]]
    thread, _ = worker.in_thread(asked=int(message["id"]), asked_in=int(worker.fake.general["id"]))

    with pytest.raises(PlatformUnavailable):
        await thread.fetch(attachment, tmp_path / "a", 100)


@pytest.mark.parametrize("locale", ["en", "de"])
async def test_a_file_of_a_command_is_asked_for_by_name_once_its_address_is_dead(
    worker: Worker, tmp_path: Path, locale: str
) -> None:
    fake = worker.fake
    address, asked = worker.deferred(fake.general)
    file = fake.world.attachment(asked.channel_id, "a.csv", b"1,2", "text/csv", ephemeral=True)
    attachment = Attachment("a.csv", file["url"], 3)
    await worker.thread(address).fetch(attachment, tmp_path / "a", 100)
    await fake.clock.advance(48 * 3600)

    with pytest.raises(AttachmentRefused) as caught:
        await worker.thread(address).fetch(attachment, tmp_path / "b", 100)

    assert "a.csv" in explain(locale, caught.value, contact="", name="a.csv")
    assert caught.value.sentence == "discord_file_expired"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


async def test_an_address_is_enough_to_go_on(worker: Worker) -> None:
    thread, place = worker.in_thread()
    again = Address.from_json(thread.address)

    await worker.thread(again).post(Output("answer"), KEY)

    assert [shown_text(each) for each in worker.fake.in_channel(place)] == ["answer"]
