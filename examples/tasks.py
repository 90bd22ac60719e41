"""What is asked in the demo, and whether an answer is right, whichever model gave it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.execution import Outcome
from bot.turn import TurnResult

Judge = Callable[[TurnResult, Any], str]
"""What is wrong with an answer, in a few words, empty if nothing is: by what was done, and what a look at it found."""

SAME_PICTURE = 8
"""At most so far from the right pixels, on average and of 255, is a picture: room for a JPEG."""
SAME_COLOUR = 40
"""At most so far from each other are two colours, of 441: room for an average."""
SAME_NUMBER = 0.005
"""Relative: room for rounding."""


@dataclass(frozen=True, slots=True)
class Task:
    title: str
    question: str
    judge: Judge
    file: str = ""
    """In this directory; empty where the question comes without one."""
    look: str = "None"
    """An expression over `examples.inspection`, `file` and `pictures`, the names of the answer's pictures."""


def plain_text(result: TurnResult, _: object) -> str:
    if result.cells or result.artifacts:
        return "code ran for a question that needs none"
    return "" if "median" in result.text.lower() else "the answer is missing"


def chart_and_numbers(result: TurnResult, found: dict[str, Any]) -> str:
    if found["panels"] < 2:
        return f"{found['panels']} panels instead of several"
    text = result.text.lower()
    missing = [names[0] for names in found["best"] if not any(name.lower() in text for name in names)]
    if missing:
        return f"{', '.join(missing)} not named"
    return "" if says(result.text, found["total"]) else f"the total is not {found['total']:,.2f}"


def variable_used(result: TurnResult, found: dict[str, Any]) -> str:
    good = [code for code, execution in result.cells if execution.outcome is Outcome.OK]
    if not good:
        return "no code ran"
    if any("sales.csv" in code for code in good):
        return "the file was read again"
    right = found["product_there"].lower() in result.text.lower()
    right = right and says(result.text, found["revenue_there"])
    return "" if right else f"not {found['product_there']} with {found['revenue_there']:,.2f}"


def half_inverted(result: TurnResult, found: dict[str, Any]) -> str:
    if min(found["distances"], default=255) > SAME_PICTURE:
        return "no picture whose right half is inverted, and only that"
    written = [tuple(bytes.fromhex(each)) for each in re.findall(r"#([0-9a-fA-F]{6})\b", result.text)]
    near = [colour for colour in written if math.dist(colour, found["colour"]) <= SAME_COLOUR]
    return "" if near else "the dominant colour is not #{:02x}{:02x}{:02x}".format(*found["colour"])


def a_picture_of_each_scene(_: TurnResult, scenes: list[int | None]) -> str:
    shown = sorted(scene for scene in scenes if scene is not None)
    return "" if shown == [0, 1, 2] else f"{len(shown)} pictures show {len(set(shown))} of 3 scenes"


def says(text: str, value: float) -> bool:
    """Whether a number in the text is this one, whatever its marks and its unit: 88,693.40, 88.693 or 88.7k."""
    numbers = [re.sub(r"\D", "", each) for each in re.findall(r"\d+(?:[.,'’\u202f\u00a0]?\d+)*", text)]
    powers = [10.0**power for power in range(-2, 4)]
    return any(
        abs(int(number) * power - value) <= SAME_NUMBER * value for number in numbers for power in powers
    )


TASKS = (
    Task(
        "A plain question: text, and no code",
        "What is the difference between the mean and the median, in two or three sentences?",
        plain_text,
    ),
    Task(
        "Sales: a chart with several panels, and the right numbers",
        "Chart the revenue by month, by region and by product in one figure. How much was it in total, and which "
        "month, region and product were best?",
        chart_and_numbers,
        "sales.csv",
        "{**sales(file), 'panels': panels(pictures)}",
    ),
    Task(
        "Sales again: from a variable of an earlier cell",
        "Without reading the file again: which product earned the most in the best region, and how much?",
        variable_used,
        look="sales('sales.csv')",
    ),
    Task(
        "A picture: one half inverted, and its dominant colour",
        "Split this picture down the middle, invert the colours of the right half and join the halves again. Which "
        "colour dominates the original? Give its hex code.",
        half_inverted,
        "poster.png",
        "{'distances': half_inverted(file, pictures), 'colour': dominant_colour(file)}",
    ),
    Task(
        "A video: one picture of each scene",
        "Find the scenes in this video, and give me one picture of each as a PNG file.",
        a_picture_of_each_scene,
        "clip.mp4",
        "scenes(file, pictures)",
    ),
)
