"""Profiles of everything that is not a spreadsheet, made in the real image."""

import base64
import bz2
import gzip
import json
import lzma
import struct
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.guest.box import Box, open_box
from tests.guest.files import (
    LOCKED_7Z,
    LOCKED_NAMES_7Z,
    OPEN_7Z,
    database,
    film,
    member,
    old_rar,
    png,
    rar,
    seven_zip,
    sound,
    tarred,
    zipped,
)

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as opened:
        yield opened


gzipped = partial(gzip.compress, mtime=0)
"""Whenever it is made: these bytes are in the names of tests."""
DEFLATED, UNKNOWN = (struct.pack("<HHH", 20, 0, method) for method in (8, 97))
"""In the headers of a zip: what it takes to read an entry, and how that is packed."""
WORDS = "<w:document xmlns:w='w'><w:body>{}</w:body></w:document>"
PARAGRAPH = "<w:p><w:pPr><w:pStyle w:val='{}'/></w:pPr><w:r><w:t>{}</w:t></w:r></w:p>"
NOTEBOOK = {
    "nbformat": 4,
    "metadata": {"kernelspec": {"language": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": "1/0", "outputs": [{"output_type": "error"}]},
    ],
}


@pytest.mark.parametrize(
    ("name", "content", "kind", "told"),
    [
        ("a.png", png(300, 200), "image", "PNG image: 300 × 200 pixels, RGB\nDominant colour about #0ac81e (100%)"),
        ("not-a-png.txt", png(3, 2), "image", "PNG image: 3 × 2 pixels"),
        ("s.wav", sound(), "audio", "Audio, 2.0 s: 22,050 Hz, stereo, codec pcm_s16le"),
        ("d.svg", b'<svg width="20" height="10"><text>Hi</text></svg>', "image", "SVG drawing: 20 × 10"),
        ("code.py", b"import os\ndef main():\n    pass\n", "text", "Python code: 3 lines"),
        ("code.py", b"import os\ndef main():\n    pass\n", "text", "Defines: main"),
        ("run", b"#!/usr/bin/env bash\necho hi\n", "text", "Shell code: 2 lines"),
        ("a.log", b"2026-03-02 10:00:00 ERROR no\n" * 9, "text", "Levels: ERROR × 9"),
        ("n.txt", b"Dear Anna,\nhow are you, fine?\nBye\n", "text", "Text: 3 lines"),
        ("bar.txt", b"a|b|c\n1|2|3\n4|5|6\n", "table", 'pd.read_csv("bar.txt", sep="|")'),
        ("cyrillic.txt", "Привет, как дела? Это русский текст.".encode("cp1251"), "text", "encoding cp1251"),
        ("kanji.csv", "名前,金額\n東京支店,100\n大阪,200\n".encode("shift_jis"), "table", "encoding shift_jis"),
        ("hanzi.csv", "公司名称,金额\n北京公司,100\n上海,200\n".encode("gb18030"), "table", "encoding gb18030"),
        ("polish.csv", "Miasto;Kwota\nŁódź;1,5\nGdańsk;2,5\n".encode("cp1250"), "table", "encoding cp1250"),
        ("bom.csv", "a,b\n1,2\n".encode("utf-8-sig"), "table", 'encoding="utf-8-sig"'),
        ("no-bom.txt", "Hello wörld\nagain\n".encode("utf-16-le"), "text", "encoding utf-16-le"),
        ("o.json", b'{"a": 1, "b": {"c": ["x"]}}', "text", "JSON, an object with 2 keys"),
        ("l.json", b'[{"zip": "01067"}, {"zip": "1"}]', "text", 'dtype={"zip": str}'),
        ("n.ipynb", json.dumps(NOTEBOOK).encode(), "text", "Jupyter notebook in python: 1 markdown, 1 code cells"),
        ("x.xml", b"<?xml version='1.0'?><r><i n='1'/><i/></r>", "text", "r/i × 2 (n)"),
        ("p.html", b"<!doctype html><title>My page</title><p>Hello", "text", "Title: My page"),
        ("m.eml", b"From: a@b.c\nSubject: Hi\n\nHello there\n", "document", "Subject: Hi"),
        ("d.rtf", rb"{\rtf1\ansi Hello \b World}", "document", "Hello World"),
        ("g.gsheet", b'{"url":"https://docs.google.com/x","doc_id":"1"}', "other", "A link to a document"),
        ("s.csv.gz", gzipped(b"a,b\n1,2\n3,4\n"), "table", 'Read: df = pd.read_csv("s.csv.gz")'),
        ("s.csv.bz2", bz2.compress(b"a,b\n1,2\n3,4\n"), "table", "Compressed by bzip2"),
        ("s.csv.xz", lzma.compress(b"a,b\n1,2\n3,4\n"), "table", "Compressed by xz"),
        ("t.tar", tarred(member("x.txt")), "archive", "Tar archive: 1 file, 3 bytes unpacked"),
        ("empty.csv", b"", "other", "The file is empty: 0 bytes."),
        ("blank.csv", b"\n\n\n", "broken", "The file holds blank lines only."),
        ("x.bin", bytes(range(256)) * 9, "other", "first bytes 00 01 02"),
        ("p.pkl", b"\x80\x04\x95\x00\x00", "other", "loading one runs what it says, so it was not opened"),
        ("v.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff", "other", "by its first bytes program (Windows)"),
        ("secret.gpg", b"-----BEGIN PGP MESSAGE-----\n", "encrypted", "encrypted"),
        ("bad.json", b'{"a": [1,2,}', "broken", "This is no valid JSON: it breaks off in line 1."),
        ("new.docx", zipped(wordSLASHdocument__xml="x").replace(DEFLATED, UNKNOWN), "broken", "packed in a way"),
        ("deep.json", b"[" * 100_000, "broken", "This JSON is nested too deeply to be read."),
        ("digits.json", b'[{"a": %s}]' % (b"9" * 5000), "broken", "a number of more digits than Python reads"),
        ("huge.json", b'[{"a": 1e999, "b": %s}, {"a": NaN}]' % (b"9" * 400), "text", "a number of hundreds of digits"),
        ("bom.json", b'\xef\xbb\xbf{"a": 1}', "text", 'json.load(open("bom.json", encoding="utf-8-sig"))'),
        ("n.json.gz", gzipped(b'{"a": {"b": 1}}'), "text", 'gzip.open("n.json.gz", "rt", encoding="utf-8")'),
        ("p.bin", gzipped(b"a|b|c\n1|2|3\n4|5|6\n"), "table", '("p.bin", compression="gzip", sep="|")'),
        ("sep.jsonl", '{"a": "x\u2028y"}\n{"a": "z"}\n'.encode(), "table", "JSON Lines: 2 lines"),
        ("long.txt", b"\n".join([b"x" * 300_000] * 3), "text", "The longest line has 300,000 characters"),
        ("x.docm", zipped(wordSLASHdocument__xml=WORDS.format(""), wordSLASHvbaProject__bin="x"), "document",
         "It holds macros, which are never run here"),
        ("x.pptm", zipped(pptSLASHpresentation__xml="<p/>", pptSLASHvbaProject__bin="x"), "document",
         "It holds macros, which are never run here"),
        ("p.ppm", b"P6\n16 16\n255\n" + bytes(range(256)) * 3, "image", "PPM image: 16 × 16 pixels"),
        ("a.zst", b"\x28\xb5\x2f\xfdabc", "archive", "Compressed by Zstandard"),
        ("open.7z", base64.b64decode(OPEN_7Z), "archive", "7z archive"),
        ("new.rar", rar("notes.txt", 99), "archive", "RAR archive: 1 file, 99 bytes unpacked"),
        ("locked.rar", rar("notes.txt", 99, is_locked=True), "encrypted", "protected with a password"),
        ("hidden.rar", rar("notes.txt", 99, hides_names=True), "encrypted", "protected with a password"),
        ("old.rar", old_rar("notes.txt", 999), "archive", "- notes.txt, 999 bytes"),
        ("old-locked.rar", old_rar("notes.txt", 999, is_locked=True), "encrypted", "protected with a password"),
        ("locked.7z", base64.b64decode(LOCKED_7Z), "encrypted", "protected with a password"),
        ("locked-names.7z", base64.b64decode(LOCKED_NAMES_7Z), "encrypted", "protected with a password"),
        ("seven-zip.7z", seven_zip(b"\x01\x04 \x06\xf1\x07\x01 " * 9), "encrypted", "protected with a password"),
        ("x.docx", zipped(wordSLASHdocument__xml=WORDS.format(
            PARAGRAPH.format("Heading1", "My heading") + PARAGRAPH.format("", "Some text"))),
         "document", "Word document: 2 paragraphs, 4 words, 0 tables, 0 pictures\nHeadings: “My heading”"),
        ("x.pptx", zipped(pptSLASHpresentation__xml="<p/>", pptSLASHslidesSLASHslide1__xml=
            "<s xmlns:a='a'><a:p><a:r><a:t>Slide title</a:t></a:r></a:p></s>"), "document", "slide 1: Slide title"),
        ("x.odt", zipped(mimetype="application/vnd.oasis.opendocument.text",
            content__xml="<d xmlns:t='t'><t:h>Title</t:h><t:p>Words</t:p></d>"), "document", "Begins: Title Words"),
        ("x.numbers", zipped(IndexSLASHDocument__iwa="x"), "document", "export it as Excel, CSV or PDF"),
    ],
)  # fmt: skip
def test_a_file_is_recognised(box: Box, name: str, content: bytes, kind: str, told: str) -> None:
    profile = box.profile_of(name, content)

    assert profile["kind"] == kind
    assert told in profile["text"]


def test_a_film_is_described(box: Box) -> None:
    profile = box.profile_of("v.mp4", film(box))

    assert profile["kind"] == "video"
    assert (
        "Video, 3.0 s: 160 × 120 pixels, 10 frames a second, about 30 frames, codec mpeg4" in profile["text"]
    )
    assert "No sound" in profile["text"]


def test_a_photo_that_lies_on_its_side_is_told(box: Box) -> None:
    code = """
import base64, io
from PIL import Image
exif = Image.Exif()
exif[0x0112] = 6
into = io.BytesIO()
Image.new("RGB", (80, 60), "orange").save(into, "JPEG", exif=exif)
open("turned.jpg", "wb").write(into.getvalue())
value = None
"""
    box.run(code)

    text = box.profile("turned.jpg", "/workspace")["text"]

    assert "EXIF says: to be turned right by 90°" in text


def test_an_animation_and_its_transparency_are_told(box: Box) -> None:
    code = """
from PIL import Image
frames = [Image.new("RGBA", (50, 50), (n * 40, 0, 0, 0 if n else 255)) for n in range(5)]
frames[0].save("moving.gif", save_all=True, append_images=frames[1:], duration=100, disposal=2)
Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save("clear.png")
value = None
"""
    box.run(code)

    assert "5 frames (animated), 0.1 s each" in box.profile("moving.gif", "/workspace")["text"]
    assert "Fully transparent" in box.profile("clear.png", "/workspace")["text"]


def test_a_pdf_with_text_is_told_from_a_scan(box: Box) -> None:
    code = """
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image
figure = plt.figure()
for line in range(5):
    figure.text(0.1, 0.9 - line / 10, f"Region{line} {line * 100} {line * 200} {line * 300} and some words")
figure.savefig("text.pdf")
Image.new("RGB", (600, 800), "white").save("scan.pdf")
value = None
"""
    box.run(code)

    assert "PDF: 1 page" in box.profile("text.pdf", "/workspace")["text"]
    assert "with text" in box.profile("text.pdf", "/workspace")["text"]
    assert "scanned: pictures of pages, text only by OCR" in box.profile("scan.pdf", "/workspace")["text"]


def test_a_database_is_listed_with_its_tables(box: Box, tmp_path: Path) -> None:
    profile = box.profile_of("d.sqlite", database(tmp_path))

    assert profile["kind"] == "table"
    assert "SQLite database: 1 table, 1 view" in profile["text"]
    assert "“odd name”, 2 rows: id INTEGER, name TEXT\n  first row: 1 | Ada" in profile["text"]
    assert "Ada" not in profile["schema"]
    code = "import sqlite3, pandas as pd\n" + profile["text"].splitlines()[1].removeprefix("Read: ")
    assert box.run(code + "\nvalue = len(df)") == 2


def test_names_that_would_leave_the_folder_are_named(box: Box) -> None:
    data = tarred(
        member("../up"), member("/etc/x"), member("l", kind=tarfile.SYMTYPE, link="/etc"), mode="w:gz"
    )

    text = box.profile_of("evil.tgz", data)["text"]

    assert "2 names would leave the folder when unpacked" in text
    assert "1 link: don't follow them" in text
    assert "1 name would leave" in box.profile_of("evil.zip", zipped(**{"..SLASHup": "x", "ok": "y"}))["text"]


def test_names_of_a_password_protected_document_are_not_needed(box: Box) -> None:
    manifest = "<m><encryption-data/></m>"
    data = zipped(
        mimetype="application/vnd.oasis.opendocument.spreadsheet", **{"META-INFSLASHmanifest__xml": manifest}
    )

    assert box.profile_of("locked.ods", data)["kind"] == "encrypted"


@pytest.mark.parametrize("kind", ["png", "wav", "mp4", "zip", "gz", "sqlite"])
def test_what_is_cut_off_is_said_to_be_broken(box: Box, kind: str, tmp_path: Path) -> None:
    whole = {
        "png": png(300, 200, rows=200),
        "wav": sound()[:20],
        "mp4": film(box),
        "zip": zipped(a__txt="text " * 1000),
        "gz": gzipped(bytes(range(256)) * 500),
        "sqlite": database(tmp_path),
    }[kind]

    profile = box.profile_of(f"cut.{kind}", whole[: len(whole) * 2 // 3])

    assert profile["kind"] == "broken"
    assert profile["text"].count("\n") == 0


def test_a_pipe_is_not_waited_for(box: Box) -> None:
    box.run("import os\nos.mkfifo('pipe.csv')\nvalue = None")

    assert box.profile("pipe.csv", "/workspace")["text"] == "This is not an ordinary file."


def test_a_file_that_is_gone_is_told(box: Box) -> None:
    assert box.profile("nothing.csv", "/workspace")["kind"] == "broken"


def test_marks_that_turn_the_direction_of_writing_are_left_out(box: Box) -> None:
    text = box.profile_of("t.txt", "a\u202egpj.exe\u2028\x07b\n".encode())["text"]

    assert "agpj.exe b" in text


def test_json_that_is_larger_than_what_is_looked_at_is_not_called_broken(box: Box) -> None:
    numbers = json.dumps({"numbers": list(range(1_000_000))}).encode()
    text = json.dumps({"first": 1, "text": "x" * 7_000_000}).encode()

    assert "an object with at least 1 key" in box.profile_of("numbers.json", numbers)["text"]
    assert "an object with at least 1 key" in box.profile_of("text.json", text)["text"]
    assert (
        "goes on beyond what was looked at"
        in box.profile_of("one.json", text[12:].replace(b" ", b"{", 1))["text"]
    )


def test_nothing_a_file_says_is_printed_into_the_channel(box: Box) -> None:
    data = bytearray(box.run("value = open('/data/tables/orders.parquet', 'rb').read().hex()").encode())
    damaged = bytearray.fromhex(data.decode())
    damaged[30:40] = bytes(10)

    assert box.profile_of("damaged.parquet", bytes(damaged))["kind"] in {"table", "broken"}
