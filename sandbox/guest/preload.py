"""What is loaded before the first kernel is forked, so that no cell has to wait for it."""

import importlib
import os
import sys

ALWAYS = (
    "sandbox.guest.kernel",
    # What IPython loads only when a shell is made.
    "IPython.core.application",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.magics",
    "IPython.core.oinspect",
)
CHARTS = (
    *("numpy", "pandas", "matplotlib.pyplot", "sandbox.guest.backend", "pandas.plotting._matplotlib"),
    # For the first traceback.
    *("pygments.formatters", "stack_data"),
)


def preload(what: str) -> None:
    """`charts`: all that a chart of a table needs, one drawn already; anything else: only what every cell needs."""
    for name in ALWAYS:
        importlib.import_module(name)
    if what == "charts":
        from sandbox.guest import figures

        # Matplotlib asks for it once, when it is loaded.
        os.environ["MPLBACKEND"] = f"module://{figures.BACKEND}"
        for name in CHARTS:
            importlib.import_module(name)
        draw_one()


def draw_one() -> None:
    """A chart as code makes it, if what that takes is loaded.

    The first one of a process looks for fonts and fills caches; the first one of a child copies its parent's memory.
    """
    if "pandas.plotting._matplotlib" not in sys.modules:
        return
    import pandas as pd
    from matplotlib import pyplot

    from sandbox.guest import figures

    pd.DataFrame({"x": [1, 2, 3], "y": [1, 3, 2]}).plot(x="x", y="y", title="Title")
    figures.as_png(pyplot.gcf())
    pyplot.close("all")
