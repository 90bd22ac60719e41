"""What is read again in a thread that was emptied for its age: files, of those who may ask."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.discord import inbound
from adapters.discord.address import Address
from adapters.discord.sent_before import sent_before
from adapters.discord.thread import DiscordThread
from bot.messages import Above, Author, Message
from bot.visits import Visit
from tests.discord.conftest import Worker
from tests.fakes.discord.world import Payload

QUESTION = Message("discord:1", Author("1", "Anna"), "And now?", datetime(2026, 3, 2, tzinfo=UTC))


def sends(worker: Worker, channel: Payload, who: Payload, *names: str, **facts: Any) -> Payload:
    world, place = worker.fake.world, channel["id"]
    files = [world.attachment(place, name, b"a\n1\n", "text/csv") for name in names]
    bot = worker.fake.bot["id"]
    return world.message(place, who, f"<@{bot}> Look", attachments=files, **facts)


def address(worker: Worker, place: Payload, **facts: Any) -> Address:
    return worker.address(place, parent=int(worker.fake.general["id"]), **facts)


def names(above: Above) -> list[str]:
    return [file.name for message in above.messages for file in message.attachments]


async def test_files_come_in_their_order_with_those_that_the_thread_hangs_on(worker: Worker) -> None:
    fake = worker.fake
    first = sends(worker, fake.general, fake.anna, "first.csv")
    place = fake.world.thread(fake.general, "work", fake.bot["id"], id_=first["id"])
    sends(worker, place, fake.anna, "second.csv", "third.csv")
    sends(worker, place, fake.bot, "chart.csv")
    sends(worker, place, fake.anna)
    asked = sends(worker, place, fake.anna, "own.csv")

    above = await sent_before(address(worker, place, asked=int(asked["id"])), worker.around)

    assert names(above) == ["first.csv", "second.csv", "third.csv"]
    assert [each.text for each in above.messages] == ["", ""]
    assert above.is_whole
    assert above.said == "I took 3 files from above."


async def test_files_of_those_who_may_not_ask_are_left_there(worker: Worker) -> None:
    fake = worker.fake
    bert = fake.member("Bert")
    place = fake.world.thread(fake.general, "work", fake.bot["id"])
    sends(worker, place, bert, "his.csv")
    sends(worker, place, fake.anna, "hers.csv")

    async def refusal(visit: Visit) -> str | None:
        assert (visit.author.id, visit.channel) == (bert["id"], fake.general["id"])
        return "You are blocked."

    above = await sent_before(address(worker, place), replace(worker.around, refusal=refusal))

    assert names(above) == ["hers.csv"]
    assert not above.is_whole


async def test_what_others_say_in_the_same_channel_is_not_the_threads(worker: Worker) -> None:
    fake = worker.fake
    sends(worker, fake.general, fake.anna, "other.csv")
    guild, channel = int(fake.guild["id"]), int(fake.general["id"])
    alone = inbound.of_member(guild, channel, int(fake.anna["id"]))

    assert await sent_before(worker.address(fake.general, thread=alone), worker.around) == Above()


async def test_where_discord_does_not_answer_people_are_asked_to_attach_again(worker: Worker) -> None:
    place = {**worker.fake.general, "id": "4711"}

    above = await sent_before(worker.address(place), worker.around)

    assert not above.is_whole
    assert "Attach what matters again" in above.said


@pytest.mark.parametrize(("was_emptied", "found"), [(True, ["a.csv"]), (False, [])])
async def test_only_a_thread_that_was_emptied_is_read_again(
    worker: Worker, was_emptied: bool, found: list[str]
) -> None:
    place = worker.fake.world.thread(worker.fake.general, "work", worker.fake.bot["id"])
    sends(worker, place, worker.fake.anna, "a.csv")
    thread = DiscordThread(address(worker, place), worker.around)

    assert names(await thread.above(QUESTION, was_emptied=was_emptied)) == found
