"""The part of a profile that a model sees when it is not to see any data: names and types, and never a value."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.guest.jobs.profile import profile
from tests.guest.reports import Report, as_csv, as_xlsx, reports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="profiles are made in Linux")

CANARY = "Quetzalcoatlus"
DIGITS = "8675309"
AMOUNTS = st.integers(0, 99).map(lambda number: int(f"{DIGITS}{number:02}"))
WORDS = st.sampled_from([CANARY, f"{CANARY} GmbH", f"Dr. {CANARY}", f"{CANARY}, Total"])
LEAKY = {
    "titles.csv": f"{CANARY} report\n\nname,amount\n{CANARY},{DIGITS}\nb,2\nTotal {CANARY},8675311\n{CANARY}\n",
    "codes.csv": f"name;code;price\n{CANARY};0{DIGITS};{DIGITS},50 €\nx;02;1,00 €\n",
    "odd.csv": "name,n,day\n"
    + "".join(f"k{n},{n},2026-01-02\n" for n in range(30))
    + f"z,{CANARY},{CANARY}\n",
    "mixed.csv": f"name,n\na,1\nb,{CANARY}\nc,3\nd,{CANARY} 2\n",
    "bare.csv": f"{DIGITS},1\n{DIGITS},2\n",
    "groups.csv": f"name,a,b\n{CANARY}\nx,1,2\ny,3,4\nv,5,6\nw,7,8\n",
    "over.csv": f"Customer:;{CANARY}\nname;amount;pieces\nx;1;2\ny;3;4\n",
    "fields.csv": f"Customer:;{CANARY};\nNumber:;{DIGITS};\nname;amount;pieces\nx;1;2\ny;3;4\n",
    "o.json": f'{{"who": "{CANARY}", "n": {DIGITS}, "list": ["{CANARY}"]}}',
    "map.json": f'{{"{CANARY}@example.org": 1, "b@example.org": {DIGITS}}}',
    "people.json": json.dumps({name: {"age": 1} for name in (CANARY, "Anna", "Ben")}),
    "r.json": f'[{{"name": "{CANARY}", "n": {DIGITS}}}]',
    "l.jsonl": f'{{"name": "{CANARY}"}}\n{{"name": "b", "n": {DIGITS}}}\n',
    "g.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [{"geometry": {"type": CANARY}, "properties": {"name": CANARY}}],
        }
    ),
    "n.ipynb": json.dumps(
        {
            "nbformat": 4,
            "metadata": {"kernelspec": {"language": CANARY}},
            "cells": [
                {"cell_type": CANARY},
                {"cell_type": "code", "source": f"x = '{CANARY}'", "outputs": []},
            ],
        }
    ),
    "t.txt": f"Dear {CANARY},\nyour number is {DIGITS}.\n",
    "a.log": f"2026-03-02 10:00:00 INFO {CANARY}\n" * 5,
    "r.md": f"# {CANARY}\ntext\n",
    "p.html": f"<html><title>{CANARY}</title><body><table><tr><th>a</th><th>b</th></tr>"
    f"<tr><td>{CANARY}</td><td>{DIGITS}</td></tr><tr><td>b</td><td>2</td></tr></table></body></html>",
    "x.xml": f"<root><item>{CANARY}</item><item n='{DIGITS}'/></root>",
    "m.eml": f"From: {CANARY} <a@example.org>\nSubject: {CANARY}\n\n{CANARY}\n",
    "d.svg": f'<svg xmlns="http://www.w3.org/2000/svg" width="{CANARY}" height="9"><text>{CANARY}</text></svg>',
    "r.rtf": f"{{\\rtf1 {CANARY}}}",
    "broken.json": f'{{"{CANARY}": ',
    "c.ics": f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:{CANARY}\nEND:VEVENT\nEND:VCALENDAR\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


def schema(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return "\n".join(profile(folder, name).schema)


def is_silent(text: str) -> bool:
    """However its marks are set, the number is no part of it."""
    return CANARY.lower() not in text.lower() and DIGITS not in re.sub(r"[\s.,'’]", "", text)


@pytest.mark.parametrize("name", LEAKY)
def test_a_schema_holds_no_value_of_the_file(folder: Path, name: str) -> None:
    assert is_silent(schema(folder, name, LEAKY[name].encode()))


QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(
    report=reports(
        texts=[CANARY, f"{CANARY} GmbH"], titles=[f"{CANARY} report"], notes=[CANARY], cents=AMOUNTS
    ),
    data=st.data(),
)
def test_a_schema_of_a_report_holds_no_value(folder: Path, report: Report, data: st.DataObject) -> None:
    for name, content in (("report.csv", data.draw(as_csv(report))), ("report.xlsx", as_xlsx(report))):
        found = schema(folder, name, content)

        assert is_silent(found)
        assert all(f"- {column}: " in found for column in report.sums)


CELLS = st.one_of(
    WORDS,
    AMOUNTS.map(str),
    AMOUNTS.map("0{}".format),
    AMOUNTS.map("{} €".format),
    AMOUNTS.map("({})".format),
    AMOUNTS.map("{}-".format),
    st.sampled_from(
        ["", "n/a", "-", "yes", "01.02.2026", "2026-02-03", "12:30", "#REF!", "NA", "1.234", "7"]
    ),
)


@QUIET
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=12), st.sampled_from(";\t|"))
def test_a_schema_of_any_cells_holds_no_value(folder: Path, lines: list[list[str]], delimiter: str) -> None:
    head = delimiter.join(["item", "amount", "note"])
    # A row of numbers keeps the first line the only one that can be names.
    rows = [delimiter.join(line) for line in [["1", "2", "3"], *lines]]

    assert is_silent(schema(folder, "cells.csv", "\n".join([head, *rows]).encode()))


VALUES = st.recursive(
    st.one_of(WORDS, AMOUNTS, AMOUNTS.map(float), st.none(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["id", "name", "items", "x"]), inner)
    ),
    max_leaves=20,
)


@QUIET
@given(VALUES, st.sampled_from(["v.json", "v.jsonl", "v.txt", "v.geojson", "v.ipynb"]))
def test_a_schema_of_any_json_holds_no_value(folder: Path, value: Any, name: str) -> None:
    for shape in (value, [value, value], {"type": "FeatureCollection", "features": value}, {"cells": value}):
        assert is_silent(schema(folder, name, json.dumps(shape).encode()))
