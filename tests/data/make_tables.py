# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "fastparquet==2026.9.0", "lxml==6.1.3", "msoffcrypto-tool==6.1.0", "odfpy==1.4.1", "openpyxl==3.1.5",
#     "pandas==2.3.3", "pypdf[crypto]==6.21.4", "xlwt==1.3.0",
# ]
# ///
# ruff: noqa: DTZ001  # spreadsheets know no time zones
"""Write tests/data/tables: spreadsheets as messy as people send them, and their right sums in sums.json.

The same bytes each time. Run it in an environment of its own: `uv run tests/data/make_tables.py`.
"""

import io
import json
import random
import re
import secrets
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path

import msoffcrypto
import openpyxl
import pandas as pd
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from msoffcrypto.method.container import ecma376_encrypted
from odf import opendocument, style, table, text
from openpyxl.workbook.protection import WorkbookProtection
from pypdf import PdfWriter

FOLDER = Path(__file__).parent / "tables"
MOMENT = (2026, 3, 2, 12, 0, 0)
PASSWORD = "geheim"
SUMS: dict[str, dict[str, float | int | str]] = {}

ORDERS = [
    ("01067", "Dresden", date(2026, 2, 3), 1234.56, 12),
    ("04109", "Leipzig", date(2026, 2, 4), 987.10, 3),
    ("10115", "Berlin", date(2026, 2, 5), 12000.00, 1200),
    ("80331", "München", date(2026, 2, 16), -50.00, 2),
    ("20095", "Hamburg", date(2026, 2, 17), 7450.25, 41),
    ("06108", "Halle (Saale)", date(2026, 2, 28), 310.00, 8),
]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    # Salts and keys of encrypted files come from here; they need not be secret.
    secrets.token_bytes = random.Random(2026).randbytes
    ecma376_encrypted.datetime2filetime = lambda _: 134_168_256_000_000_000
    for name, make in FILES.items():
        (FOLDER / name).write_bytes(make())
    (FOLDER / "sums.json").write_text(json.dumps(SUMS, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def german(value: float, decimals: int = 2) -> str:
    return f"{value:,.{decimals}f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def lines(rows: Iterable[Iterable[object]], separator: str = ";", end: str = "\r\n") -> str:
    return "".join(separator.join(map(str, row)) + end for row in rows)


def german_csv() -> bytes:
    SUMS["umsatz.csv"] = {
        "rows": 6,
        "column": "Umsatz",
        "sum": 21931.91,
        "text": "PLZ",
        "first_text": "01067",
    }
    rows = [
        (plz, ort, f"{day:%d.%m.%Y}", german(amount), german(pieces, 0))
        for plz, ort, day, amount, pieces in ORDERS
    ]
    head = [("Umsätze nach Kunden",), ("Stand: 01.03.2026",), (), ("PLZ", "Ort", "Datum", "Umsatz", "Stück")]
    half = ("Zwischensumme", "", "", german(14221.66), german(1215, 0))
    total = ("Gesamt", "", "", german(21931.91), german(1266, 0))
    return lines([*head, *rows[:3], half, *rows[3:], total, (), ("Quelle: Buchhaltung",)]).encode("cp1252")


def titled_workbook() -> bytes:
    """The header in row 4, two total rows."""
    SUMS["quarters.xlsx"] = {
        "rows": 8,
        "column": "Revenue",
        "sum": 36000,
        "text": "Region",
        "first_text": "North",
    }
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales 2026"
    sheet.append(["Sales report"])
    sheet.append(["All amounts in EUR, created 2026-03-02"])
    sheet.append([])
    sheet.append(["Region", "Month", "Units", "Revenue"])
    months = ["January", "February", "March", "April"]
    for number, month in enumerate(months, 1):
        sheet.append(["North", month, 10 * number, 1000.0 * number])
    sheet.append(["Subtotal North", None, 100, 10000.0])
    for number, month in enumerate(months, 1):
        sheet.append(["South", month, 20 * number, 2600.0 * number])
    sheet.append(["Grand total", None, 300, 36000.0])
    sheet.merge_cells("A1:D1")
    return saved(book)


def hidden_workbook() -> bytes:
    """A hidden sheet, merged cells, formulas without values, error cells, hidden rows and columns."""
    SUMS["hidden.xlsx"] = {"rows": 5, "column": "Hours", "sum": 87.5, "text": "Name", "first_text": "Ada"}
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Hours"
    for row in [
        ("Name", "Team", "Hours", "Rate", "Pay"),
        ("Ada", "Red", 40, 55.0, "=C2*D2"),
        ("Ben", "Red", 12.5, 48.0, "=C3*D3"),
        ("Cem", "Blue", 8, "#REF!", "=C4*D4"),
        ("Dia", "Blue", 20, 61.0, "=C5*D5"),
        ("Eva", "Blue", 7, "#DIV/0!", "=C6*D6"),
    ]:
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["D"].hidden = True
    sheet.merge_cells("B4:B6")
    rates = book.create_sheet("Rates")
    rates.append(["Team", "Rate"])
    rates.append(["Red", 1.1])
    rates.append(["Blue", 0.9])
    rates.sheet_state = "hidden"
    deep = book.create_sheet("Internal")
    deep.append(["Key", "Value"])
    deep.append(["a", 1])
    deep.sheet_state = "veryHidden"
    return saved(book)


def texts_workbook() -> bytes:
    """Numbers as text with German marks, postcodes as text and by format, text dates, a table away from the corner."""
    SUMS["texts.xlsx"] = {
        "rows": 6,
        "column": "Umsatz",
        "sum": 21931.91,
        "text": "PLZ",
        "first_text": "01067",
    }
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Tabelle1"
    for position, name in enumerate(("PLZ", "Ort", "Datum", "Umsatz", "Kundennr."), 2):
        sheet.cell(3, position, name)
    for number, (plz, ort, day, amount, pieces) in enumerate(ORDERS, 4):
        for position, value in enumerate((plz, ort, f"{day:%d.%m.%Y}", german(amount), pieces), 2):
            sheet.cell(number, position, value)
        sheet.cell(number, 6).number_format = "00000"
    sheet.cell(10, 2, "Summe")
    sheet.cell(10, 5, german(21931.91))
    return saved(book)


def mixed_workbook() -> bytes:
    """One column of numbers, texts and dates; dates as dates; two tables in one sheet."""
    SUMS["mixed.xlsx"] = {"rows": 5, "column": "Amount", "sum": 250, "text": "Item", "first_text": "Desk"}
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Mixed"
    for row in [
        ("Item", "Bought", "Amount", "Code"),
        ("Desk", datetime(2026, 1, 5), 100, 1),
        ("Chair", datetime(2026, 1, 6), 50, "A2"),
        ("Lamp", datetime(2026, 1, 7), 25, datetime(2026, 3, 1)),
        ("Shelf", datetime(2026, 1, 8), 60, 17),
        ("Mat", datetime(2026, 1, 9), 15, "B9"),
        (),
        (),
        ("Person", "Age", "City"),
        ("Ann", 31, "Rome"),
        ("Bob", 45, "Oslo"),
        ("Cid", 27, "Bern"),
    ]:
        sheet.append(row)
    return saved(book)


def grouped_workbook() -> bytes:
    """Names in two rows, the upper one merged over groups, and units below them."""
    SUMS["plan.xlsx"] = {"rows": 4, "column": "Actual.1", "sum": 110, "text": "Region", "first_text": "North"}
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Plan"
    for row in [
        (None, "Q1", None, "Q2", None),
        ("Region", "Plan", "Actual", "Plan", "Actual"),
        (None, "TEUR", "TEUR", "TEUR", "TEUR"),
        ("North", 10, 12, 20, 21.5),
        ("South", 20, 19, 30, 28.5),
        ("East", 15, 15, 25, 26),
        ("West", 30, 31, 35, 34),
        ("Total", 75, 77, 110, 110),
    ]:
        sheet.append(row)
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")
    return saved(book)


def macro_workbook() -> bytes:
    SUMS["macro.xlsm"] = {"rows": 2, "column": "b", "sum": 6, "text": "a", "first_text": "x"}
    book = openpyxl.Workbook()
    for row in [("a", "b"), ("x", 2), ("y", 4)]:
        book.active.append(row)
    packed = zipfile.ZipFile(io.BytesIO(saved(book)))
    parts = {name: packed.read(name) for name in packed.namelist()}
    types = parts["[Content_Types].xml"].decode()
    parts["[Content_Types].xml"] = (
        types.replace("sheet.main+xml", "sheet.macroEnabled.main+xml", 1)
        .replace(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.macroEnabled.main",
            "application/vnd.ms-excel.sheet.macroEnabled.main",
        )
        .encode()
    )
    parts["xl/vbaProject.bin"] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return zipped(parts)


def locked_workbook() -> bytes:
    """Encrypted as Excel does it: a compound file around the encrypted package."""
    plain = io.BytesIO(titled_workbook())
    file = msoffcrypto.OfficeFile(plain)
    assert isinstance(file, OOXMLFile)
    into = io.BytesIO()
    file.encrypt(PASSWORD, into)
    return into.getvalue()


def protected_workbook() -> bytes:
    """Protected against changes only: everybody can read it."""
    SUMS["protected.xlsx"] = {"rows": 2, "column": "b", "sum": 6, "text": "a", "first_text": "x"}
    book = openpyxl.Workbook()
    for row in [("a", "b"), ("x", 2), ("y", 4)]:
        book.active.append(row)
    book.security = WorkbookProtection(workbookPassword="ABCD", lockStructure=True)
    book.active.protection.sheet = True
    return saved(book)


def locked_zip() -> bytes:
    """The old encryption of zip, by hand: the standard library only reads it."""
    data = b"name,amount\nAnna,1\n"
    keys = [0x12345678, 0x23456789, 0x34567890]
    crcs = [_crc(number) for number in range(256)]

    def update(byte: int) -> None:
        keys[0] = (keys[0] >> 8) ^ crcs[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ crcs[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    def encrypted(plain: bytes) -> bytes:
        out = bytearray()
        for byte in plain:
            mask = (keys[2] | 2) & 0xFFFF
            out.append(byte ^ (((mask * (mask ^ 1)) >> 8) & 0xFF))
            update(byte)
        return bytes(out)

    for byte in PASSWORD.encode():
        update(byte)
    crc = zlib.crc32(data)
    body = encrypted(b"plotlineabc" + bytes([crc >> 24]) + data)
    name = b"secret.csv"
    fixed = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0x6000, 0x5C62, crc, len(body), len(data), len(name), 0)
    local = b"PK\3\4" + fixed + name + body
    central = b"PK\1\2" + struct.pack("<H", 20) + fixed + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _crc(number: int) -> int:
    for _ in range(8):
        number = (number >> 1) ^ 0xEDB88320 if number & 1 else number >> 1
    return number


def locked_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt(PASSWORD, algorithm="RC4-128")
    into = io.BytesIO()
    writer.write(into)
    return into.getvalue()


def html_named_xls() -> bytes:
    """What many web applications call an export to Excel."""
    SUMS["export.xls"] = {"rows": 3, "column": "Amount", "sum": 63.5, "text": "Zip", "first_text": "02134"}
    rows = "".join(
        f"<tr><td>{zip_code}</td><td>{city}</td><td>{amount}</td></tr>\n"
        for zip_code, city, amount in [
            ("02134", "Allston", "20.50"),
            ("90210", "Beverly Hills", "30.00"),
            ("10001", "New York", "13.00"),
        ]
    )
    return (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="utf-8"></head><body>\n'
        f"<table border=1><tr><th>Zip</th><th>City</th><th>Amount</th></tr>\n{rows}</table></body></html>\n"
    ).encode()


def german_html_named_xls() -> bytes:
    """The same in German, with a title above and sums inside."""
    SUMS["bericht.xls"] = {
        "rows": 6,
        "column": "Umsatz",
        "sum": 21931.91,
        "text": "PLZ",
        "first_text": "01067",
    }
    rows = [(plz, ort, german(amount), german(pieces, 0)) for plz, ort, _, amount, pieces in ORDERS]
    table = [
        ("Umsätze nach Kunden", "", "", ""),
        ("PLZ", "Ort", "Umsatz", "Stück"),
        *rows[:3],
        ("Zwischensumme", "", german(14221.66), german(1215, 0)),
        *rows[3:],
        ("Gesamt", "", german(21931.91), german(1266, 0)),
    ]
    lines_of_html = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in table)
    menu = "<table><tr><td>Start</td><td>Berichte</td></tr></table>\n"
    return f"<html><body>\n<table></table>{menu}<table>{lines_of_html}</table></body></html>\n".encode(
        "cp1252"
    )


def csv_named_xls() -> bytes:
    SUMS["report.xls"] = {"rows": 2, "column": "amount", "sum": 30.75, "text": "name", "first_text": "Anna"}
    return b"name\tamount\nAnna\t10.25\nBob\t20.50\n"


def utf16_tsv() -> bytes:
    """What Excel saves as Unicode text."""
    SUMS["unicode.tsv"] = {"rows": 3, "column": "数量", "sum": 60, "text": "商品", "first_text": "りんご"}
    rows = [("商品", "数量", "価格"), ("りんご", 10, "¥120"), ("みかん", 20, "¥80"), ("ぶどう", 30, "¥1,450")]
    return lines(rows, "\t").encode("utf-16")


def mac_csv() -> bytes:
    """As an old Mac writes it: lines end with a carriage return."""
    SUMS["mac.csv"] = {"rows": 6, "column": "Umsatz", "sum": 21931.91, "text": "PLZ", "first_text": "01067"}
    rows = [(plz, ort, f"{amount:.2f}".replace(".", ",")) for plz, ort, _, amount, _ in ORDERS]
    return lines([("PLZ", "Ort", "Umsatz"), *rows, ("Gesamt", "", "21931,91")], ";", "\r").encode("mac_roman")


def french_csv() -> bytes:
    """Narrow blanks between thousands, a mark at the start, lines of delimiters only."""
    SUMS["ventes.csv"] = {
        "rows": 6,
        "column": "Montant",
        "sum": 21931.91,
        "text": "Code",
        "first_text": "01067",
    }
    rows = [(plz, ort, f"{german(amount).replace('.', chr(0x202F))} €") for plz, ort, _, amount, _ in ORDERS]
    total = ("Total général", "", "21\u202f931,91 €")
    table = [("Code", "Ville", "Montant"), *rows[:3], ("", "", ""), *rows[3:], ("", "", ""), total]
    return lines(table).encode("utf-8-sig")


def ledger() -> bytes:
    """More sums than can be named, and cells of several lines."""
    rows: list[tuple[object, ...]] = [("Account", "Note", "Amount")]
    total = 0.0
    for account in range(70):
        amounts = [round(100 + account * 7.25, 2), round(50.5 + account, 2)]
        for amount in amounts:
            rows.append((f"{1000 + account}", '"first line\nsecond line"', f'"{amount:,.2f}"'))
        rows.append(("Subtotal", "", f'"{sum(amounts):,.2f}"'))
        total += sum(amounts)
    rows.append(("Grand total", "", f'"{total:,.2f}"'))
    SUMS["ledger.csv"] = {
        "rows": 140, "column": "Amount", "sum": round(total, 2), "text": "Account", "first_text": "1000",
    }  # fmt: skip
    return lines(rows, ",", "\n").encode()


def ambiguous_dates() -> bytes:
    SUMS["dates.csv"] = {"rows": 4, "column": "amount", "sum": 100, "text": "name", "first_text": "Anna"}
    rows = [
        ("name", "day", "paid", "amount"),
        ("Anna", "03/04/2026", "04/13/2026", 10),
        ("Bob", "05/06/2026", "04/14/2026", 20),
        ("Cleo", "07/08/2026", "05/01/2026", 30),
        ("Dan", "01/02/2026", "05/02/2026", 40),
    ]
    return lines(rows, ",", "\n").encode()


def currencies() -> bytes:
    """Units, brackets, a minus behind, words among numbers."""
    SUMS["currencies.csv"] = {
        "rows": 6,
        "column": "Price",
        "sum": 4999.5,
        "text": "Item",
        "first_text": "Desk",
    }
    rows = [
        ("Item", "Price", "Change", "Share", "Count"),
        ("Desk", '"$1,234.50"', "(5.00)", "12.5 %", "3"),
        ("Chair", "$99.00", "3.00", "7.5 %", "n/a"),
        ("Lamp", '"$2,000.00"', "2.00-", "80 %", "-"),
        ("Shelf", "$650.00", "1.50", "0 %", "7"),
        ("Mat", "$16.00", "−4.25", "0 %", "5"),
        ("Sofa", '"$1,000.00"', "0.00", "0 %", "k. A."),
    ]
    return lines(rows, ",", "\n").encode()


def ids() -> bytes:
    """Long numbers, codes, Namibia, an index column without a name, a trailing separator."""
    SUMS["ids.csv"] = {"rows": 4, "column": "amount", "sum": 10, "text": "iso", "first_text": "DE"}
    rows = [
        ("id", "iso", "amount", "tag"),
        ("4015000000000000123", "DE", 1, "1.2.3"),
        ("4015000000000000124", "NA", 2, "1.2.4"),
        ("4015000000000000125", "FR", 3, "2.0.1"),
        ("4015000000000000126", "IT", 4, "2.0.2"),
    ]
    return lines(rows, ",", "\n").encode()


def old_workbook() -> bytes:
    SUMS["legacy.xls"] = {
        "rows": 6,
        "column": "Umsatz",
        "sum": 21931.91,
        "text": "PLZ",
        "first_text": "01067",
    }
    book = xlwt.Workbook()
    sheet = book.add_sheet("Umsätze")
    shown_as_date = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    sheet.write_merge(0, 0, 0, 4, "Umsätze nach Kunden")
    for position, name in enumerate(("PLZ", "Ort", "Datum", "Umsatz", "Stück")):
        sheet.write(2, position, name)
    for number, row in enumerate(ORDERS, 3):
        for position, value in enumerate(row):
            sheet.write(
                number,
                position,
                value,
                shown_as_date if isinstance(value, date) else xlwt.Style.default_style,
            )
    sheet.write(9, 0, "Gesamt")
    sheet.write(9, 3, 21931.91)
    sheet.row(4).hidden = True
    notes = book.add_sheet("Notizen")
    notes.write(0, 0, "nur intern")
    notes.visibility = 1
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def locked_old_workbook() -> bytes:
    """The record behind the first one of the workbook says that the rest is encrypted, [MS-XLS] 2.4.117."""
    data = bytearray(old_workbook())
    first = data.index(b"\x09\x08\x10\x00")
    data[first + 20 : first + 22] = b"\x2f\x00"
    return bytes(data)


def open_workbook() -> bytes:
    SUMS["open.ods"] = {"rows": 6, "column": "Umsatz", "sum": 21931.91, "text": "PLZ", "first_text": "01067"}
    document = opendocument.OpenDocumentSpreadsheet()
    invisible = style.Style(name="ta_hidden", family="table")
    invisible.addElement(style.TableProperties(display="false"))
    document.automaticstyles.addElement(invisible)
    sheet = table.Table(name="Umsätze")

    def row(values: Iterable[object], **attributes: object) -> None:
        line = table.TableRow(**attributes)
        for value in values:
            if isinstance(value, date):
                cell = table.TableCell(valuetype="date", datevalue=value.isoformat())
            elif isinstance(value, int | float):
                cell = table.TableCell(valuetype="float", value=value)
            else:
                cell = table.TableCell(valuetype="string") if value else table.TableCell()
            if value is not None:
                cell.addElement(text.P(text=str(value)))
            line.addElement(cell)
        sheet.addElement(line)

    row(["Umsätze nach Kunden"])
    row([None], numberrowsrepeated=2)
    row(["PLZ", "Ort", "Datum", "Umsatz", "Stück"])
    for number, values in enumerate(ORDERS):
        row(values, **({"visibility": "filter"} if number == 2 else {}))
    row(["Gesamt", None, None, 21931.91, 1266])
    row([None], numberrowsrepeated=1_048_565)
    document.spreadsheet.addElement(sheet)
    other = table.Table(name="Geheim", stylename=invisible)
    line = table.TableRow()
    line.addElement(table.TableCell(valuetype="float", value=1))
    other.addElement(line)
    document.spreadsheet.addElement(other)
    into = io.BytesIO()
    document.write(into)
    return repacked(into.getvalue())


def parquet() -> bytes:
    SUMS["orders.parquet"] = {
        "rows": 6,
        "column": "amount",
        "sum": 21931.91,
        "text": "plz",
        "first_text": "01067",
    }
    frame = pd.DataFrame(
        {
            "plz": [row[0] for row in ORDERS],
            "city": [row[1] for row in ORDERS],
            "day": pd.to_datetime([row[2] for row in ORDERS]),
            "amount": [row[3] for row in ORDERS],
            "pieces": [row[4] for row in ORDERS],
        }
    )
    path = FOLDER / "orders.parquet"
    frame.to_parquet(path, engine="fastparquet")
    return path.read_bytes()


def json_lines() -> bytes:
    SUMS["events.jsonl"] = {
        "rows": 6,
        "column": "amount",
        "sum": 21931.91,
        "text": "plz",
        "first_text": "01067",
    }
    return "".join(
        json.dumps(
            {"plz": plz, "city": city, "day": day.isoformat(), "amount": amount, "more": {"pieces": pieces}},
            ensure_ascii=False,
        )
        + "\n"
        for plz, city, day, amount, pieces in ORDERS
    ).encode()


def nested_json() -> bytes:
    SUMS["orders.json"] = {
        "rows": 6,
        "column": "sum.net",
        "sum": 21931.91,
        "text": "plz",
        "first_text": "01067",
    }
    orders = [
        {"plz": plz, "city": city, "sum": {"net": amount, "pieces": pieces}}
        for plz, city, _, amount, pieces in ORDERS
    ]
    return (json.dumps(orders, ensure_ascii=False, indent=1) + "\n").encode("utf-8-sig")


def saved(book: openpyxl.Workbook) -> bytes:
    book.properties.created = book.properties.modified = datetime(*MOMENT)
    into = io.BytesIO()
    book.save(into)
    return repacked(into.getvalue())


def repacked(data: bytes) -> bytes:
    """Without the time at which it was packed."""
    packed = zipfile.ZipFile(io.BytesIO(data))
    parts = {name: packed.read(name) for name in packed.namelist()}
    if "docProps/core.xml" in parts:
        # openpyxl puts the present time there when it saves.
        parts["docProps/core.xml"] = re.sub(
            rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2026-03-02T12:00:00Z", parts["docProps/core.xml"]
        )
    return zipped(parts)


def zipped(parts: dict[str, bytes]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, MOMENT)
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return into.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "umsatz.csv": german_csv,
    "quarters.xlsx": titled_workbook,
    "hidden.xlsx": hidden_workbook,
    "texts.xlsx": texts_workbook,
    "mixed.xlsx": mixed_workbook,
    "macro.xlsm": macro_workbook,
    "locked.xlsx": locked_workbook,
    "protected.xlsx": protected_workbook,
    "locked.zip": locked_zip,
    "locked.pdf": locked_pdf,
    "export.xls": html_named_xls,
    "report.xls": csv_named_xls,
    "unicode.tsv": utf16_tsv,
    "dates.csv": ambiguous_dates,
    "currencies.csv": currencies,
    "ids.csv": ids,
    "legacy.xls": old_workbook,
    "open.ods": open_workbook,
    "orders.parquet": parquet,
    "events.jsonl": json_lines,
    "orders.json": nested_json,
    "bericht.xls": german_html_named_xls,
    "mac.csv": mac_csv,
    "ventes.csv": french_csv,
    "ledger.csv": ledger,
    "plan.xlsx": grouped_workbook,
    "locked.xls": locked_old_workbook,
}

if __name__ == "__main__":
    main()
