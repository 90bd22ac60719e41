"""What a workbook that was written holds."""

import io
import zipfile

from adapters.workbook import workbook


def sheet_of(made: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def test_numbers_in_a_workbook_are_numbers_and_formulas_are_not() -> None:
    sheet = sheet_of(workbook([("a", "b"), ("1.5", "=1+1"), ("007", "<&\x00>")]))

    assert '<c r="A2"><v>1.5</v></c>' in sheet
    assert '<c r="B2" t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c>' in sheet
    assert '<c r="A3" t="inlineStr"><is><t xml:space="preserve">007</t></is></c>' in sheet
    assert "&lt;&amp;&gt;" in sheet


def test_columns_beyond_the_alphabet_have_two_letters() -> None:
    sheet = sheet_of(workbook([[str(number) for number in range(28)]]))

    assert '<c r="Z1"><v>25</v></c><c r="AA1"><v>26</v></c><c r="AB1"><v>27</v></c>' in sheet


def test_a_workbook_is_the_same_each_time() -> None:
    rows = [("a", "b"), ("1", "2")]

    assert workbook(rows) == workbook(rows)
