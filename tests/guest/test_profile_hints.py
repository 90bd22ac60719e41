"""The line of pandas in a profile reads what people would add up by hand."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guest.box import Box, open_box
from tests.guest.reports import Report, as_csv, as_xlsx, reports

pytestmark = pytest.mark.docker

SUMS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/tables/sums.json").read_text()
)
AFTERWARDS = """
numbers, texts = df[{column!r}], df[{text!r}]
value = {{"rows": len(df), "sum": round(float(numbers.sum()), 6), "first_text": str(texts.iloc[0])}}
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as opened:
        yield opened


def hint(text: str) -> str:
    """The code of the first table that a profile describes."""
    found = re.search(r"(?:^Read: .*\n)+", text + "\n", re.MULTILINE)
    assert found, text
    return found[0].replace("Read: ", "")


@pytest.mark.parametrize("part", ["text", "schema"])
@pytest.mark.parametrize("name", SUMS)
def test_the_hint_reads_the_known_sums(box: Box, name: str, part: str) -> None:
    facts = SUMS[name]
    code = "import warnings; warnings.simplefilter('error'); import json, pandas as pd\n"

    found = box.run(code + hint(box.profile(name)[part]) + AFTERWARDS.format(**facts), "/data/tables")

    assert found == {key: facts[key] for key in ("rows", "sum", "first_text")}


def test_a_sum_over_a_column_that_needs_cleaning_is_right(box: Box) -> None:
    code = "import pandas as pd\n" + hint(box.profile("currencies.csv")["text"])

    found = box.run(
        code + "value = [float(df[name].sum()) for name in ('Change', 'Share', 'Count')]", "/data/tables"
    )

    assert found == [-6.75, 100.0, 15.0]


@pytest.mark.parametrize(
    ("content", "total"),
    [
        (b"name,amount\nx,1\0002\ny,3\n", 15),
        (b"name;amount\n;\nx;12\n;\ny;3\n;\nSource;\n", 15),
        (b"name,amount\n" + b"x,1\n,\n" * 100 + b"y,3\n", 103),
        ("name;amount\nx;1\u202f200,50\ny;3,00\n".encode(), 1203.5),
        (b"name;amount\nx;1'200.50\ny;3.00\n", 1203.5),
        (b"Customer:;Acme;\nNumber:;4711;\nname;city;amount\nx;a;12\ny;b;3\n", 15),
        (gzip.compress(b"name|amount\nx|12\ny|3\n", mtime=0), 15),
    ],
)
def test_the_hint_reads_odd_text_tables(box: Box, content: bytes, total: float) -> None:
    code = "import io, pandas as pd\n" + hint(box.profile_of("odd.csv", content)["text"])

    assert box.run(code + "value = float(df['amount'].sum())") == total


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports(), data=st.data())
def test_the_hint_reads_the_sums_of_any_report(box: Box, report: Report, data: st.DataObject) -> None:
    csv = data.draw(as_csv(report))

    for name, content in (("report.csv", csv), ("report.xlsx", as_xlsx(report))):
        code = "import pandas as pd\n" + hint(box.profile_of(name, content)["text"])
        found = box.run(code + f"value = [len(df), *(float(df[name].sum()) for name in {list(report.sums)})]")

        assert found == pytest.approx([report.row_count, *report.sums.values()], abs=0.005)
