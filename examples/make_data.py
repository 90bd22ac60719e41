"""Makes the sample files beside it, the same ones each time. Runs in the sandbox's image, which has the libraries:

docker run --rm -i --network none --user "$(id -u)" -v "$PWD/examples:/workspace" \
    --entrypoint /opt/python/bin/python plotline-sandbox:core - < examples/make_data.py
"""

import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

ORDERS = 260
PRICES = {"Espresso": 9.5, "Filter coffee": 7.9, "Green tea": 6.4, "Black tea": 5.9, "Mug": 12.0}
DEMAND = {"Espresso": 6, "Filter coffee": 5, "Green tea": 3, "Black tea": 3, "Mug": 1}
REGIONS = {"North": 1.0, "South": 1.3, "East": 0.7, "West": 1.1}

FILM = (480, 270)
FRAMES_PER_SECOND = 12
FINE = 3
"""Pictures are drawn so many times larger, so that their edges come out smooth."""


def sales(path: Path) -> None:
    chance = random.Random(2025)
    days = sorted(date(2025, 1, 1) + timedelta(chance.randrange(365)) for _ in range(ORDERS))
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["date", "region", "product", "units", "unit_price", "revenue"])
        for day in days:
            region = chance.choices(list(REGIONS), list(REGIONS.values()))[0]
            product = chance.choices(list(PRICES), list(DEMAND.values()))[0]
            # More is drunk in winter, and presents are bought before Christmas.
            season = 1 + 0.35 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 350) / 365)
            units = max(2, round(chance.gammavariate(5, 8) * season * REGIONS[region]))
            price = round(PRICES[product] * (0.9 if units >= 60 else 1), 2)
            rows.writerow([day, region, product, units, f"{price:.2f}", f"{units * price:.2f}"])


def poster(path: Path) -> None:
    drawing = Drawing((960, 640), "#f9845a")
    drawing.disc(0.50, 0.36, 0.16, "#ffe8c9")
    drawing.hills("#2f8f83", 0.74, Wave(0.07, 1.3, 0.4))
    drawing.hills("#1f4e5f", 0.86, Wave(0.05, 2.1, 2.2))
    drawing.finished().save(path, optimize=True)


def clip(path: Path) -> None:
    scenes = [(_night, 2.0), (_sea, 1.5), (_desert, 2.5)]
    # Nothing in the file may tell when and by which version it was made.
    with av.open(str(path), "w", container_options={"fflags": "+bitexact", "movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height = FILM
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.options = {"crf": "24", "preset": "slow", "flags": "+bitexact"}
        for scene, seconds in scenes:
            frames = round(seconds * FRAMES_PER_SECOND)
            for number in range(frames):
                picture = np.asarray(scene(number / frames).finished())
                film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())


def _night(moment: float) -> "Drawing":
    drawing = Drawing(FILM, "#101a3c")
    stars = random.Random(3)
    for _ in range(60):
        drawing.disc(stars.random(), 0.7 * stars.random(), stars.uniform(0.002, 0.005), "#dfe6ff")
    drawing.disc(0.2 + 0.25 * moment, 0.45 - 0.2 * moment, 0.1, "#fbf3d0")
    drawing.hills("#070b1d", 0.82, Wave(0.07, 1.7, 0.3))
    return drawing


def _sea(moment: float) -> "Drawing":
    drawing = Drawing(FILM, "#cfeaf5")
    drawing.disc(0.8, 0.24, 0.09, "#ffd45e")
    drawing.hills("#3fa7c4", 0.62, Wave(0.02, 5, 6 * moment))
    x, y = 0.25 + 0.3 * moment, 0.66 + 0.01 * math.sin(9 * moment)
    drawing.shape([(x - 0.07, y), (x + 0.07, y), (x + 0.045, y + 0.06), (x - 0.045, y + 0.06)], "#b5442e")
    drawing.shape([(x, y - 0.25), (x, y - 0.02), (x + 0.08, y - 0.02)], "#ffffff")
    drawing.hills("#1d6f8f", 0.76, Wave(0.025, 4, 2 - 6 * moment))
    return drawing


def _desert(moment: float) -> "Drawing":
    drawing = Drawing(FILM, "#f7b267")
    drawing.disc(0.5, 0.28 + 0.25 * moment, 0.15, "#fff1c1")
    drawing.hills("#e07a3f", 0.68, Wave(0.08, 1.1, 0.5 + 0.3 * moment))
    drawing.hills("#a8482b", 0.84, Wave(0.08, 0.9, 2.4 + 0.6 * moment))
    return drawing


@dataclass(frozen=True)
class Wave:
    rise: float
    count: float
    """Over the whole width."""
    shift: float
    """Radians."""


class Drawing:
    """Places and sizes are parts of the picture's width and height, 0 to 1; radii and rises of its height."""

    def __init__(self, size: tuple[int, int], colour: str) -> None:
        self.size = size
        self._fine = (size[0] * FINE, size[1] * FINE)
        self._image = Image.new("RGB", self._fine, colour)
        self._draw = ImageDraw.Draw(self._image)

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        width, height = self._fine
        self._draw.circle((x * width, y * height), radius * height, fill=colour)

    def shape(self, corners: Sequence[tuple[float, float]], colour: str) -> None:
        width, height = self._fine
        self._draw.polygon([(x * width, y * height) for x, y in corners], fill=colour)

    def hills(self, colour: str, level: float, wave: Wave) -> None:
        """A wavy line, and everything below it."""
        steps = [step / 240 for step in range(241)]
        line = [(x, level + wave.rise * math.sin(2 * math.pi * wave.count * x + wave.shift)) for x in steps]
        self.shape([*line, (1, 1), (0, 1)], colour)

    def finished(self) -> Image.Image:
        return self._image.resize(self.size, Image.Resampling.BOX)


def main() -> None:
    folder = Path.cwd()
    sales(folder / "sales.csv")
    poster(folder / "poster.png")
    clip(folder / "clip.mp4")


if __name__ == "__main__":
    main()
