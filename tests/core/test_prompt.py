"""What the model is told about its work."""

from dataclasses import replace
from datetime import datetime

from bot import prompt
from bot.messages import Above, Author, Message
from bot.reach import Reach
from bot.tools import RUN_PYTHON
from bot.transcript import DataMode
from bot.uploads import TakenIn
from tests.core.conftest import MONDAY

AUTHOR = Author("U1", "Anna", "de-AT", "Europe/Vienna")
CHARACTERS_PER_TOKEN = 3.5


def instructions(author: Author, at: datetime, data: DataMode) -> str:
    return prompt.instructions(author, at, data, cell_seconds=60)


def test_the_system_prompt_and_its_tool_stay_small() -> None:
    tool = f"{RUN_PYTHON.name}{RUN_PYTHON.description}{RUN_PYTHON.argument}{RUN_PYTHON.argument_description}"
    reach = Reach(("data.example.org", "example.com:8443"), packages=True, asks=True)
    longest = prompt.instructions(AUTHOR, MONDAY, "schema", cell_seconds=60, reach=reach)

    assert len(longest + tool) / CHARACTERS_PER_TOKEN <= 2000


def test_it_says_the_day_the_time_zone_the_name_and_the_locale() -> None:
    text = instructions(AUTHOR, MONDAY, "full")

    assert "Monday, 2026-03-02" in text
    assert "Europe/Vienna" in text
    assert "Anna" in text
    assert "de-AT" in text
    assert "60 seconds" in text


def test_the_day_is_that_of_the_asker() -> None:
    late = MONDAY.replace(hour=23, minute=30)

    assert "Tuesday, 2026-03-03" in instructions(AUTHOR, late, "full")
    assert "Monday, 2026-03-02" in instructions(replace(AUTHOR, time_zone="America/Lima"), late, "full")


def test_a_time_zone_that_does_not_exist_is_utc() -> None:
    for name in ("Nowhere/Land", "../etc", "Europe", ""):
        assert "Monday, 2026-03-02" in instructions(replace(AUTHOR, time_zone=name), MONDAY, "full")


def test_it_is_the_same_all_day() -> None:
    assert instructions(AUTHOR, MONDAY, "full") == instructions(AUTHOR, MONDAY.replace(hour=15), "full")


def test_only_under_schema_it_says_that_the_data_is_not_seen() -> None:
    assert "You don't see the data" in instructions(AUTHOR, MONDAY, "schema")
    assert "You don't see the data" not in instructions(AUTHOR, MONDAY, "full")


def test_a_name_full_of_placeholders_is_only_a_name() -> None:
    text = instructions(replace(AUTHOR, name="$locale {x} [y]"), MONDAY, "full")

    assert "You answer locale {x} y, whose" in text


def above(*texts: str) -> str:
    """What the model reads of a question in a thread in which that was said."""
    anna = Author("U1", "Anna")
    said = Above(tuple(Message(text[:9], anna, text, MONDAY) for text in texts))
    return prompt.of_message(Message("q", anna, "What of it?", MONDAY), TakenIn(above=said), "full")


def test_what_was_said_before_the_bot_was_called_stands_above_the_question() -> None:
    text = above("Sales are down", "Are they?")

    assert text.startswith(
        "[Said in this thread before you were called:]\nAnna: Sales are down\nAnna: Are they?\n\n[Anna, "
    )


def test_of_long_talk_the_last_messages_are_read_each_as_a_whole() -> None:
    text = above(*(f"{number} {'word ' * 700}end." for number in range(9)))

    assert text.startswith(
        "[Said in this thread before you were called, of which more was said before:]\nAnna: 6 "
    )
    assert text.count("end.") == 3


def told(reach: Reach) -> str:
    return prompt.instructions(AUTHOR, MONDAY, "full", cell_seconds=60, reach=reach)


def test_without_a_network_the_model_does_not_try() -> None:
    assert "There is no network" in told(Reach())
    assert "There is no pip" in told(Reach())


def test_the_model_knows_which_hosts_it_can_reach() -> None:
    text = told(Reach(("data.example.org", "example.com:8443"), packages=True))

    assert "Code can reach these hosts over https: data.example.org, example.com:8443." in text
    assert "There is no" not in text
    assert "`pip install NAME`" in text


def test_where_people_are_asked_the_model_tries_once() -> None:
    assert "people are asked" in told(Reach(asks=True))
    assert "people are asked" not in told(Reach(("data.example.org",)))
