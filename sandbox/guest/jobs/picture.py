"""The job that makes an image small enough for a model to look at."""

import io
import warnings
from pathlib import Path
from typing import Any

from sandbox.guest.jobs.profiles.bounds import limited_memory
from sandbox.guest.jobs.profiles.magic import FILMS, magic

MOST_BYTES = 1_000_000
DECODED_PIXELS = 50_000_000
"""What is larger cannot be decoded in a container of a few hundred megabytes, a JPEG excepted: it is read reduced."""
LONGEST_SIDE = 1024
PHOTO_GAIN = 2
"""A JPEG is worth its losses where it is so much smaller."""
QUALITIES = (85, 70, 50, 30)


class NotShown(Exception):
    """This is no picture, or one that cannot be opened here."""


def run(args: dict[str, Any], payload: bytes) -> bytes:
    """PNG, or JPEG for what looks like a photo. `args`: longest_side in pixels; name and folder without a payload.

    Raises `NotShown`, and whatever a decoder raises.
    """
    if not payload and "name" in args:
        path = Path(args.get("folder", "/workspace")) / str(args["name"])
        # All formats that are shown as a whole are read as a whole; a film only as far as its first picture.
        payload = path.read_bytes()
    side = max(16, min(int(args.get("longest_side", LONGEST_SIDE)), 4096))
    with limited_memory():
        return _encoded(_flat(_opened(payload, side), side))


def _opened(data: bytes, side: int) -> Any:  # Pillow is not typed here
    from PIL import Image, UnidentifiedImageError

    kind = magic(data[:4096])
    if kind == "pdf":
        return _first_page(data, side)
    if kind in FILMS:
        return _first_frame(data)
    if kind is None and b"<svg" in data[:4096]:
        return _drawing(data, side)
    if kind == "heic":
        try:
            import pillow_heif
        except ImportError:
            return _first_frame(data)
        pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # the bound is ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data))
        except UnidentifiedImageError as error:
            raise NotShown("no image of a known format") from error
        if image.format == "JPEG":
            image.draft("RGB", (2 * side, 2 * side))
        if image.width * image.height > DECODED_PIXELS:
            raise NotShown(f"{image.width} × {image.height} pixels are too many")
        image.load()
    return image


def _flat(image: Any, side: int) -> Any:
    """The right way up, no larger than `side`, in RGB or grey on white."""
    from PIL import Image, ImageOps

    transparent = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    if image.mode.startswith("I") or image.mode == "F":
        image = _stretched(image, side)
    elif transparent:
        image = _small(image if image.mode == "RGBA" else image.convert("RGBA"), side)
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        exif = image.getexif()
        image = Image.alpha_composite(white, image).convert("RGB")
        image.getexif().update(exif)
    elif image.mode not in {"RGB", "L"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    return ImageOps.exif_transpose(_small(image, side))


def _small(image: Any, side: int) -> Any:
    if max(image.size) > side:
        image.thumbnail((side, side), reducing_gap=3)
    return image


def _stretched(image: Any, side: int) -> Any:
    """Depths beyond eight bits, such as scans of a microscope, from their darkest to their brightest."""
    image = _small(image.convert("F"), side)
    low, high = image.getextrema()
    scale = 255 / (high - low) if high > low else 0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _encoded(image: Any) -> bytes:
    png = _saved(image, format="PNG", optimize=image.width * image.height < 2_000_000)
    jpeg = b""
    for quality in QUALITIES:
        jpeg = _saved(image, format="JPEG", quality=quality, optimize=True)
        if len(jpeg) <= MOST_BYTES:
            break
    # Charts stay sharp as PNG; noise in every pixel, as photos have it, makes a PNG many times larger.
    if len(png) <= MOST_BYTES and (len(png) < 50_000 or len(png) < PHOTO_GAIN * len(jpeg)):
        return png
    if len(jpeg) > MOST_BYTES:
        raise NotShown("too large in every quality")
    return jpeg


def _saved(image: Any, **options: Any) -> bytes:
    into = io.BytesIO()
    # Without its comments, places and colour profiles.
    image.info = {}
    image.save(into, exif=b"", **options)
    return into.getvalue()


def _first_frame(data: bytes) -> Any:
    """Of a film, or of a HEIC image; the first that is not of a single colour, where one comes soon."""
    import av

    av.logging.set_level(None)
    image = None
    with av.open(io.BytesIO(data)) as container:
        if not container.streams.video:
            raise NotShown("no pictures in it")
        stream = container.streams.video[0]
        if stream.width * stream.height > DECODED_PIXELS:
            raise NotShown("too many pixels")
        for number, frame in enumerate(container.decode(stream)):
            image = frame.to_image()
            extremes = image.convert("L").getextrema()
            if extremes[1] - extremes[0] > 16 or number >= 48:
                break
    if image is None:
        raise NotShown("no picture can be decoded")
    return image


def _first_page(data: bytes, side: int) -> Any:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    page = document[0]
    longest = max(page.get_size())
    return page.render(scale=min(4, side / max(longest, 1))).to_pil()


def _drawing(data: bytes, side: int) -> Any:
    import cairosvg
    from PIL import Image

    # Nothing is fetched: neither files nor addresses that the drawing names.
    drawn = cairosvg.svg2png(bytestring=data, output_width=side, unsafe=False, url_fetcher=_nothing)
    return Image.open(io.BytesIO(drawn))


def _nothing(_url: str, *_: object) -> bytes:
    return b""
