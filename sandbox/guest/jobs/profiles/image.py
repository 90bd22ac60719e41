"""Images, by their headers; pixels only to find a colour, and only of pictures of a sane size."""

import re
import warnings
from typing import Any

from sandbox.guest.jobs.profiles.aside import aside
from sandbox.guest.jobs.profiles.finding import Broken, Finding
from sandbox.guest.jobs.profiles.recording import open_recording
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count, listed, plain

DECODED_PIXELS = 40_000_000
ROTATIONS = {3: "turned by 180°", 6: "to be turned right by 90°", 8: "to be turned left by 90°"}
MIRRORED = (2, 4, 5, 7)
FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "MPO": "JPEG", "JPEG2000": "JPEG 2000"}
MODES = {
    "1": "black and white", "L": "grey", "LA": "grey with transparency", "P": "palette", "RGB": "RGB",
    "RGBA": "RGB with transparency", "CMYK": "CMYK", "I;16": "grey, 16 bits", "I": "grey, 32 bits", "F": "floats",
}  # fmt: skip
_MEASURE = re.compile(r"""\b(width|height|viewBox)=["']([-\d.,e ]{1,40}(?:%|px|pt|mm|cm|in|em)?)["']""")


def profile(source: Source, kind: str) -> Finding:
    """Raises `Broken`; ImportError where no library is there."""
    from PIL import Image, UnidentifiedImageError

    if kind == "heic" and not _opens_heic():
        return _film_as_image(source)
    Image.MAX_IMAGE_PIXELS = None  # the header is read at any size; decoding has a bound of its own
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source.path) as opened:
                return _image(opened, source)
    except UnidentifiedImageError as error:
        raise Broken("The image is damaged, or of a format that is not known here.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Broken("The image is damaged or cut off.") from error


def _opens_heic() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _image(opened: Any, source: Source) -> Finding:  # Pillow is not typed here
    is_decodable = opened.width * opened.height <= DECODED_PIXELS
    # Pillow decodes all of a PNG to find its EXIF data behind the pixels.
    exif = opened.getexif() if is_decodable or opened.format != "PNG" else {}
    facts = [_shape(opened), *_frames(opened, source)]
    turned = exif.get(0x0112, 1)
    if turned in ROTATIONS or turned in MIRRORED:
        facts.append(f"EXIF says: {ROTATIONS.get(turned, 'mirrored')}; use ImageOps.exif_transpose")
    if not is_decodable:
        facts.append("Very large: decode a reduced version (Image.draft, thumbnail) or parts")
    text = [*facts, *_origin(opened, exif)]
    if is_decodable and source.seconds_left > 1:
        text += _colours(opened)
    return Finding("image", tuple(text), tuple(facts))


def _shape(opened: Any) -> str:
    mode = MODES.get(opened.mode, opened.mode)
    transparent = opened.mode in {"RGBA", "LA", "PA"} or "transparency" in opened.info
    parts = ", transparent parts" if transparent and "transparency" not in mode else ""
    name = FORMATS.get(opened.format, opened.format)
    return f"{name} image: {opened.width:,} × {opened.height:,} pixels, {mode}{parts}"


def _frames(opened: Any, source: Source) -> list[str]:
    if not getattr(opened, "is_animated", False):
        return []
    kind = "pages" if opened.format == "TIFF" else "frames (animated)"
    # Pillow goes through all of some files to count them, and cannot be stopped but from outside.
    counted = aside(lambda: _counted_frames(source), source.seconds_left - 1)
    frames = f"{int(counted):,}" if counted else "Many"
    wait = opened.info.get("duration")
    each = f", {wait / 1000:g} s each" if isinstance(wait, int | float) and wait else ""
    return [f"{frames} {kind}{each}"]


def _counted_frames(source: Source) -> bytes:
    from PIL import Image

    with Image.open(source.path) as opened:
        return b"%d" % getattr(opened, "n_frames", 1)


def _origin(opened: Any, exif: Any) -> list[str]:
    found: list[str] = []
    details = [plain(exif[tag], 40) for tag in (0x010F, 0x0110, 0x0132) if exif.get(tag)]
    if details:
        found.append(f"Taken with: {', '.join(details)}")
    if exif and exif.get_ifd(0x8825):
        found.append("It carries a place (GPS)")
    across = float(opened.info.get("dpi", (0, 0))[0])
    if across > 1:
        found.append(f"{across:.0f} dpi")
    return found


def _colours(opened: Any) -> list[str]:
    """Decoded once, small. Raises OSError for a file that is cut off."""
    if opened.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB"}:
        return []
    if opened.format == "JPEG":
        opened.draft("RGB", (256, 256))
    small = opened.convert("RGBA") if opened.mode in {"P", "PA", "LA"} else opened
    small = small.resize((64, 64), 0).convert("RGBA")
    solid = [pixel[:3] for pixel in small.getdata() if pixel[3] > 127]
    if not solid:
        return ["Fully transparent"]
    buckets: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for pixel in solid:
        buckets.setdefault(tuple(value // 32 for value in pixel), []).append(pixel)
    largest = max(buckets.values(), key=len)
    mean = [round(sum(channel) / len(largest)) for channel in zip(*largest, strict=True)]
    share = len(largest) / len(solid)
    if share < 0.2:
        mean = [round(sum(channel) / len(solid)) for channel in zip(*solid, strict=True)]
        return [f"Many colours, on average #{mean[0]:02x}{mean[1]:02x}{mean[2]:02x}"]
    line = f"Dominant colour about #{mean[0]:02x}{mean[1]:02x}{mean[2]:02x} ({share:.0%})"
    return [line + (", one colour only" if len(buckets) == 1 and share == 1 else "")]


def _film_as_image(source: Source) -> Finding:
    """HEIC without its own library: the container is that of films."""
    with open_recording(source) as container:
        stream = container.streams.video[0]
        line = f"HEIC image: about {stream.width:,} × {stream.height:,} pixels"
        return Finding("image", (line,), (line,))


def drawing(head: str) -> Finding:
    """SVG. Its size is what it says it is."""
    tag = re.search(r"<(?:\w+:)?svg\b[^<>]*>", head)
    attributes = dict(_MEASURE.findall(tag[0])) if tag else {}
    shape = f"{attributes.get('width', '?')} × {attributes.get('height', '?')}"
    if "viewBox" in attributes:
        shape += f", view box {attributes['viewBox']}"
    elements = len(re.findall(r"<[A-Za-z]", head))
    facts = [f"SVG drawing: {shape}, {count(elements, 'element')}"]
    if re.search(r"<(?:\w+:)?script\b|\bon\w+\s*=", head):
        facts.append("It carries scripts, which are never run here")
    texts = re.findall(r"<(?:\w+:)?(?:text|tspan|title)\b[^<>]*>([^<]+)", head)
    shown = [f"Text in it: {listed((plain(each, 30) for each in texts), 12)}"] if texts else []
    return Finding("image", (*facts, *shown), tuple(facts))
