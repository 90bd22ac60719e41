"""Profiles of spreadsheets as messy as people send them, made in the real image."""

from collections.abc import Iterator

import pytest

from tests.guest.box import ROOT, Box, open_box
from tests.guest.sheets import row, workbook

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "umsatz.csv",
            "encoding cp1252 (guessed), separator semicolon, decimal mark “,”, thousands mark “.”",
        ),
        ("umsatz.csv", "the header is row 4 (above it: “Umsätze nach Kunden”, “Stand: 01.03.2026”)"),
        (
            "umsatz.csv",
            "2 total rows, not to be added up with the rest: row 8 “Zwischensumme”, row 12 “Gesamt”",
        ),
        ("umsatz.csv", "below the data: row 14 “Quelle: Buchhaltung”"),
        ("umsatz.csv", "“PLZ”: leading zeros (“01067”): read it as text"),
        ("umsatz.csv", "“Stück”: “1.200” is taken for 1,200 as the rest suggests; it could be 1.2"),
        (
            "quarters.xlsx",
            "the header is row 4 (above it: “Sales report”, “All amounts in EUR, created 2026-03-02”)",
        ),
        (
            "quarters.xlsx",
            "2 total rows, not to be added up with the rest: row 9 “Subtotal North”, row 14 “Grand total”",
        ),
        ("hidden.xlsx", "“Rates” (hidden): 3 rows × 2 columns"),
        ("hidden.xlsx", "“Internal” (very hidden): 2 rows × 2 columns"),
        ("hidden.xlsx", "2 hidden rows, read by pandas all the same: row 3–4"),
        ("hidden.xlsx", "hidden columns: D"),
        ("hidden.xlsx", "1 merged range, only the first cell of each has the value: B4:B6"),
        ("hidden.xlsx", "5 formulas without a stored value, read as missing: E2, E3, E4, E5 and 1 more"),
        ("hidden.xlsx", "“Rate”: error values: #REF! × 1, #DIV/0! × 1"),
        ("texts.xlsx", "“Kundennr.”: people see these numbers with leading zeros: .astype(str).str.zfill(5)"),
        ("mixed.xlsx", "“Code”: mixed types: 2 numbers, 1 dates, 2 text such as “A2”, “B9”"),
        ("mixed.xlsx", "another table seems to begin at row 9"),
        ("macro.xlsm", "Excel workbook with macros: 1 sheet"),
        ("export.xls", "A web page (HTML), not an Excel file, whatever its name says"),
        ("report.xls", "Text table: 2 data rows × 2 columns; encoding utf-8, separator tab"),
        ("unicode.tsv", "encoding utf-16, separator tab"),
        ("dates.csv", "“day”: dates like “03/04/2026”: day or month first? Nothing in the file tells"),
        ("dates.csv", 'parse_dates=["paid"], date_format="%m/%d/%Y"'),
        ("currencies.csv", "“Price”: numbers carry “$”"),
        ("currencies.csv", "“Change”: negative numbers are written like “(5.00)”"),
        ("ids.csv", "“id”: more than 15 digits"),
        ("ids.csv", "“NA” is a code here"),
        ("legacy.xls", "“Notizen” (hidden): 1 row × 1 column"),
        ("legacy.xls", "1 hidden row, read by pandas all the same: row 5"),
        ("open.ods", "“Geheim” (hidden): 1 row × 1 column"),
        ("open.ods", "1 hidden row (a filter is set), read by pandas all the same: row 7"),
        ("orders.parquet", "Parquet table: 6 rows × 5 columns"),
        ("orders.parquet", "01067 | Dresden | 2026-02-03 | 1234.56 | 12"),
        ("events.jsonl", "JSON Lines: 6 lines"),
        (
            "bericht.xls",
            "2 total rows, not to be added up with the rest: row 6 “Zwischensumme”, row 10 “Gesamt”",
        ),
        ("mac.csv", "encoding mac_roman (guessed)"),
        ("ventes.csv", "encoding utf-8-sig, separator semicolon, decimal mark “,”, thousands mark “ ”"),
        ("ledger.csv", "71 total rows"),
        (
            "plan.xlsx",
            "the header takes 2 rows: the upper ones group the columns: “Q1” from “Plan” on, “Q2” from “Plan.1” on",
        ),
        ("plan.xlsx", "under the names 1 more row without data: TEUR | TEUR | TEUR | TEUR"),
    ],
)
def test_the_profile_names_the_trap(box: Box, name: str, told: str) -> None:
    profile = box.profile(name)

    assert profile["kind"] == "table"
    assert told in profile["text"]


def test_a_workbook_that_is_only_protected_against_changes_is_read(box: Box) -> None:
    assert box.profile("protected.xlsx")["kind"] == "table"


@pytest.mark.parametrize("name", ["locked.xlsx", "locked.xls", "locked.zip", "locked.pdf"])
def test_a_password_is_recognised(box: Box, name: str) -> None:
    profile = box.profile(name)

    assert profile["kind"] == "encrypted"
    assert "protected with a password" in profile["text"]


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
@pytest.mark.parametrize(
    "name", ["quarters.xlsx", "legacy.xls", "open.ods", "orders.parquet", "locked.pdf", "locked.xlsx"]
)
def test_a_file_that_is_cut_off_is_said_to_be_broken(box: Box, name: str, cut: float) -> None:
    data = (ROOT / "tests/data/tables" / name).read_bytes()

    profile = box.profile_of(f"cut-{name}", data[: int(len(data) * cut)])

    assert profile["kind"] in {"broken", "encrypted"}
    assert profile["text"].count("\n") == 0


def test_text_and_schema_keep_their_length(box: Box) -> None:
    names = [f"a rather long name of a column, number {n}" for n in range(300)]
    rows = "\n".join(",".join('"' + "value " * 20 + f'{n}"' for n in range(300)) for _ in range(20))

    profile = box.profile_of("long.csv", (",".join(f'"{name}"' for name in names) + "\n" + rows).encode())

    assert len(profile["text"]) <= 2500
    assert len(profile["schema"]) <= 1500


def test_code_for_hundreds_of_columns_does_not_push_out_the_rest(box: Box) -> None:
    names = ",".join(f"code of a product number {n}" for n in range(200))
    rows = "\n".join(",".join(f"0{n}{row}" for n in range(200)) for row in range(5))

    text = box.profile_of("codes.csv", f"{names}\n{rows}\n".encode())["text"]

    assert "“code of a product number 3” and 196 more: leading zeros: read it as text" in text
    assert "code of a product number 0: digits, keep as text" in text


def test_hidden_sheets_are_named_however_many_there_are(box: Box) -> None:
    sheets = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, 200))
    sheets += '<sheet name="Secret" sheetId="200" state="hidden" r:id="r1"/>'

    text = box.profile_of("many.xlsx", workbook(row("a", "b") + row("x", 1), sheets=sheets))["text"]

    assert "Excel workbook: 200 sheets" in text
    assert "and 180 more, of which hidden: “Secret”" in text


def test_fields_above_a_table_are_not_its_names(box: Box) -> None:
    text = box.profile_of("f.csv", b"Customer:;Acme;\nNumber:;4711;\nname;amount;pieces\nx;1;2\ny;3;4\n")[
        "text"
    ]

    assert "the header is row 3 (above it: “Customer: | Acme”, “Number: | 4711”)" in text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "exported.csv",
            "<html><table><tr><th>a<th>b<tr><td>1<td>2</table>",
            "A web page (HTML), not a text table",
        ),
        ("exported.xlsx", "a,b\n1,2\n3,4\n", "Text table: 2 data rows × 2 columns"),
        ("column.csv", "amount\n1,5\n2,25\n", "Text table: 2 data rows × 1 column"),
        ("classic.csv", "a;b\r1;2\r3;4\r", "Text table: 2 data rows × 2 columns"),
        ("zeros.csv", "a,b\n1,\0" + "2\n3,4\n", "Text table: 2 data rows × 2 columns"),
        ("hollow.csv", "a;b\n1;2\n;\n3;4\n;\nSource: books;\n", "skiprows=[2, 4, 5]"),
        ("euro.csv", "City;Price\nKöln;12,50 €\nRom;9,00 €\n", "“Price”: numbers carry “€”"),
        ("one.csv", ",,,\n,,,\n", "The file holds blank cells only"),
    ],
)
def test_odd_tables_are_read(box: Box, name: str, content: str, told: str) -> None:
    assert told in box.profile_of(name, content.encode("cp1252"))["text"]
