"""What `display()` and last values become: text in its place, pictures and pages as frames."""

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.frames import Clear, Display, said
from sandbox.guest import display as module
from sandbox.guest.display import IMAGES, NAME_CHARACTERS, Bundle, Picture, Shown, for_people, slug
from tests.sandbox.pieces import json_values

PNG = b"\x89PNG\r\n\x1a\n\0\xff"
TABLE = "   a  b\n0  1  2"
WIDGET = "<folium.folium.Map object at 0x7f0b1c2d3e4f>"


class Sent:
    """Frames as process 1 passes them on, checked as the host checks them."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.shown = Shown(self)

    def __call__(self, frame: dict[str, Any], payload: bytes = b"") -> None:
        self.frames.append(said({**frame, "cell": "c"}, payload))

    @property
    def display(self) -> Display:
        (frame,) = self.frames
        assert isinstance(frame, Display)
        return frame


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/gif", "image/webp"])
@pytest.mark.parametrize("is_base64", [True, False])
def test_pictures_come_as_bytes_or_as_base64(media_type: str, is_base64: bool) -> None:
    content = base64.encodebytes(PNG * 20).decode() if is_base64 else PNG * 20

    assert for_people({"text/plain": WIDGET, media_type: content}) == ([(media_type, PNG * 20)], "")


def test_a_drawing_comes_as_its_text() -> None:
    assert for_people({"image/svg+xml": "<svg>é</svg>"}) == ([("image/svg+xml", "<svg>é</svg>".encode())], "")


def test_the_best_picture_is_shown_alone() -> None:
    bundle = {media_type: base64.b64encode(PNG).decode() for media_type in reversed(IMAGES[:4])}

    assert for_people({**bundle, "text/html": "<img>"}) == ([("image/png", PNG)], "")


@pytest.mark.parametrize("content", ["", "no base64: a", None, 5, [PNG], b""])
def test_what_is_no_picture_leaves_the_text(content: object) -> None:
    assert for_people({"image/png": content, "text/plain": "text"}) == ([], "text")


def test_a_table_is_text_though_it_could_be_a_page() -> None:
    assert for_people({"text/plain": TABLE, "text/html": "<table></table>"}) == ([], TABLE)


@pytest.mark.parametrize(
    "text",
    [
        WIDGET,
        "<IPython.core.display.HTML object>",
        "<IPython.core.display.HTML at 0x7f0b1c2d3e4f>",
        "<pandas.io.formats.style.Styler at 0x7f0b1c2d3e4f>",
        "HTML(value='<b>a\nb</b>')",
        "",
        None,
    ],
)
def test_an_object_that_has_nothing_to_say_in_text_is_a_page(text: object) -> None:
    assert for_people({"text/plain": text, "text/html": "<b>é</b>"}) == (
        [("text/html", "<b>é</b>".encode())],
        "",
    )


def test_an_object_that_has_only_such_a_text_is_that_text() -> None:
    assert for_people({"text/plain": WIDGET}) == ([], WIDGET)


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "text/latex"])
def test_other_texts_are_text(media_type: str) -> None:
    assert for_people({media_type: "**a**"}) == ([], "**a**")


def test_nothing_is_nothing() -> None:
    assert for_people({}) == ([], "")
    assert for_people({"application/x-surprise": "x"}) == ([], "")


bundles = st.dictionaries(
    st.sampled_from([*IMAGES, "text/html", "text/plain", "text/markdown", "text/latex", "application/json"]),
    json_values | st.binary(max_size=20) | st.text(st.characters(categories=["Cs", "Lu"]), max_size=5),
)


@given(bundles)
def test_any_bundle_becomes_parts_or_text(bundle: Bundle) -> None:
    parts, text = for_people(bundle)

    assert not (parts and text)
    assert all(content for media_type, content in parts if media_type != "text/html")


def test_text_is_printed_where_it_belongs(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    sent.shown.show({"text/plain": TABLE, "text/html": "<table></table>"})

    assert capsys.readouterr().out == TABLE + "\n"
    assert sent.frames == []


def test_a_picture_is_sent(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    sent.shown.show({"image/png": PNG, "text/plain": "a figure"}, display_id="d", update=True)

    assert sent.display.content == {"image/png": PNG}
    assert (sent.display.kind, sent.display.display_id, sent.display.name) == ("update", "d", "chart")
    assert capsys.readouterr().out == ""


def test_a_picture_is_sent_with_all_that_is_known_of_it(sent: Sent) -> None:
    sent.shown.picture(Picture([("image/png", b"1"), ("text/html", b"22")], "sales", "bar chart"))

    assert sent.display.content == {"image/png": b"1", "text/html": b"22"}
    assert (sent.display.kind, sent.display.name, sent.display.alt) == ("display", "sales", "bar chart")
    assert sent.display.saved_as is None


def test_a_picture_that_the_code_has_saved_is_named(sent: Sent) -> None:
    sent.shown.picture(Picture([], "sales", "bar chart", "out/sales.png"))

    assert (sent.display.content, sent.display.saved_as) == ({}, "out/sales.png")


@pytest.mark.parametrize("display_id", [5, "x" * 10_000, ("a", 1), True, 0.5])
def test_code_may_call_its_displays_what_it_likes(sent: Sent, display_id: object) -> None:
    sent.shown.show({"image/png": PNG}, display_id=display_id)
    sent.shown.show({"image/png": PNG}, display_id=display_id, update=True)
    first, second = sent.frames

    assert first.display_id
    assert first.display_id == second.display_id


@pytest.mark.parametrize("wait", [True, False, None, "yes", 0, [1]])
def test_what_was_shown_can_be_taken_back(sent: Sent, wait: Any) -> None:
    sent.shown.clear(wait)

    assert sent.frames == [Clear(ev="clear", cell="c", wait=bool(wait))]


def test_what_is_too_large_for_a_frame_is_named_in_text(
    sent: Sent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAYLOAD_BYTES", 10)

    sent.shown.picture(Picture([("image/png", bytes(11))], "map"))

    assert capsys.readouterr().out == "[map: too large to be shown]\n"
    assert sent.frames == []


def test_of_several_parts_those_that_fit_are_sent(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAYLOAD_BYTES", 10)

    sent.shown.picture(Picture([("image/png", b"png"), ("text/html", bytes(8))], "map"))

    assert sent.display.content == {"image/png": b"png"}


@given(st.text(max_size=200))
def test_a_slug_is_words_with_dashes(title: str) -> None:
    name = slug(title)

    assert len(name) <= NAME_CHARACTERS
    assert re.fullmatch(r"(\w+(-\w+)*)?", name)
    assert not name.startswith(("-", "_"))
    assert slug(name) == name or "İ" in title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Sales by Region (2024)", "sales-by-region-2024"),
        ("  Umsatz — Köln  ", "umsatz-köln"),
        ("売上 2024年", "売上-2024年"),
        (r"Area $\pi r^2$ of a circle", "area-of-a-circle"),
        ("<b>Bold</b> title", "bold-title"),
        ("../../etc/passwd", "etc-passwd"),
        ("__init__", "init"),
        ("...", ""),
        ("", ""),
    ],
)
def test_titles_become_beginnings_of_file_names(title: str, name: str) -> None:
    assert slug(title) == name


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ({"title": {"text": "Sales, 2024"}}, "sales-2024"),
        ({"title": "Sales"}, "sales"),
        ({"title": {}}, "chart"),
        ({"title": None}, "chart"),
        ({}, "chart"),
    ],
)
def test_a_plotly_figure_is_named_by_its_title(layout: dict[str, Any], name: str) -> None:
    assert module._name_of({module.PLOTLY: {"layout": layout}}) == name
