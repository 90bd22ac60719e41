"""Figures that a cell left open: shown once, named and described."""

import io
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.guest import figures
from sandbox.guest.figures import LONGEST_SIDE, alt_text, as_png, note_saved, show_open
from tests.sandbox.guest.test_display import Sent

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt: Any = pytest.importorskip("matplotlib.pyplot")

Draw = Callable[[Any], object]


@pytest.fixture(autouse=True)
def no_figures() -> Iterator[None]:
    plt.close("all")
    yield
    plt.close("all")
    matplotlib.rcdefaults()


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures, "WORKSPACE", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def drawn(title: str = "", draw: Draw = lambda axes: axes.plot([1, 2])) -> Any:
    figure, axes = plt.subplots()
    draw(axes)
    axes.set_title(title)
    return figure


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


KINDS: dict[str, tuple[Draw, str]] = {
    "plot": (lambda axes: axes.plot([1, 2, 3]), "line chart"),
    "step": (lambda axes: axes.step([1, 2], [1, 2]), "line chart"),
    "bar": (lambda axes: axes.bar(["a", "b"], [1, 2]), "bar chart"),
    "barh": (lambda axes: axes.barh(["a", "b"], [1, 2]), "bar chart"),
    "hist": (lambda axes: axes.hist([1, 1, 2]), "bar chart"),
    "scatter": (lambda axes: axes.scatter([1, 2], [1, 2]), "scatter plot"),
    "scatter with a line": (lambda axes: (axes.scatter([1, 2], [1, 2]), axes.plot([1, 2])), "scatter plot"),
    "pie": (lambda axes: axes.pie([1, 2]), "pie chart"),
    "imshow": (lambda axes: axes.imshow([[1, 2], [3, 4]]), "heat map"),
    "pcolormesh": (lambda axes: axes.pcolormesh([[1, 2], [3, 4]]), "heat map"),
    "fill_between": (lambda axes: axes.fill_between([1, 2], [1, 2]), "area chart"),
}


@pytest.mark.parametrize(("draw", "kind"), KINDS.values(), ids=KINDS.keys())
def test_a_chart_is_called_what_it_is(draw: Draw, kind: str) -> None:
    assert alt_text(drawn(draw=draw)) == kind


def test_titles_and_axes_are_described() -> None:
    figure = drawn("Sales\n by   month")
    figure.axes[0].set(xlabel="Month", ylabel="Sales in €")

    assert alt_text(figure) == "line chart “Sales by month”, x: Month, y: Sales in €"


def test_a_title_on_the_left_is_one() -> None:
    figure = drawn()
    figure.axes[0].set_title("Sales", loc="left")

    assert alt_text(figure) == "line chart “Sales”"


def test_panels_are_described_each_and_more_of_them_are_counted() -> None:
    figure, axes = plt.subplots(2, 4)
    for number, each in enumerate(axes.flat):
        each.plot([1, 2])
        each.set_title(f"Region {number}")
    figure.suptitle("Sales")

    text = alt_text(figure)

    assert text.startswith("Sales: 8 panels: line chart “Region 0”; line chart “Region 1”; ")
    assert text.endswith("“Region 5” and 2 more")


def test_empty_panels_and_colour_bars_are_not_described() -> None:
    figure, (left, _) = plt.subplots(1, 2)
    figure.colorbar(left.imshow([[1, 2]]))

    assert alt_text(figure) == "heat map"


def test_a_figure_of_words_alone_is_a_chart() -> None:
    figure = plt.figure()
    figure.text(0.5, 0.5, "hello")

    assert alt_text(figure) == "Chart"


def test_open_figures_are_shown_in_their_order_and_closed(sent: Sent) -> None:
    drawn("First chart")
    drawn("", draw=lambda axes: axes.bar(["a"], [1]))

    show_open(sent.shown)

    assert [(frame.name, frame.alt) for frame in sent.frames] == [
        ("first-chart", "line chart “First chart”"),
        ("chart", "bar chart"),
    ]
    assert all(size_of(frame.content["image/png"]) for frame in sent.frames)
    assert plt.get_fignums() == []


def test_a_figure_is_shown_once(sent: Sent) -> None:
    figure = drawn()
    figures.show(figure, sent.shown)

    show_open(sent.shown)

    assert len(sent.frames) == 1


def test_a_figure_without_content_is_not_shown_and_closed_all_the_same(sent: Sent) -> None:
    plt.figure()

    show_open(sent.shown)

    assert sent.frames == []
    assert plt.get_fignums() == []


def test_no_figures_are_no_trouble(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib._pylab_helpers")

    show_open(sent.shown)

    assert sent.frames == []


def test_figures_are_closed_also_where_one_cannot_be_drawn(sent: Sent) -> None:
    drawn(r"$\broken{$")
    drawn("fine")

    with pytest.raises(ValueError, match="broken"):
        show_open(sent.shown)

    assert plt.get_fignums() == []


def test_the_name_comes_from_the_title_of_the_whole(sent: Sent) -> None:
    figure = drawn("Inner")
    figure.suptitle("Sales: 2024")
    figures.show(figure, sent.shown)

    assert sent.display.name == "sales-2024"


@pytest.mark.parametrize("name", ["chart.png", "chart.JPG", "out/chart.webp"])
def test_a_figure_that_the_code_has_saved_is_shown_as_that_file(
    sent: Sent, workspace: Path, name: str
) -> None:
    (workspace / name).parent.mkdir(exist_ok=True)
    (workspace / name).write_bytes(b"picture")
    figure = drawn()
    note_saved(figure, name)

    figures.show(figure, sent.shown)

    assert (sent.display.saved_as, sent.display.content) == (name, {})


def test_the_picture_that_was_saved_last_is_shown(sent: Sent, workspace: Path) -> None:
    figure = drawn()
    for name in ("a.png", "b.png"):
        (workspace / name).write_bytes(b"picture")
        note_saved(figure, workspace / name)

    figures.show(figure, sent.shown)

    assert sent.display.saved_as == "b.png"


@pytest.mark.parametrize(
    "name", ["chart.pdf", "gone.png", "../outside.png", "folder.png", b"bytes.png", 5, None]
)
def test_another_kind_of_file_is_shown_as_a_picture(sent: Sent, workspace: Path, name: object) -> None:
    (workspace / "chart.pdf").write_bytes(b"%PDF")
    (workspace / "folder.png").mkdir()
    (workspace.parent / "outside.png").write_bytes(b"picture")
    figure = drawn()
    note_saved(figure, name)

    figures.show(figure, sent.shown)
    (workspace.parent / "outside.png").unlink()

    assert sent.display.saved_as is None
    assert size_of(sent.display.content["image/png"])


@pytest.mark.parametrize(("inches", "dpi"), [((100, 1), 100), ((1, 50), 300), ((6, 4), 5000)])
def test_a_chart_that_is_shown_is_no_longer_than_the_longest_side(inches: tuple[int, int], dpi: int) -> None:
    figure = plt.figure(figsize=inches, dpi=dpi)
    figure.text(0.5, 0.5, "hello")

    assert max(size_of(as_png(figure))) <= LONGEST_SIDE


def test_an_ordinary_chart_keeps_its_size() -> None:
    figure = plt.figure(figsize=(6, 4), dpi=100)
    figure.text(0.5, 0.5, "hello")

    assert size_of(as_png(figure)) == (600, 400)


@pytest.fixture
def is_tight() -> None:
    matplotlib.rcParams["savefig.bbox"] = "tight"


@pytest.mark.usefixtures("is_tight")
@pytest.mark.parametrize("place", [(1e4, 1), (50, 1), (0, -1e4)])
def test_a_text_far_outside_does_not_make_a_picture_miles_wide(place: tuple[float, float]) -> None:
    figure = drawn()
    figure.axes[0].text(*place, "far away")

    assert size_of(as_png(figure)) == (640, 480)


@pytest.mark.usefixtures("is_tight")
def test_a_legend_beside_the_chart_is_in_the_picture() -> None:
    figure = drawn()
    plain = size_of(as_png(figure))
    figure.axes[0].legend(["a long name of a line"], loc="upper left", bbox_to_anchor=(1.05, 1))

    width, height = size_of(as_png(figure))

    assert width > plain[0]
    assert height == plain[1]


@pytest.mark.usefixtures("is_tight")
def test_a_tight_picture_is_what_matplotlib_makes_of_it() -> None:
    figure = drawn("Title")
    into = io.BytesIO()
    figure.savefig(into, format="png", dpi=figure.dpi)

    assert as_png(figure) == into.getvalue()


def test_a_plain_picture_is_what_matplotlib_makes_of_it() -> None:
    figure = drawn("Title")
    into = io.BytesIO()
    figure.savefig(into, format="png", dpi=figure.dpi)

    assert as_png(figure) == into.getvalue()
