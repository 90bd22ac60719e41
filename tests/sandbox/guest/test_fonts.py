"""Fonts from memory draw what fonts from files draw."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.guest.fonts import map_fonts

pytest.importorskip("matplotlib")
font_manager: Any = pytest.importorskip("matplotlib.font_manager")
figure_of: Any = pytest.importorskip("matplotlib.figure").Figure


@pytest.fixture(autouse=True)
def fonts_as_they_were() -> Iterator[None]:
    before = font_manager._get_font
    yield
    font_manager._get_font = before


def drawn(kind: str) -> bytes:
    figure, into = figure_of(), io.BytesIO()
    axes = figure.subplots()
    axes.plot([1, 2], [2, 1])
    axes.set_title("Ärger: 100 %")
    figure.savefig(into, format=kind, metadata={"CreationDate": None} if kind == "pdf" else None)
    return into.getvalue()


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_a_chart_is_the_same(kind: str) -> None:
    before = drawn(kind)
    map_fonts()

    assert drawn(kind) == before


def test_a_font_says_which_file_it_is() -> None:
    path = font_manager.findfont("DejaVu Sans")
    map_fonts()

    assert str(font_manager.get_font(path).fname) == str(path)
