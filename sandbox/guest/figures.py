"""Figures that a cell left open are shown without being asked for: named, described, and each only once.

Loads nothing by itself: where matplotlib has not been imported, there are no figures.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

from sandbox.guest.display import Picture, Shown, slug

WORKSPACE = Path("/workspace")
BACKEND = "sandbox.guest.backend"
LONGEST_SIDE = 3000
"""Pixels of a chart that is shown. Who wants more saves a file."""
FAR_TIMES = 3
"""The figure's own size: nothing is meant to be seen that lies farther out."""
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
AXES_DESCRIBED = 6


def show_open(shown: Shown) -> None:
    """All figures that pyplot knows, in their order; they are closed then."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None:
        return
    managers = helpers.Gcf.get_all_fig_managers()
    try:
        for manager in managers:
            figure = manager.canvas.figure
            if _has_content(figure) and not getattr(figure, "_was_shown", False):
                show(figure, shown)
    finally:
        helpers.Gcf.destroy_all()


def show(figure: Any, shown: Shown) -> None:  # a matplotlib Figure: not typed here
    """As a picture, or as the file that the code has already made of it."""
    saved_as = _saved_as(figure)
    parts = [] if saved_as else [("image/png", as_png(figure))]
    title = _title(figure)
    shown.picture(Picture(parts, slug(title) or "chart", alt_text(figure), saved_as))
    figure._was_shown = True


def as_png(figure: Any) -> bytes:
    into = io.BytesIO()
    box = _drawn_box(figure)
    dpi = min(figure.dpi, LONGEST_SIDE / max(box.width, box.height))
    # Past our own canvas, which takes note of what the code saves.
    type(figure).savefig(figure, into, format="png", dpi=dpi, bbox_inches=box)
    return into.getvalue()


def _drawn_box(figure: Any) -> Any:
    """The part to draw, in inches: the figure, or all that there is, as settings want it."""
    settings = sys.modules["matplotlib"].rcParams
    own = figure.bbox_inches
    if settings["savefig.bbox"] != "tight":
        return own
    figure.draw_without_rendering()
    tight = figure.get_tightbbox().padded(settings["savefig.pad_inches"])
    # A text at the wrong place would make a picture miles wide.
    is_far = tight.width > FAR_TIMES * own.width or tight.height > FAR_TIMES * own.height
    return own if is_far else tight


def note_saved(figure: Any, target: object) -> None:
    """Called by our backend for each file that code saves a figure to."""
    if isinstance(target, str | os.PathLike):
        figure._saved_to = Path(os.path.abspath(os.fspath(target)))  # a link is not followed


def alt_text(figure: Any) -> str:
    """The kind of chart, titles and axes: what can be said without looking at it."""
    axes = [each for each in figure.axes if each.get_label() != "<colorbar>" and each.has_data()]
    described = [_described(each) for each in axes[:AXES_DESCRIBED]]
    more = f" and {len(axes) - AXES_DESCRIBED} more" if len(axes) > AXES_DESCRIBED else ""
    title = _words(getattr(figure._suptitle, "get_text", str)()) if figure._suptitle else ""
    if len(described) > 1:
        return f"{f'{title}: ' if title else ''}{len(axes)} panels: {'; '.join(described)}{more}"
    return f"{f'{title}: ' if title else ''}{''.join(described) or 'Chart'}"


def _described(axes: Any) -> str:
    kind, title = _kind(axes), _words(axes.get_title() or axes.get_title("left"))
    labels = [
        f"{name}: {label}"
        for name, label in (("x", _words(axes.get_xlabel())), ("y", _words(axes.get_ylabel())))
        if label
    ]
    return ", ".join([f"{kind} “{title}”" if title else kind, *labels])


def _kind(axes: Any) -> str:
    names = {type(each).__name__ for each in (*axes.patches, *axes.collections, *axes.images)}
    kinds = {
        "pie chart": "Wedge" in names,
        "bar chart": "Rectangle" in names,
        "scatter plot": "PathCollection" in names,
        "heat map": bool(names & {"AxesImage", "QuadMesh"}),
        "line chart": bool(axes.lines),
        "area chart": bool(names & {"PolyCollection", "FillBetweenPolyCollection"}),
    }
    return next((kind for kind, is_there in kinds.items() if is_there), "chart")


def _title(figure: Any) -> str:
    if figure._suptitle and figure._suptitle.get_text():
        return str(figure._suptitle.get_text())
    titles = (axes.get_title() or axes.get_title("left") for axes in figure.axes)
    return next((title for title in titles if title), "")


def _words(text: str) -> str:
    return " ".join(text.split())


def _has_content(figure: Any) -> bool:
    return bool(
        figure.axes or figure.texts or figure.images or figure.lines or figure.patches or figure.artists
    )


def _saved_as(figure: Any) -> str | None:
    """The picture in the workspace that the code saved last, if there is one."""
    path: Path | None = getattr(figure, "_saved_to", None)
    if path and path.suffix.lower() in PICTURES and path.is_relative_to(WORKSPACE) and path.is_file():
        return path.relative_to(WORKSPACE).as_posix()
    return None
