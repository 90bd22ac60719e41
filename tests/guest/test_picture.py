"""Images made small enough for a model, in the real image."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guest.box import Box, JobFailed, open_box
from tests.guest.files import film, png

pytestmark = pytest.mark.docker

MAKE = """
import base64, io
import numpy as np
from PIL import Image
chance = np.random.default_rng(1)
noise = Image.fromarray(chance.integers(0, 255, (1500, 2000, 3), dtype="uint8"))
into = io.BytesIO()
{}
value = base64.b64encode(into.getvalue()).decode()
"""
LOOK = """
import base64, io
from PIL import Image
image = Image.open(io.BytesIO(base64.b64decode({!r})))
pixels = image.convert("RGB")
value = {{
    "format": image.format, "size": image.size, "mode": image.mode, "exif": len(image.getexif()),
    "first": pixels.getpixel((1, 1)), "last": pixels.getpixel((image.width - 2, image.height - 2)),
}}
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as opened:
        yield opened


def made(box: Box, code: str) -> bytes:
    return base64.b64decode(box.run(MAKE.format(code)))


def look(box: Box, picture: bytes) -> dict[str, Any]:
    found: dict[str, Any] = box.run(LOOK.format(base64.b64encode(picture).decode()))
    return found


def near(one: list[int], two: tuple[int, int, int], most: int = 12) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000"])
def test_an_image_of_any_format_is_shown(box: Box, name: str) -> None:
    data = made(box, f"Image.new('RGB', (300, 200), (200, 30, 30)).save(into, {name!r})")

    found = look(box, box.picture(data, 150))

    assert found["format"] == "PNG"
    assert found["size"] == [150, 100]
    assert near(found["first"], (200, 30, 30))


def test_a_small_image_keeps_its_size(box: Box) -> None:
    assert look(box, box.picture(png(30, 20)))["size"] == [30, 20]


def test_a_photo_becomes_a_jpeg_of_less_than_a_megabyte(box: Box) -> None:
    picture = box.picture(made(box, "noise.save(into, 'PNG')"), 2048)

    assert look(box, picture)["format"] == "JPEG"
    assert len(picture) <= 1_000_000


def test_what_is_transparent_becomes_white(box: Box) -> None:
    data = made(box, "Image.new('RGBA', (40, 40), (255, 0, 0, 0)).save(into, 'PNG')")

    found = look(box, box.picture(data))

    assert (found["mode"], found["first"]) == ("RGB", [255, 255, 255])


def test_a_palette_with_a_transparent_colour_becomes_white_too(box: Box) -> None:
    data = made(box, "Image.new('P', (40, 40), 0).save(into, 'GIF', transparency=0)")

    assert look(box, box.picture(data))["first"] == [255, 255, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_photo_on_its_side_is_put_upright_and_loses_its_data(box: Box, mode: str) -> None:
    code = f"""
image = Image.new({mode!r}, (60, 40), "blue")
image.paste("red", (0, 0, 30, 40))
exif = Image.Exif()
exif[0x0112] = 6
exif[0x010F] = "Camera"
image.save(into, "PNG", exif=exif)
"""

    found = look(box, box.picture(made(box, code)))

    # Turned right by 90°, what was on the left is on top.
    assert found["size"] == [40, 60]
    assert near(found["first"], (255, 0, 0))
    assert near(found["last"], (0, 0, 255))
    assert found["exif"] == 0


def test_sixteen_bits_of_grey_keep_their_contrast(box: Box) -> None:
    code = (
        "Image.fromarray(np.linspace(1000, 3000, 10000).reshape(100, 100).astype('uint16')).save(into, 'PNG')"
    )

    found = look(box, box.picture(made(box, code)))

    assert near(found["first"], (3, 3, 3))
    assert near(found["last"], (252, 252, 252))


def test_an_animation_is_shown_by_its_first_frame(box: Box) -> None:
    code = """
frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
frames[0].save(into, "GIF", save_all=True, append_images=frames[1:])
"""

    assert near(look(box, box.picture(made(box, code)))["first"], (255, 0, 0))


def test_colours_for_print_become_colours_for_screens(box: Box) -> None:
    data = made(box, "Image.new('CMYK', (40, 40), (0, 255, 255, 0)).save(into, 'TIFF')")

    found = look(box, box.picture(data))

    assert found["mode"] == "RGB"
    assert found["first"][0] > 200


def test_a_film_is_shown_by_a_frame_with_something_on_it(box: Box) -> None:
    found = look(box, box.picture(film(box), 80))

    assert found["size"] == [80, 60]
    assert near(found["last"], (200, 30, 30), 40)


def test_a_huge_jpeg_is_shown(box: Box) -> None:
    data = made(box, "Image.new('L', (12000, 9000), 130).save(into, 'JPEG')")

    assert look(box, box.picture(data))["size"] == [1024, 768]
    assert box.seconds < 3


def test_an_image_of_gigabytes_is_refused_before_it_is_decoded(box: Box) -> None:
    with pytest.raises(JobFailed, match="60000 × 60000 pixels are too many"):
        box.picture(png(60_000, 60_000, rows=10))

    assert box.seconds < 1


@pytest.mark.parametrize(
    "data", [b"", b"no picture at all", png(300, 200)[:60], b"%PDF-1.4 nonsense", b"<svg>"]
)
def test_what_cannot_be_shown_fails(box: Box, data: bytes) -> None:
    with pytest.raises(JobFailed):
        box.picture(data)
