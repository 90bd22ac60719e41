"""Compile what the core set's packages import when they are imported, and leave the rest: half of the byte code is
of modules that hardly anybody loads, and it would be a tenth of the image."""

import importlib
import io
import py_compile
import shutil
import sys
from contextlib import redirect_stdout

import plotly.express as px
from IPython.core.interactiveshell import InteractiveShell

NAMES = """
    IPython.core.interactiveshell IPython.core.pylabtools matplotlib_inline.backend_inline
    PIL.GifImagePlugin PIL.ImageDraw PIL.ImageFilter PIL.ImageFont PIL.ImageOps PIL.JpegImagePlugin PIL.PngImagePlugin
    PIL.TiffImagePlugin PIL.WebPImagePlugin
    av charset_normalizer cloudpickle fastparquet lxml.etree lxml.html
    matplotlib.animation matplotlib.backends.backend_agg matplotlib.backends.backend_pdf
    matplotlib.backends.backend_svg matplotlib.dates matplotlib.pyplot mpl_toolkits.mplot3d
    nbformat.v4 networkx numpy.fft numpy.linalg numpy.polynomial numpy.random odf.opendocument olefile openpyxl
    openpyxl.chart pandas pandas.io.excel._calamine pandas.io.excel._odfreader pandas.io.excel._openpyxl
    pandas.io.excel._xlrd pandas.io.excel._xlsxwriter pandas.io.formats.style pandas.plotting._matplotlib
    pip._internal.cli.main pip._internal.commands.install plotly.express plotly.figure_factory plotly.graph_objects
    plotly.io plotly.subplots pypdf python_calamine pyxlsb requests seaborn tabulate xlrd xlsxwriter yaml
"""
CELLS = ("1 + 1", "1 / 0", "def f(:", "x = 1\nx", "%time 1", "%who", "f?", "!true", "await g()")


def main() -> None:
    print("Compiling byte code", flush=True)
    for name in NAMES.split():
        importlib.import_module(name)
    plotly_charts()
    cells()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.endswith(".py") and path.startswith("/opt/python/"):
            py_compile.compile(
                path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )


def cells() -> None:
    """IPython loads much of itself when a shell is made, when a cell runs, and when one fails."""
    shell = InteractiveShell.instance()
    with redirect_stdout(io.StringIO()):
        for cell in CELLS:
            shell.run_cell(cell)
    shutil.rmtree(shell.ipython_dir)


def plotly_charts() -> None:
    """Plotly loads the classes of a chart when it is first drawn."""
    rows = {"x": [1, 2, 3], "y": [2, 1, 3], "z": ["a", "b", "b"]}
    for chart in (px.area, px.bar, px.box, px.histogram, px.line, px.scatter, px.violin):
        chart(rows, x="x", y="y", color="z", title="t").update_layout(xaxis_title="x").to_json()
    px.pie(rows, names="z", values="y").to_html()
    px.imshow([[1, 2], [3, 4]]).to_html()


if __name__ == "__main__":
    main()
