"""The matplotlib backend of a box: Agg, with `plt.show()` as in a notebook. MPLBACKEND names it."""

from typing import Any

from IPython.core.getipython import get_ipython
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sandbox.guest import figures, fonts


class FigureManager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        figures.show_open(get_ipython().display_pub.shown)


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager

    def print_figure(self, filename: Any, *args: Any, **options: Any) -> Any:
        saved = super().print_figure(filename, *args, **options)
        figures.note_saved(self.figure, filename)
        return saved


# Loaded by matplotlib before anything is drawn.
fonts.map_fonts()
