"""What is in the sample files and in pictures made of them. Sent to a sandbox as a cell: no file is decoded outside."""

from collections import Counter
from collections.abc import Iterator, Sequence

import av
import numpy as np
import pandas as pd
from PIL import Image

CUTS = (2.0, 3.5)
"""Seconds into the clip, as make_data.py draws it."""
THUMBNAIL = (64, 36)
SAME_FRAME = 12
"""At most so different, on average and of 255, are two thumbnails of one frame."""
BACKGROUND = 10
"""So little different from a chart's corner is its background, of 255."""
GUTTER = 0.008
"""Of a chart's longer side: what is wider parts two panels, or a panel from its title."""
PANEL = 0.03
"""Of a chart's area: what is smaller is a title or a legend."""


def sales(name: str) -> dict[str, object]:
    """`best` has the month, the region and the product, in all ways of writing them."""
    orders = pd.read_csv(name, parse_dates=["date"])
    months = orders.groupby(orders["date"].dt.to_period("M"))["revenue"].sum()
    regions = orders.groupby("region")["revenue"].sum()
    products = orders.groupby("product")["revenue"].sum()
    there = orders[orders["region"] == regions.idxmax()].groupby("product")["revenue"].sum()
    return {
        "total": float(orders["revenue"].sum()),
        "best": [
            [months.idxmax().strftime(form) for form in ("%B", "%b", "%Y-%m")],
            [regions.idxmax()],
            [products.idxmax()],
        ],
        "product_there": there.idxmax(),
        "revenue_there": float(there.max()),
    }


def panels(names: Sequence[str]) -> int:
    """How many charts the pictures hold together."""
    return sum(_panels(np.asarray(Image.open(name).convert("L"), dtype=int)) for name in names)


def _panels(grey: np.ndarray) -> int:
    ink = abs(grey - grey[0, 0]) > BACKGROUND
    gutter = max(2, round(GUTTER * max(ink.shape)))
    return sum(block.size >= PANEL * ink.size for block in _blocks(ink, gutter))


def _blocks(ink: np.ndarray, gutter: int) -> Iterator[np.ndarray]:
    """What is left when the picture is cut along its empty rows and columns, again and again."""
    for turned in (False, True):
        lines = ink.T if turned else ink
        filled = np.flatnonzero(lines.any(axis=1))
        parts = np.split(filled, np.flatnonzero(np.diff(filled) > gutter) + 1)
        if len(parts) > 1:
            for part in parts:
                block = lines[part[0] : part[-1] + 1]
                yield from _blocks(block.T if turned else block, gutter)
            return
    if ink.any():
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        yield ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def half_inverted(original: str, names: Sequence[str]) -> list[float]:
    """How far each picture is from the original with its right half inverted, on average and of 255."""
    wanted = np.asarray(Image.open(original).convert("RGB"), dtype=int).copy()
    middle = wanted.shape[1] // 2
    wanted[:, middle:] = 255 - wanted[:, middle:]
    made = [np.asarray(Image.open(name).convert("RGB"), dtype=int) for name in names]
    return [float(abs(each - wanted).mean()) if each.shape == wanted.shape else 255.0 for each in made]


def dominant_colour(name: str) -> tuple[int, ...]:
    """Red, green and blue of the most frequent pixel."""
    pixels = np.asarray(Image.open(name).convert("RGB")).reshape(-1, 3)
    return tuple(int(each) for each in Counter(map(tuple, pixels)).most_common(1)[0][0])


def scenes(film: str, names: Sequence[str]) -> list[int | None]:
    """Of which scene each picture is a frame, from 0; None where it is none."""
    with av.open(film) as opened:
        stream = opened.streams.video[0]
        frames = [(frame.time, _thumbnail(frame.to_image())) for frame in opened.decode(stream)]
    return [_scene(_thumbnail(Image.open(name)), frames) for name in names]


def _scene(picture: np.ndarray, frames: Sequence[tuple[float, np.ndarray]]) -> int | None:
    distance, time = min((float(abs(picture - frame).mean()), time) for time, frame in frames)
    return sum(time >= cut for cut in CUTS) if distance <= SAME_FRAME else None


def _thumbnail(image: Image.Image) -> np.ndarray:
    small: np.ndarray = np.asarray(image.convert("RGB").resize(THUMBNAIL), dtype=int)
    return small
