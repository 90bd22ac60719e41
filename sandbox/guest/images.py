"""Images as values of a cell: shown once, also where the code has saved the same one as a file."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.guest.display import Picture, Shown

WORKSPACE = Path("/workspace")
ENDINGS = {".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"}
LOOKED_AT = 20
RECENT_SECONDS = 60
SHOWN_PIXELS = 16_000_000
"""What is larger is shown smaller."""


def show(image: Any, shown: Shown) -> None:  # Pillow is not typed here
    alt = f"Image, {image.width} × {image.height} pixels"
    twin = _saved_twin(image)
    if twin:
        shown.picture(Picture([], "image", alt, twin))
        return
    shown.picture(Picture([("image/png", _as_png(image))], "image", alt))


def _as_png(image: Any) -> bytes:
    into = io.BytesIO()
    if image.width * image.height > SHOWN_PIXELS:
        image = image.copy()
        image.thumbnail((4000, 4000))
    if image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}:
        image = image.convert("RGB")
    image.save(into, "PNG", compress_level=3)
    return into.getvalue()


def _saved_twin(image: Any) -> str | None:
    """The name of a file that has just been written and holds the same pixels."""
    from PIL import Image, ImageChops

    for path in _just_written():
        try:
            with Image.open(path) as saved:
                if saved.size == image.size and not _differ(ImageChops, saved, image):
                    return path.name
        except Exception:  # noqa: S112  # not a whole image, or none at all
            continue
    return None


def _differ(chops: Any, one: Any, other: Any) -> bool:
    return chops.difference(one.convert("RGBA"), other.convert("RGBA")).getbbox(alpha_only=False) is not None


def _just_written() -> Iterator[Path]:
    since = time.time() - RECENT_SECONDS
    found = [path for path in WORKSPACE.iterdir() if path.suffix.lower() in ENDINGS and path.is_file()]
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:LOOKED_AT]
    yield from (path for path in newest if path.stat().st_mtime >= since)
