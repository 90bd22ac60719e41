"""Images as values of a cell: shown once, also where the code has saved the same one."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

from sandbox.guest import images
from tests.sandbox.guest.test_display import Sent

Image: Any = pytest.importorskip("PIL.Image")


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(images, "WORKSPACE", tmp_path)
    return tmp_path


def an_image(colour: str = "red", mode: str = "RGB") -> Any:
    return Image.new(mode, (30, 20), colour if mode not in {"F", "I"} else 7)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "I", "I;16"]
)
def test_an_image_of_any_mode_is_shown(sent: Sent, mode: str) -> None:
    images.show(Image.new(mode, (30, 20)), sent.shown)

    with Image.open(io.BytesIO(sent.display.content["image/png"])) as shown:
        assert (shown.format, shown.size) == ("PNG", (30, 20))
    assert (sent.display.name, sent.display.alt) == ("image", "Image, 30 × 20 pixels")


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.TIFF"])
def test_an_image_that_was_just_saved_is_shown_as_that_file(sent: Sent, workspace: Path, name: str) -> None:
    an_image("blue").save(workspace / "other.png")
    an_image().save(workspace / name)

    images.show(an_image(), sent.shown)

    assert (sent.display.saved_as, sent.display.content) == (name, {})


def test_a_file_with_other_pixels_is_none_of_it(sent: Sent, workspace: Path) -> None:
    an_image("blue").save(workspace / "a.png")
    Image.new("RGBA", (30, 20), (255, 0, 0, 128)).save(workspace / "b.png")
    Image.new("RGB", (31, 20), "red").save(workspace / "c.png")
    (workspace / "d.png").write_bytes(b"no image")

    images.show(an_image(), sent.shown)

    assert sent.display.saved_as is None


def test_an_old_file_is_not_looked_at(sent: Sent, workspace: Path) -> None:
    an_image().save(workspace / "a.png")
    os.utime(workspace / "a.png", (1, 1))

    images.show(an_image(), sent.shown)

    assert sent.display.saved_as is None


def test_a_large_image_is_shown_smaller_and_stays_as_it_is(sent: Sent) -> None:
    image = Image.new("L", (5000, 4000))

    images.show(image, sent.shown)

    with Image.open(io.BytesIO(sent.display.content["image/png"])) as shown:
        assert shown.size == (4000, 3200)
    assert image.size == (5000, 4000)
    assert sent.display.alt == "Image, 5000 × 4000 pixels"
