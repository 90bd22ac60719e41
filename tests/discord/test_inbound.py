"""What members write, as the core reads it."""

from datetime import UTC, datetime
from typing import Any

import discord
import pytest

from adapters.discord import inbound
from adapters.discord.address import Address
from adapters.discord.inbound import Me
from bot.messages import Attachment, Author, ThreadId
from tests.fakes.discord import FakeClock
from tests.fakes.discord.world import World

ANNA = Author("1", "Anna", "de-AT")


class Said:
    """Messages made of payloads, as the gateway sends them."""

    def __init__(self) -> None:
        self.world = World(FakeClock(), "https://cdn.example")
        self.bot = self.world.user("Plotline", bot=True)
        self.anna = self.world.user("Anna")
        self.ben = self.world.user("Ben")
        self.guild = self.world.guild("Lab")
        self.me = Me(int(self.bot["id"]), frozenset({99}))
        self._state = discord.Client(intents=discord.Intents.none())._connection

    def __call__(self, content: str, author: Any = None, **facts: Any) -> discord.Message:
        payload = self.world.message("5", author or self.anna, content, guild_id=self.guild["id"], **facts)
        guild = discord.Guild(data=self.guild | {"channels": [], "threads": []}, state=self._state)
        channel = discord.PartialMessageable(self._state, 5, int(self.guild["id"]))
        message = discord.Message(state=self._state, channel=channel, data=payload)
        message.guild = guild
        return message

    def file(self, name: str, **facts: Any) -> dict[str, Any]:
        return self.world.attachment("5", name, b"1,2", "text/csv") | facts

    def mention(self, words: str, **facts: Any) -> discord.Message:
        return self(f"<@{self.bot['id']}> {words}", **facts)


@pytest.fixture
def said() -> Said:
    return Said()


def test_the_bots_mention_is_taken_out_and_others_are_named(said: Said) -> None:
    message = said(f"Hey <@{said.bot['id']}> ask <@!{said.ben['id']}> and <@&99> why")

    assert inbound.message(message, said.me, ANNA).text == "Hey ask @Ben and why"


def test_attachments_come_in_order_with_their_names_and_no_other(said: Said) -> None:
    files = [said.file("a.csv"), said.file("a.csv"), said.file("__.csv", title="бюджет")]
    taken = inbound.message(said.mention("plot", attachments=files), said.me, ANNA).attachments

    assert [each.name for each in taken] == ["a.csv", "a.csv", "бюджет.csv"]
    assert len({each.url for each in taken}) == 3
    assert (taken[0].size_bytes, taken[0].media_type) == (3, "text/csv")


def test_only_an_edit_by_people_makes_another_turn(said: Said) -> None:
    first = inbound.message(said.mention("a"), said.me, ANNA).id
    edited = said.mention("a", edited_timestamp="2026-03-02T13:06:00+00:00")

    assert "@" not in first
    assert inbound.message(edited, said.me, ANNA).id == f"discord:{edited.id}@1772456760000"
    assert inbound.source_of(inbound.message_id(edited)) == inbound.source(edited.id)


def test_what_a_mention_answers_comes_along(said: Said) -> None:
    original = said.world.message("5", said.ben, "numbers\nof May", attachments=[said.file("may.csv")])
    reference = {"message_id": original["id"], "channel_id": "5"}
    message = said.mention("plot them", message_reference=reference, referenced_message=original, type=19)

    taken = inbound.message(message, said.me, ANNA)

    assert taken.text == "> Ben:\n> numbers\n> of May\n\nplot them"
    assert [each.name for each in taken.attachments] == ["may.csv"]


def test_a_forwarded_message_is_read(said: Said) -> None:
    inner = said.world.message("5", said.ben, "the table", attachments=[said.file("t.csv")])
    message = said(
        "", message_snapshots=[{"message": inner}], message_reference={"type": 1, "channel_id": "5"}
    )

    taken = inbound.message(message, said.me, ANNA)

    assert taken.text == "the table"
    assert [each.name for each in taken.attachments] == ["t.csv"]


def test_a_mention_is_for_the_bot_and_chatter_is_not(said: Said) -> None:
    assert inbound.is_for_bot(said.mention("hi"), said.me, in_held_thread=False)
    assert inbound.is_for_bot(said("<@&99> hi"), said.me, in_held_thread=False)
    assert not inbound.is_for_bot(said("hi all"), said.me, in_held_thread=False)


def test_nobody_has_to_say_its_name_in_a_held_thread_unless_they_talk_to_others(said: Said) -> None:
    assert inbound.is_for_bot(said("and June?"), said.me, in_held_thread=True)
    assert not inbound.is_for_bot(
        said(f"<@{said.ben['id']}> what do you think"), said.me, in_held_thread=True
    )
    assert not inbound.is_for_bot(said(""), said.me, in_held_thread=True)


def test_bots_webhooks_and_system_messages_are_never_for_the_bot(said: Said) -> None:
    other = said.world.user("Other", bot=True)

    assert not inbound.is_for_bot(said.mention("hi", author=other), said.me, in_held_thread=True)
    assert not inbound.is_for_bot(said.mention("hi", webhook_id="7"), said.me, in_held_thread=True)
    assert not inbound.is_for_bot(said.mention("hi", type=7), said.me, in_held_thread=True)


def test_a_message_of_files_alone_counts(said: Said) -> None:
    message = said("", attachments=[said.file("a.csv")])

    assert inbound.is_for_bot(message, said.me, in_held_thread=True)


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("```py\nprint(1)\n```", ("print(1)",)),
        ("look:\n```python\na = 1\n\nb = 2\n```\nand\n```\nprint(a)\n```", ("a = 1\n\nb = 2", "print(a)")),
        ("```sql\nselect 1\n```", ()),
        ("````\n```py\nx\n```\n````", ("```py\nx\n```",)),
        ("just `print(1)`", ()),
        ("```py\n\n```", ()),
    ],
)
def test_code_blocks_are_found(content: str, codes: tuple[str, ...]) -> None:
    assert inbound.code_blocks(content) == codes


@pytest.mark.parametrize(
    ("question", "files", "name"),
    [
        ("# **Which** month was `best`?\nplease", (), "Which month was best"),
        ("```py\nx\n```\nWhy?", (), "Why?"),
        ("", ("sales.csv",), "sales.csv"),
        ("…", (), "Plotline"),
    ],
)
def test_threads_are_named_from_the_question(question: str, files: tuple[str, ...], name: str) -> None:
    assert inbound.thread_name(question, files).startswith(name)


def test_a_long_name_is_cut() -> None:
    assert len(inbound.thread_name("word " * 60)) <= 100


def test_hosts_are_told_without_what_is_around_them() -> None:
    words = "see https://Docs.example.com/a?b and <http://user:pw@b.example:8080/> or c.example"

    assert list(inbound.hosts(words)) == ["docs.example.com", "b.example:8080"]


def test_a_form_gives_its_fields_and_files() -> None:
    file = {"filename": "a.py", "url": "https://cdn/a.py", "size": 5, "content_type": "text/x-python"}
    data = {
        "custom_id": "run",
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "code", "value": "print(1)"}},
            {"type": 18, "component": {"type": 19, "custom_id": "files", "values": ["7"]}},
        ],
        "resolved": {"attachments": {"7": file}},
    }

    form = inbound.form(data)

    assert form.values == {"code": "print(1)"}
    assert form.attachments == (Attachment("a.py", "https://cdn/a.py", 5, "text/x-python"),)


def test_conversations_are_told_apart() -> None:
    assert inbound.in_thread(1, 2) == "discord:1/2"
    assert inbound.in_thread(None, 2) == "discord:dm/2"
    assert inbound.of_member(1, 2, 3) == "discord:1/2/3"


def test_an_address_survives_being_written_down() -> None:
    address = Address(ThreadId("discord:1/2"), "7", 2, 3, token="t", created=1772456700.0, original=9)

    assert Address.from_json(address.to_json()) == address


def test_a_token_is_not_used_to_its_last_second() -> None:
    asked = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)
    address = Address(ThreadId("discord:1/2"), "7", 2, 3, token="t", created=asked.timestamp())

    assert address.token_lives(asked.replace(minute=19, second=0))
    assert not address.token_lives(asked.replace(minute=19, second=30))
    assert not Address(ThreadId("discord:1/2"), "7", 2, 3).token_lives(asked)
