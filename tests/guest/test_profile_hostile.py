"""Files made to take time or memory without end, and honest ones that are just large: each is answered in time."""

import bz2
import gzip
import io
import lzma
import random
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import pytest

from sandbox.guest.jobs.profiles.bounds import OutOfTime, limited_seconds
from tests.guest.box import ROOT, Box, open_box
from tests.guest.files import chunk, member, png, zipped
from tests.guest.sheets import row, rows, workbook
from tests.guest.test_profile_hints import hint

pytestmark = pytest.mark.docker

MEBIBYTE = 1024 * 1024
SECONDS = 3
"""From the question to the answer."""


@pytest.fixture(scope="module")
def opened_box() -> Iterator[Box]:
    with open_box() as opened:
        yield opened


@pytest.fixture
def box(opened_box: Box) -> Iterator[Box]:
    yield opened_box
    opened_box.clear()


def open_sheet(table: str) -> bytes:
    return zipped(
        mimetype="application/vnd.oasis.opendocument.spreadsheet",
        content__xml=f'<d xmlns:table="t" xmlns:office="o"><table:table table:name="A">{table}</table:table></d>',
    )


def pdf(content: bytes, pages: int = 8, filtered: bytes = b"") -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 4) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), filtered, content),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 3 0 R>>"] * pages,
    ]
    into = io.BytesIO(b"%PDF-1.4\n")
    into.seek(0, io.SEEK_END)
    places = []
    for number, each in enumerate(objects, 1):
        places.append(into.tell())
        into.write(b"%d 0 obj\n%s\nendobj\n" % (number, each))
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = into.tell()
    into.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table))
    into.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, end))
    return into.getvalue()


def long_name_tar() -> bytes:
    """A name of eight gigabytes, as far as its header goes."""
    header = tarfile.TarInfo("x")
    header.size, header.type = 8_000_000_000, tarfile.GNUTYPE_LONGNAME
    return header.tobuf(tarfile.GNU_FORMAT) + bytes(20 * MEBIBYTE)


def packed_text_png() -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 * MEBIBYTE)))
    return b"\x89PNG\r\n\x1a\n" + head + bomb + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


FRAME = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
MANY_SHEETS = '<sheet name="S" sheetId="1" r:id="r1"/>' * 20_000
CELL = "<table:table-cell table:number-columns-repeated='1000' office:value-type='float' office:value='1'/>"
ROW = f"<table:table-row table:number-rows-repeated='1000'>{CELL}</table:table-row>"
COLUMNS = "<col min='1' max='16384' hidden='1'/>" * 500_000
HIDDEN = "<table:table-row table:visibility='collapse' table:number-rows-repeated='999'/>"
BLANK = (
    "<table:table-row>"
    + "<table:table-cell table:number-columns-repeated='1000'/>" * 17
    + "</table:table-row>"
)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "scripts.html": lambda: b"<html>" + b"<script" * 30_000,
    "brackets.html": lambda: b"<html>" + b"<" * 900_000,
    "tables.html": lambda: b"<html>" + b"<table><tr><td>" * 50_000,
    "tags.svg": lambda: b"<svg " * 300_000,
    "texts.svg": lambda: b"<svg>" + b"<text " * 200_000,
    "brackets.eml": lambda: b"From: a\nContent-Type: text/html\n\n" + b"<" * 5_000_000,
    "parts.eml": lambda: b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 200_000,
    "title.epub": lambda: zipped(mimetype="application/epub+zip", a__opf="<dc:title " * 100_000),
    "quotes.json": lambda: b'{"a": "' + b'\\"' * 4_000_000,
    "depth.json": lambda: b'{"a":' * 100_000,
    "depth.xml": lambda: b"<a>" * 200_000,
    "blank.sql": lambda: b"\n" * 6_000_000 + b"x",
    "open.go": lambda: b"func (\n" * 900_000,
    "line.csv": lambda: ",".join(map(str, range(5_600_000))).encode(),
    "line.txt": lambda: b"word " * 8_000_000,
    "line.json": lambda: b'{"a": [' + ",".join(map(str, range(5_600_000))).encode() + b"]}",
    "quote.csv": lambda: b'a,b\n1,"' + b"x\n" * 15_000_000,
    "commas.csv": lambda: b"," * 10_000_000,
    "lines.csv": lambda: b"\n" * 20_000_000,
    "columns.csv": lambda: "\n".join(",".join(f"t {a * b}" for a in range(10_000)) for b in range(100)).encode(),
    "sheets.xlsx": lambda: workbook(row("a", 1) * 5000, sheets=MANY_SHEETS),
    "hidden.xlsx": lambda: workbook(row("a"), before=f"<cols>{COLUMNS}</cols>"),
    "far.xlsx": lambda: workbook("<row><c r='XFD1'><v>1</v></c></row>" * 100_000),
    "numbers.xlsx": lambda: workbook("<row r='1000000000000'><c><v>1</v></c></row>" + row("a") * 3),
    "merged.xlsx": lambda: workbook(row("a"), after="<mergeCells>" + "<mergeCell ref='A1:B2'/>" * 1_000_000),
    "attribute.xlsx": lambda: workbook("", before=f"<a b='{'x' * 150 * MEBIBYTE}'/>", level=1),
    "text.xlsx": lambda: workbook(row("x" * 150 * MEBIBYTE), level=1),
    "cells.ods": lambda: open_sheet(f"<table:table-row>{CELL * 50_000}</table:table-row>"),
    "rows.ods": lambda: open_sheet(ROW * 30_000),
    "blank.ods": lambda: open_sheet(BLANK * 20_000),
    "hidden.ods": lambda: open_sheet(HIDDEN * 100_000),
    "words.docx": lambda: zipped(wordSLASHdocument__xml="<w>" + "<p><t>x</t></p>" * 3_000_000),
    "frames.gif": lambda: b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + FRAME * 500_000 + b";",
    "packed.png": packed_text_png,
    "pages.pdf": lambda: pdf(b"BT (x) Tj ET", pages=10_000),
    "content.pdf": lambda: pdf(zlib.compress(b"BT (x) Tj ET\n" * 8_000_000), filtered=b"/Filter/FlateDecode"),
    "brackets.pdf": lambda: pdf(b"[" * 2_000_000),
    "name.tar": long_name_tar,
    "name.tar.gz": lambda: gzip.compress(long_name_tar(), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_in_time(box: Box, name: str) -> None:
    profile = box.profile_of(name, HOSTILE[name]())

    assert box.seconds < SECONDS
    assert 0 < len(profile["text"]) <= 2500
    # None of them is so large or so deep that nothing can be said of it, but this one.
    assert ("takes too long" in profile["text"]) <= (name == "parts.eml")


def test_a_row_that_stands_for_many_is_looked_at_in_part(box: Box) -> None:
    data = open_sheet(f"{ROW}</table:table><table:table table:name='B'>{ROW}")

    profile = box.profile_of("rows.ods", data)

    assert "“A”: about 1,000 rows, of which the first 301 were looked at" in profile["text"]
    assert "“B”: not looked at" in profile["text"]


def test_a_document_of_which_a_part_is_counted_says_so(box: Box) -> None:
    def document(paragraphs: int) -> bytes:
        return zipped(wordSLASHdocument__xml=f"<w>{'<p><t>x</t></p>' * paragraphs}</w>")

    extent = "as far as it was looked at"
    assert extent not in box.profile_of("short.docx", document(100))["text"]
    assert extent in box.profile_of("long.docx", document(6000))["text"]


def test_a_page_of_which_a_part_is_read_says_so(box: Box) -> None:
    extent = "as far as it was looked at"
    assert extent not in box.profile_of("short.html", b"<html>" + b"<p>x</p>" * 100)["text"]
    assert extent in box.profile_of("long.html", b"<html>" + b"<p>x</p>" * 200_000)["text"]


def test_an_image_of_gigabytes_is_not_decoded(box: Box) -> None:
    profile = box.profile_of("bomb.png", png(60_000, 60_000, rows=50))

    assert "60,000 × 60,000 pixels" in profile["text"]
    assert "Dominant" not in profile["text"]
    assert box.seconds < 1


def test_a_zip_bomb_is_named_and_not_unpacked(box: Box) -> None:
    profile = box.profile_of("bomb.zip", zipped(zeros__bin=bytes(100 * MEBIBYTE)))

    assert profile["kind"] == "archive"
    assert "times its size (105 MB): don't unpack all of it" in profile["text"]
    assert box.seconds < 1


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_bomb_of_a_single_file_is_named_in_time(box: Box, pack: Callable[[bytes], bytes]) -> None:
    profile = box.profile_of("bomb.gz", pack(bytes(50 * MEBIBYTE)))

    assert "times its size: read it in pieces" in profile["text"]
    assert box.seconds < SECONDS


def test_a_compressed_tar_of_gigabytes_is_listed_in_time(box: Box) -> None:
    # Streams one after the other are one stream to gzip: what all members hold is packed once.
    size = 100 * MEBIBYTE
    packed = gzip.compress(bytes(size))
    parts = (gzip.compress(member(f"part-{number}", size).tobuf()) + packed for number in range(12))

    profile = box.profile_of("bomb.tar.gz", b"".join(parts))

    assert "not listed to its end" in profile["text"]
    assert box.seconds < SECONDS


def test_a_sheet_that_unpacks_to_gigabytes_is_read_in_part_and_in_time(box: Box) -> None:
    profile = box.profile_of(
        "bomb.xlsx", workbook(row("name of somebody", "city", 12.5) * 3_000_000, level=1)
    )

    assert "of which the first" in profile["text"]
    assert box.seconds < SECONDS


def test_entities_that_grow_without_end_are_refused(box: Box) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook("<row><c><v>&a;</v></c></row>"))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/s.xml"] = b'<!DOCTYPE w [<!ENTITY a "ha">]>' + parts["xl/worksheets/s.xml"]
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)

    assert box.profile_of("laugh.xlsx", into.getvalue())["kind"] == "broken"


def test_fifty_megabytes_of_csv_take_less_than_three_seconds(box: Box) -> None:
    line = "".join(
        f"{n},region {n % 7},{n * 1.37:.2f},2026-01-{n % 28 + 1:02},some text {n}\n" for n in range(20_000)
    ).encode()
    data = b"id,region,amount,day,note\n" + line * (50_000_000 // len(line)) + b"Total,,123.45,,\n"

    profile = box.profile_of("large.csv", data)

    # 50,000 of them, or on a busy machine as many as three seconds allow.
    assert re.search(r"of which the first [\d,]+ were looked at", profile["text"])
    assert "the last 1 line of the file may be totals or notes: Total" in profile["text"]
    assert box.seconds < SECONDS
    code = "import pandas as pd\n" + hint(profile["text"])
    assert box.run(code + "value = [len(df), str(df.dtypes['amount'])]") == [data.count(b"\n") - 2, "float64"]


def test_totals_beyond_what_was_looked_at_are_left_out(box: Box) -> None:
    month = "".join(f"shop {n},{n % 50}.50\n" for n in range(20_000)) + "Subtotal,500000.00\n"
    data = "shop,amount\n" + month * 6 + "Grand total,3000000.00\n"

    code = "import pandas as pd\n" + hint(box.profile_of("months.csv", data.encode())["text"])

    assert box.run(code + "value = [len(df), float(df['amount'].sum())]") == [120_000, 3_000_000.0]


def test_fifty_megabytes_of_xlsx_take_less_than_three_seconds(box: Box) -> None:
    digits = random.Random(1).randbytes(40 * MEBIBYTE).hex()
    lines = ([f"key {n}", digits[n * 84 : n * 84 + 80], n] for n in range(len(digits) // 84))
    data = workbook(rows([("key", "text", "number"), *lines, ("Total", None, 5)]), level=1)
    assert len(data) > 50_000_000

    profile = box.profile_of("large.xlsx", data)

    assert "of which the first" in profile["text"]
    assert box.seconds < SECONDS


def test_a_total_at_the_end_of_a_large_sheet_is_found(box: Box) -> None:
    lines = ((f"key {n}", n % 100, n * 1.5) for n in range(60_000))
    data = workbook(rows([("key", "count", "amount"), *lines, ("Total", None, 2_699_955_000.0)]))

    profile = box.profile_of("total.xlsx", data)

    assert "60,002 rows, of which the first" in profile["text"]
    assert "row 60,002 at the end is a total or a note" in profile["text"]
    code = "import pandas as pd\n" + hint(profile["text"])
    assert box.run(code + "value = [len(df), float(df['amount'].sum())]") == [60_000, 2_699_955_000.0]


def test_a_library_that_does_not_come_to_an_end_is_broken_off() -> None:
    with pytest.raises(OutOfTime), limited_seconds(0.05):
        while True:
            pass


TAKE_ALL_MEMORY = """
from sandbox.guest.jobs.profiles.bounds import limited_memory
try:
    with limited_memory(50_000_000):
        bytearray(100_000_000)
except MemoryError:
    print(len(bytearray(100_000_000)))
"""


def test_a_library_that_takes_all_memory_is_broken_off() -> None:
    # In a process of its own: this one may still have so much that other tests gave back.
    done = subprocess.run(
        [sys.executable, "-c", TAKE_ALL_MEMORY], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )

    assert done.stdout.split() == [b"100000000"]
