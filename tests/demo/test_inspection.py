"""What the demo looks at in pictures: right ones and wrong ones, in the image that it looks in."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guest.box import ROOT, Box, open_box

pytestmark = pytest.mark.docker

SAMPLES = ROOT / "examples"
INSPECTION = (SAMPLES / "inspection.py").read_text("utf-8")


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as opened:
        for name in ("sales.csv", "poster.png", "clip.mp4"):
            opened.write(name, (SAMPLES / name).read_bytes())
        yield opened


def look(box: Box, making: str, expression: str) -> Any:
    return box.run(f"{INSPECTION}\n{making}\nvalue = {expression}")


def test_the_numbers_are_those_of_the_file(box: Box) -> None:
    months: dict[str, float] = defaultdict(float)
    with Path(SAMPLES / "sales.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        months[row["date"][:7]] += float(row["revenue"])

    found = look(box, "", "sales('sales.csv')")

    assert found["total"] == pytest.approx(sum(months.values()))
    assert max(months, key=lambda month: months[month]) == "2025-10"
    assert found["best"] == [["October", "Oct", "2025-10"], ["South"], ["Espresso"]]


@pytest.mark.parametrize(
    ("making", "panels"),
    [
        ("figure, axes = plt.subplots(1, 1); axes.plot([1, 3, 2]); axes.set_title('One')", 1),
        ("figure, axes = plt.subplots(2, 2, layout='constrained'); axes[0, 0].bar([1, 2], [3, 4])", 4),
        ("figure, axes = plt.subplots(3, 1, figsize=(6, 9)); axes[1].barh(['a', 'b'], [3, 4])", 3),
        ("plt.style.use('dark_background'); figure, axes = plt.subplots(1, 2); axes[0].plot([1, 2])", 2),
        ("figure = plt.figure()", 0),
    ],
)
def test_panels_are_counted(box: Box, making: str, panels: int) -> None:
    drawn = (
        f"import matplotlib.pyplot as plt\nplt.rcdefaults()\n{making}\nfigure.savefig('chart.png', dpi=120)"
    )

    assert look(box, drawn, "panels(['chart.png'])") == panels


@pytest.mark.parametrize(
    ("making", "is_right"),
    [
        ("image.paste(ImageOps.invert(right), (480, 0))", True),
        ("image.paste(ImageOps.invert(right), (480, 0)); name = 'made.jpg'", True),
        ("", False),
        ("image = ImageOps.invert(image)", False),
        ("image.paste(ImageOps.mirror(right), (480, 0))", False),
        ("image.paste(ImageOps.invert(image.crop((0, 0, 480, 640))), (0, 0))", False),
        ("image.paste(ImageOps.invert(right), (480, 0)); image = image.resize((480, 320))", False),
    ],
)
def test_a_half_inverted_picture_is_told_from_others(box: Box, making: str, is_right: bool) -> None:
    made = (
        "from PIL import ImageOps\nname, image = 'made.png', Image.open('poster.png').convert('RGB')\n"
        f"right = image.crop((480, 0, 960, 640))\n{making}\nimage.save(name)"
    )

    (distance,) = look(box, made, "half_inverted('poster.png', [name])")

    assert (distance < 8) is is_right


def test_the_dominant_colour_is_that_of_the_sky(box: Box) -> None:
    assert look(box, "", "dominant_colour('poster.png')") == [0xF9, 0x84, 0x5A]


def test_pictures_are_found_in_the_scene_that_they_are_from(box: Box) -> None:
    making = """
with av.open('clip.mp4') as film:
    frames = [frame.to_image() for frame in film.decode(video=0)]
for number in (0, 23, 24, 41, 42, 71):
    frames[number].save(f'{number}.png')
frames[30].resize((240, 135)).save('small.jpg')
Image.blend(frames[10], frames[60], 0.5).save('mixed.png')
names = ['0.png', '23.png', '24.png', '41.png', '42.png', '71.png', 'small.jpg', 'mixed.png', 'poster.png']
"""
    assert look(box, making, "scenes('clip.mp4', names)") == [0, 0, 1, 1, 2, 2, 1, None, None]
