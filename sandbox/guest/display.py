"""What `display()` and a cell's last value become: text in its place, pictures and pages as frames."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.guest.said import ALT_CHARACTERS, ID_CHARACTERS
from sandbox.wire import PAYLOAD_BYTES

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
"""The first of these that there is gets shown."""
PLOTLY = "application/vnd.plotly.v1+json"
VEGA = re.compile(r"application/vnd\.vegalite\.v\d+\+json")
HTML = "text/html"
TEXTS = ("text/plain", "text/markdown", "text/latex")
NAME_CHARACTERS = 60
_OPAQUE = re.compile(r"<[\w.]+( object)?( at 0x[0-9a-f]+)?>|<[\w. ]+ object>|HTML\(.*\)", re.DOTALL)
"""How objects are written that have nothing to say in text."""

Part = tuple[str, bytes]
"""Media type and content."""
Bundle = Mapping[str, Any]
"""Content by media type, as IPython's formatters give it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What becomes a file: a picture or a page."""

    parts: list[Part]
    name: str
    """Of the file, without its ending."""
    alt: str = ""
    saved_as: str | None = None
    """The file in the workspace that holds the same; there are no parts then."""


@dataclass(slots=True)
class Shown:
    """Sends what is shown. `send(frame, payload)`; text goes to standard output."""

    send: Callable[..., None]

    def show(self, data: Bundle, *, display_id: object = None, update: bool = False) -> None:
        parts, text = for_people(data)
        if parts:
            self.picture(Picture(parts, _name_of(data)), display_id=display_id, update=update)
        elif text:
            print(text)

    def picture(self, picture: Picture, *, display_id: object = None, update: bool = False) -> None:
        """`display_id` is of the code's own making: any object."""
        parts = _fitting(picture.parts)
        if picture.parts and not parts:
            print(f"[{picture.name}: too large to be shown]")
            return
        frame = {
            "ev": "display",
            "kind": "update" if update else "display",
            "display_id": None if display_id is None else str(display_id)[:ID_CHARACTERS],
            "parts": [[media_type, len(content)] for media_type, content in parts],
            "name": picture.name,
            "alt": picture.alt[:ALT_CHARACTERS],
            "saved_as": picture.saved_as,
        }
        self.send(frame, b"".join(content for _, content in parts))

    def clear(self, wait: bool) -> None:
        self.send({"ev": "clear", "wait": bool(wait)})


def _fitting(parts: list[Part]) -> list[Part]:
    """Those that go into one frame."""
    fitting, left = [], PAYLOAD_BYTES
    for media_type, content in parts:
        if len(content) <= left:
            fitting.append((media_type, content))
            left -= len(content)
    return fitting


def for_people(data: Bundle) -> tuple[list[Part], str]:
    """The parts that become files, or else the text.

    A page is a file where the object has nothing to say in text, as maps and widgets; a table or a fitted model, which
    has both, is text.
    """
    if PLOTLY in data:
        return _plotly(data[PLOTLY]), ""
    for media_type in data:
        if VEGA.fullmatch(media_type) and not any(image in data for image in IMAGES):
            return _vega(data[media_type]), ""
    for media_type in IMAGES:
        content = _bytes(data.get(media_type), is_text=media_type.endswith("xml"))
        if content:
            return [(media_type, content)], ""
    text = next((str(data[media_type]) for media_type in TEXTS if data.get(media_type)), "")
    if HTML in data and (not text or _OPAQUE.fullmatch(text.strip())):
        return [(HTML, str(data[HTML]).encode("utf-8", "replace"))], ""
    return [], text


def slug(title: str) -> str:
    """A title as the beginning of a file name: letters of any script, digits and dashes."""
    words = re.findall(r"\w+", re.sub(r"\$[^$]*\$|<[^>]*>", " ", title.lower()))
    return "-".join(words)[:NAME_CHARACTERS].strip("-_")


def _name_of(data: Bundle) -> str:
    layout = data.get(PLOTLY, {}).get("layout", {}) if isinstance(data.get(PLOTLY), dict) else {}
    title = layout.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return slug(str(text or "")) or "chart"


def _plotly(figure: dict[str, Any]) -> list[Part]:
    """A page that needs no network; a picture too, where the library for that is there."""
    import plotly.io  # loaded where it is asked for

    page: Part = (HTML, plotly.io.to_html(figure, include_plotlyjs=True).encode())
    try:
        import kaleido  # noqa: F401  # in the full set only

        return [("image/png", plotly.io.to_image(figure, "png", scale=2)), page]
    except Exception:  # a picture is more than was asked for
        return [page]


def _vega(chart: dict[str, Any]) -> list[Part]:
    import vl_convert  # in the full set only, as is whatever makes such charts

    return [("image/png", vl_convert.vegalite_to_png(chart, scale=2))]


def _bytes(content: object, *, is_text: bool) -> bytes:
    """IPython's own displays hold pictures as base64, other objects as bytes."""
    if isinstance(content, bytes):
        return content
    if not isinstance(content, str):
        return b""
    if is_text:
        return content.encode("utf-8", "replace")
    try:
        return base64.b64decode(content)
    except (binascii.Error, ValueError):
        return b""
