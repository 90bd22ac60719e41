"""What kind of file something is: its first bytes decide, its ending only where they allow it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.media_type import HEAD_BYTES, TEXT, UNKNOWN, ending_of, extension_for, media_type

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
ZIP = b"PK\3\4\x14\0\6\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
KNOWN = [
    (PNG, "chart.png", "image/png"),
    (JPEG, "photo.jpg", "image/jpeg"),
    (b"GIF89a\1\0\1\0\x80", "a.gif", "image/gif"),
    (b"RIFF\x24\0\0\0WEBPVP8 \0", "a.webp", "image/webp"),
    (b"RIFF\x24\0\0\0WAVEfmt \0", "a.wav", "audio/wav"),
    (b"BM\x36\0\x0c\0\0\0", "a.bmp", "image/bmp"),
    (b"II*\0\x08\0\0\0", "a.tif", "image/tiff"),
    (b"\0\0\0\x1cftypheic\0\0\0\0", "a.heic", "image/heic"),
    (MP4, "a.mp4", "video/mp4"),
    (MP4, "a.mov", "video/quicktime"),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1", "a.webm", "video/webm"),
    (b"OggS\0\2\0\0", "a.opus", "audio/ogg"),
    (b"ID3\4\0\0", "a.mp3", "audio/mpeg"),
    (b"\xff\xfb\x90\x64\0", "a.mp3", "audio/mpeg"),
    (PDF, "a.pdf", "application/pdf"),
    (b"%PDF-1.4\nplain", "a", "application/pdf"),
    (b"{\\rtf1\\ansi", "a.doc", "application/rtf"),
    (ZIP, "a.zip", "application/zip"),
    (ZIP, "a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (ZIP, "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"PK\5\6" + bytes(18), "empty.zip", "application/zip"),
    (OLE, "a.xls", "application/vnd.ms-excel"),
    (OLE, "a", "application/x-ole-storage"),
    (b"PAR1\x15\0", "a.parquet", "application/vnd.apache.parquet"),
    (b"SQLite format 3\0\x10\0", "a.db", "application/vnd.sqlite3"),
    (b"\x1f\x8b\x08\0", "a.csv.gz", "application/gzip"),
    (b"\x93NUMPY\1\0v\0{", "a.npy", "application/x-npy"),
    (bytes(257) + b"ustar\x0000", "a.tar", "application/x-tar"),
    (b"\x80\x04\x95\0\0", "a.pkl", "application/x-pickle"),
    (b"a,b\n1,2\n", "a.csv", "text/csv"),
    (b"a\tb\n", "a.tsv", "text/tab-separated-values"),
    (b'{"a": 1}', "a.json", "application/json"),
    (b"# Title", "notes.md", "text/markdown"),
    (b"<!doctype html>", "a.html", "text/html"),
    (b'<svg xmlns="http://www.w3.org/2000/svg">', "a.svg", "image/svg+xml"),
    (b'<?xml version="1.0"?>\n<svg>', "a.svg", "image/svg+xml"),
    (b"import os\n", "a.py", "text/x-python"),
    (b"hello", "README", TEXT),
    (b"", "empty.csv", "text/csv"),
    (b"", "empty", TEXT),
    ("é".encode()[:1], "cut.txt", TEXT),
    ("a,b\n".encode("utf-16"), "a.csv", "text/csv"),
    (b"\x00\x01\x02\x03", "a.bin", UNKNOWN),
    (b"caf\xe9,1\n", "a.csv", UNKNOWN),
]


@pytest.mark.parametrize(("head", "name", "kind"), KNOWN)
def test_files_are_known_by_bytes_and_ending(head: bytes, name: str, kind: str) -> None:
    assert media_type(head, name) == kind


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"<script>alert(1)</script>", "chart.png", TEXT),
        (b"hello", "chart.svg", TEXT),
        (b"hello", "report.pdf", TEXT),
        (b"hello", "book.xlsx", TEXT),
        (b"\0\1\2", "page.html", UNKNOWN),
        (b"\0\1\2", "chart.png", UNKNOWN),
        (PNG, "page.html", "image/png"),
        (ZIP, "chart.png", "application/zip"),
        (b"\x7fELF\2\1\1\0", "chart.png", "application/x-executable"),
    ],
)
def test_an_ending_makes_nothing_out_of_other_bytes(head: bytes, name: str, kind: str) -> None:
    assert media_type(head, name) == kind


@pytest.mark.parametrize(
    "text", ["BM,Audi\n1,2\n", "GIF89a is a format", "ID3,x", "MThd", "PAR1", "OTTO and Emil"]
)
def test_text_that_begins_like_another_format_is_text(text: str) -> None:
    assert media_type(text.encode(), "a.csv") == "text/csv"


@given(st.text(min_size=1, max_size=400), st.integers(1, HEAD_BYTES))
def test_text_stays_text_wherever_its_head_ends(text: str, size: int) -> None:
    head = text.replace("\0", "").encode()[:size]

    assert media_type(head, "notes") in {TEXT, "application/pdf", "application/rtf"}


@given(st.binary(max_size=600), st.text(max_size=20))
def test_any_bytes_and_any_name_have_a_kind(head: bytes, name: str) -> None:
    kind = media_type(head, name)

    assert kind.count("/") == 1
    assert kind.isascii()
    assert extension_for(kind).startswith(".")


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.CSV", "csv"), ("a/b.tar.gz", "gz"), ("a", ""), (".profile", ""), ("a.b/c", ""), ("", "")],
)
def test_an_ending_is_what_stands_after_the_last_dot(name: str, ending: str) -> None:
    assert ending_of(name) == ending


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/gif", "image/webp"])
def test_pictures_get_the_ending_by_which_they_are_known(kind: str) -> None:
    (head,) = [head for head, _, known in KNOWN if known == kind]

    assert media_type(head, f"x{extension_for(kind)}") == kind


def test_what_is_not_known_has_an_ending_that_nothing_opens() -> None:
    assert extension_for("application/x-surprise; a=b/../c") == ".bin"
