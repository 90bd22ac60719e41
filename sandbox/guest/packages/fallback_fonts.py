"""Run in the image's build: let matplotlib end every list of fonts with those of our matplotlibrc.

It takes a character that the first font lacks from the next one, but a style or library that sets the font
(`seaborn.set_theme`, `font.family = "SimHei"`) replaces the whole list, and half of the world's scripts become boxes.
There is no setting for a last resort. And a font that is missing is told at every piece of text, a hundred times a
chart: with a last resort it need not be told.
"""

from pathlib import Path

import matplotlib.font_manager

LOOP = "for family in prop.get_family():\n            cprop"
LOOP_TO_THE_LAST = """for family in dict.fromkeys(
                [*prop.get_family(), *__import__("matplotlib").rcParamsOrig["font.family"]]):
            cprop"""
WARNINGS = (
    '_log.warning("findfont: Font family',
    '_log.warning(\n                        "findfont: Generic',
)


path = Path(matplotlib.font_manager.__file__)
text = path.read_text()
if [text.count(part) for part in (LOOP, *WARNINGS)] != [1, 1, 1]:
    raise SystemExit(f"{path} has changed: look at _find_fonts_by_props anew")
text = text.replace(LOOP, LOOP_TO_THE_LAST)
for warning in WARNINGS:
    text = text.replace(warning, warning.replace("warning", "info"))
path.write_text(text)
