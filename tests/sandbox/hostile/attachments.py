"""Files that people could upload to do harm: small ones that become large, endless ones, broken ones, liars."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tests.guest.files import chunk, member, png, tarred, zipped

MEGABYTE = 1_000_000
LARGE = 300
"""Megabytes that a small file becomes: more than a container of these tests has beside its Python."""
OFFICE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 50}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


class Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("open('/workspace/ran', 'w').write('x')",)


def zeros(megabytes: int = LARGE) -> Iterable[bytes]:
    return (bytes(MEGABYTE) for _ in range(megabytes))


def deflated(pieces: Iterable[bytes], level: int = 9) -> bytes:
    packer = zlib.compressobj(level)
    return b"".join(packer.compress(piece) for piece in pieces) + packer.flush()


def zip_bomb(name: str = "zeros.csv", megabytes: int = LARGE) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        for piece in zeros(megabytes):
            file.write(piece)
    return into.getvalue()


def zip_in_zip() -> bytes:
    content = zip_bomb("zeros.txt", 20)
    for _ in range(6):
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(9):
                archive.writestr(f"{number}.zip", content)
        content = into.getvalue()
    return content


def zip_with_names() -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name in ("../../etc/passwd", "/etc/passwd", "C:\\x", "a\x1b[2Jb", "\u202egpj.exe", "x" * 5000):
            archive.writestr(zipfile.ZipInfo(name), "x")
        for number in range(20_000):
            archive.writestr(f"{number}", "")
    return into.getvalue()


def workbook(sheet: str, strings: str = "", head: str = "") -> bytes:
    return zipped(**{
        "[Content_Types]__xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "xlSLASHworkbook__xml": (
            f'{head}<workbook xmlns="{OFFICE}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
            'relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xlSLASH_relsSLASHworkbook__xml__rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
            ' Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xlSLASHsharedStrings__xml": f'{head}<sst xmlns="{OFFICE}">{strings}</sst>',
        "xlSLASHworksheetsSLASHsheet1__xml": f'{head}<worksheet xmlns="{OFFICE}">{sheet}</worksheet>',
    })  # fmt: skip


def picture_bomb() -> bytes:
    """Says ten by ten, holds hundreds of megabytes."""
    head = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
    data = chunk(b"zTXt", b"c\0\0" + deflated(zeros(100))) + chunk(b"IDAT", deflated(zeros()))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def film_strip(frames: int = 5000) -> bytes:
    frame = b"\x21\xf9\4\0\0\0\0\0\x2c\0\0\0\0\xd0\7\xd0\7\0\2\2\x44\1\0"
    return b"GIF89a\xd0\7\xd0\7\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b"\x3b"


def tiff_in_a_circle() -> bytes:
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in ((256, 60_000), (257, 60_000), (258, 8), (259, 1), (262, 1), (273, 8), (279, 2**31))
    )
    return b"II*\0" + struct.pack("<IH", 8, 7) + entries + struct.pack("<I", 8)


def jpeg(width: int = 65_500, height: int = 65_500) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
    return (
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
        + frame
        + b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"
        + bytes(999)
    )


def pdf(*objects: bytes) -> bytes:
    body = b"".join(b"%d 0 obj%s endobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF"


def pdf_bomb() -> bytes:
    data = deflated(iter([deflated(zeros())]))
    stream = b"<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(data), data)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 9 9]>>",
        stream,
    )


def pdf_in_a_circle() -> bytes:
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 999999999/Kids[2 0 R 2 0 R]/Parent 2 0 R>>"
    )


def database() -> bytes:
    """Whose only view never ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE t(x)")
        endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
        connection.execute(f"CREATE VIEW v AS {endless}")
        connection.commit()
        connection.close()
        return path.read_bytes()


def mail() -> bytes:
    body = b"x"
    for number in range(300):
        kind = b"Content-Type: multipart/mixed; boundary=b%d\n\n" % number
        body = kind + b"--b%d\n%s\n--b%d--\n" % (number, body, number)
    return b"From: a\nTo: b\nSubject: =?utf-8?B?4oCuZ3A=?=\n" + body


def array(descr: str, shape: str = "(3,)") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + pickle.dumps(Runs())


def sheet_of_repeats() -> bytes:
    cell = (
        '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    )
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    return zipped(
        mimetype="application/vnd.oasis.opendocument.spreadsheet",
        content__xml=f'<d xmlns:table="t" xmlns:office="o"><table:table table:name="A">{row}</table:table></d>',
    )


def noise(start: bytes, size: int = 50_000) -> bytes:
    return start + random.Random(1).randbytes(size)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"'


def drawing_of_uses() -> bytes:
    groups = [f'<g id="a{n + 1}">' + f'<use l:href="#a{n}"/>' * 20 + "</g>" for n in range(12)]
    return f'{SVG}><g id="a0"><rect/></g>{"".join(groups)}<use l:href="#a12"/></svg>'.encode()


def drawing_that_fetches() -> bytes:
    places = "file:///etc/passwd", "http://169.254.169.254/", "../../../etc/passwd"
    return f"{SVG}>{''.join(f'<image l:href={place!r}/>' for place in places)}</svg>".encode()


def strange_archive() -> bytes:
    return tarred(
        member("../../x"),
        member("/etc/passwd"),
        member("l", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("d", kind=tarfile.CHRTYPE),
        member("f", kind=tarfile.FIFOTYPE),
    )


LAST_CELL = (
    '<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576"/></row></sheetData>'
)
OUTSIDE_TEXT = f"{OUTSIDE}<w:document xmlns:w='w'><w:t>&e;</w:t></w:document>"
BITMAP = struct.pack("<IIIIiiHHI", 2**31, 0, 54, 40, -(2**31), 2**31 - 1, 1, 32, 0)
COLUMNS = 300_000

PICTURES = {".png", ".gif", ".jpg", ".tiff", ".webp", ".bmp", ".ico", ".heic", ".svg", ".pdf", ".mp4"}

MADE: dict[str, Callable[[], bytes]] = {
    "bomb.zip": zip_bomb,
    "nested.zip": zip_in_zip,
    "names.zip": zip_with_names,
    "bomb.csv.gz": lambda: gzip.compress(b"".join(zeros()), 6),
    "bomb.csv.bz2": lambda: bz2.compress(b"".join(zeros(100))),
    "bomb.csv.xz": lambda: lzma.compress(b"".join(zeros(100)), preset=0),
    "laughs.xlsx": lambda: workbook("<sheetData><row><c><v>&i;</v></c></row></sheetData>", head=LAUGHS),
    "outside.xlsx": lambda: workbook("<sheetData><row><c><v>&e;</v></c></row></sheetData>", head=OUTSIDE),
    "strings.xlsx": lambda: workbook("<sheetData/>", "<si><t>x</t></si>" * 3_000_000),
    "wide.xlsx": lambda: workbook(LAST_CELL),
    "bomb.xlsx": lambda: zip_bomb("xl/worksheets/sheet1.xml"),
    "outside.docx": lambda: zipped(wordSLASHdocument__xml=OUTSIDE_TEXT),
    "repeats.ods": sheet_of_repeats,
    "outside.svg": f"{OUTSIDE}{SVG}><script>alert(1)</script><text>&e;</text></svg>".encode,
    "fetches.svg": drawing_that_fetches,
    "uses.svg": drawing_of_uses,
    "vast.svg": f'{SVG} width="1e9" height="1e9"><rect width="1e9" height="1e9"/></svg>'.encode,
    "vast.png": lambda: png(50_000, 50_000, rows=1),
    "bomb.png": picture_bomb,
    "cut.png": lambda: png(500, 500)[:300],
    "strip.gif": film_strip,
    "circle.tiff": tiff_in_a_circle,
    "vast.jpg": jpeg,
    "noise.jpg": lambda: noise(b"\xff\xd8\xff\xe1"),
    "noise.webp": lambda: noise(b"RIFF\xff\xff\xff\x7fWEBPVP8L"),
    "noise.bmp": lambda: b"BM" + BITMAP,
    "noise.ico": lambda: noise(b"\0\0\1\0\xff\xff"),
    "noise.heic": lambda: noise(b"\0\0\0\x18ftypheic"),
    "bomb.pdf": pdf_bomb,
    "circle.pdf": pdf_in_a_circle,
    "noise.pdf": lambda: noise(b"%PDF-1.7\n"),
    "line.csv": lambda: b"a," * (20 * MEGABYTE),
    "columns.csv": lambda: b"".join(b"c%d," % n for n in range(COLUMNS)) + b"\n" + b"1," * COLUMNS,
    "escapes.csv": "a,b\n=cmd|' /C calc'!A0,\x1b]0;x\x07\x1b[2J\n\u202egnp,\0\n".encode,
    "backtracking.csv": lambda: b"1" * 50_000 + b"." + b"1," * 50_000 + b'"' * 99_999,
    "deep.json": lambda: b"[" * 500_000 + b"]" * 500_000,
    "number.json": lambda: b'{"a": ' + b"9" * 5_000_000 + b"}",
    "keys.json": lambda: json.dumps([{f"k{n}{m}": m for m in range(40)} for n in range(5000)]).encode(),
    "runs.pkl": lambda: pickle.dumps(Runs()),
    "runs.csv": lambda: pickle.dumps(Runs()),
    "runs.npy": lambda: array("'|O'"),
    "vast.npy": lambda: array("'<f8'", "(1000000000000,)"),
    "deep.npy": lambda: array("[" * 3000 + "]" * 3000),
    "noise.parquet": lambda: noise(b"PAR1") + b"\xff\xff\xff\x7fPAR1",
    "endless.sqlite": database,
    "noise.sqlite": lambda: noise(b"SQLite format 3\0"),
    "links.tar": strange_archive,
    "bomb.tar.gz": lambda: gzip.compress(tarred(member("zeros", LARGE * MEGABYTE)), 6),
    "noise.7z": lambda: noise(b"7z\xbc\xaf\x27\x1c\0\4"),
    "noise.rar": lambda: noise(b"Rar!\x1a\x07\1\0"),
    "noise.mp4": lambda: noise(b"\0\0\0\x18ftypmp42"),
    "noise.wav": lambda: noise(b"RIFF\xff\xff\xff\x7fWAVEfmt \xff\xff\xff\x7f"),
    "noise.doc": lambda: noise(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    "deep.eml": mail,
    "deep.rtf": lambda: b"{\\rtf" + b"{" * 300_000 + b"}" * 300_000,
    "script.html": lambda: b"<script>alert(1)</script>" + b"<div>" * 200_000,
    "deep.xml": lambda: b"<a>" * 300_000,
    "laughs.xml": f"{LAUGHS}<x>&i;</x>".encode,
    "notebook.ipynb": lambda: json.dumps(
        {"cells": [{"cell_type": [], "source": {}}], "metadata": 5}
    ).encode(),
    "nothing.csv": bytes,
}


@cache
def made(name: str) -> bytes:
    return MADE[name]()
