"""The judges of the demo: what they let pass from any model, and what they don't."""

from typing import Any

import pytest

from bot.execution import Execution
from bot.transcript import Usage
from bot.turn import TurnResult
from examples import tasks
from tests.fakes.ports import artifact, failed, printed

SALES = {
    "total": 88693.4,
    "best": [["October", "Oct", "2025-10"], ["South"], ["Espresso"]],
    "product_there": "Espresso",
    "revenue_there": 13952.65,
    "panels": 3,
}
PICTURE = {"distances": [0.0], "colour": [249, 132, 90]}


def result(text: str = "", *cells: tuple[str, Execution], pictures: int = 0) -> TurnResult:
    artifacts = tuple(artifact(f"{number}.png") for number in range(pictures))
    return TurnResult("ok", text, artifacts, cells, Usage(), None, 1.0)


@pytest.mark.parametrize(
    "text",
    ["88,693.40 €", "88.693,40 €", "88’693", "about 88.7k", "89 thousand", "**88693**", "88\u202f693 €"],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert tasks.says(f"In 2025 it was {text}.", 88693.4)


@pytest.mark.parametrize("text", ["", "none", "in 2025", "88,100.40", "8,550", "98,693.40"])
def test_another_number_is_none(text: str) -> None:
    assert not tasks.says(text, 88693.4)


def test_a_plain_question_wants_text_alone() -> None:
    assert not tasks.plain_text(result("The median is the middle."), None)
    assert tasks.plain_text(result("The median is 2.", ("print(2)", printed("2"))), None)
    assert tasks.plain_text(result("The median is in the chart.", pictures=1), None)
    assert tasks.plain_text(result("I don't know."), None)


@pytest.mark.parametrize(
    ("text", "change", "wrong"),
    [
        ("88,693 € in all; October, south and espresso were best.", {}, ""),
        ("October, South and Espresso were best.", {}, "the total is not 88,693.40"),
        ("88,693 € in all; 2025-10, South, Espresso.", {}, ""),
        ("88,693 € in all; South and Espresso were best.", {}, "October not named"),
        ("88,693 €, October, South, Espresso.", {"panels": 1}, "1 panels instead of several"),
    ],
)
def test_sales_want_panels_names_and_the_total(text: str, change: dict[str, Any], wrong: str) -> None:
    assert tasks.chart_and_numbers(result(text), SALES | change) == wrong


def test_the_follow_up_wants_a_cell_that_does_not_read_the_file() -> None:
    text = "Espresso, with 13,953 €"
    reads, goes_on = ("pd.read_csv('sales.csv')", printed("")), ("orders.sum()", printed("1"))

    assert not tasks.variable_used(result(text, goes_on), SALES)
    assert not tasks.variable_used(result(text, ("oders", failed()), goes_on), SALES)
    assert tasks.variable_used(result(text, reads), SALES) == "the file was read again"
    assert tasks.variable_used(result(text), SALES) == "no code ran"
    assert tasks.variable_used(result(text, ("oders", failed())), SALES) == "no code ran"
    assert tasks.variable_used(result("Mug, with 13,953 €", goes_on), SALES)
    assert tasks.variable_used(result("Espresso, with 12,000 €", goes_on), SALES)


@pytest.mark.parametrize(
    ("text", "distances", "right"),
    [
        ("It is coral, `#F9845A`.", [0.0], True),
        ("About #f88058, then #2f8f83.", [90.0, 2.5], True),
        ("It is coral.", [0.0], False),
        ("It is #2f8f83.", [0.0], False),
        ("It is #f9845a.", [120.0], False),
        ("It is #f9845a.", [], False),
    ],
)
def test_the_picture_wants_its_right_half_inverted_and_a_colour(
    text: str, distances: list[float], right: bool
) -> None:
    wrong = tasks.half_inverted(result(text), PICTURE | {"distances": distances})

    assert (not wrong) is right


@pytest.mark.parametrize(
    ("scenes", "right"),
    [
        ([0, 1, 2], True),
        ([2, 0, None, 1], True),
        ([0, 1], False),
        ([0, 1, 1], False),
        ([0, 1, 2, 2], False),
        ([], False),
    ],
)
def test_the_video_wants_one_picture_of_each_scene(scenes: list[int | None], right: bool) -> None:
    assert (not tasks.a_picture_of_each_scene(result(), scenes)) is right
