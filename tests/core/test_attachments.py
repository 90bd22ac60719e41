"""Names of files."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import NAME_BYTES, older_name, safe_name, unique_name

DAY = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("sales.csv", "sales.csv"),
        ("Umsätze 2026 – Übersicht.xlsx", "Umsätze 2026 – Übersicht.xlsx"),
        ("売上.csv", "売上.csv"),
        ("👨‍👩‍👧.png", "👨‍👩‍👧.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\data.xlsx", "data.xlsx"),
        ("folder/", "folder"),
        (".env", "env"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\n.csv", "ab.csv"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("what?.csv", "what_.csv"),
        ("con.txt", "_con.txt"),
        ("u\u0308.csv", "ü.csv"),
    ],
)
def test_a_name_becomes_safe_and_stays_readable(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


def test_a_long_name_is_cut_before_its_ending() -> None:
    assert safe_name("x" * 300 + ".tar.gz") == "x" * (NAME_BYTES - 7) + ".tar.gz"


@given(st.text())
def test_a_safe_name_never_leaves_its_directory(name: str) -> None:
    safe = safe_name(name)

    assert safe not in {"", ".", ".."}
    assert not set(safe) & set("/\\\0\n\r")
    assert not safe.startswith(".")
    assert len(safe.encode()) <= NAME_BYTES


@given(st.text())
def test_a_safe_name_is_safe_already(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


def test_names_of_older_files_get_more_exact_as_they_have_to() -> None:
    taken: set[str] = set()
    for _ in range(4):
        taken.add(older_name("sales.csv", "uploaded", DAY, taken))

    assert taken == {
        "sales (uploaded 2026-03-02).csv",
        "sales (uploaded 2026-03-02 14.05).csv",
        "sales (uploaded 2026-03-02 14.05) 2.csv",
        "sales (uploaded 2026-03-02 14.05) 3.csv",
    }


def test_the_second_file_of_a_name_gets_a_number() -> None:
    assert unique_name("a.tar.gz", {"a.tar.gz", "a (2).tar.gz"}) == "a (3).tar.gz"


@given(st.text(string.ascii_letters + "./ äß売", max_size=200), st.integers(1, 6))
def test_names_made_from_one_name_are_unique_and_short(name: str, count: int) -> None:
    names: set[str] = {safe_name(name)}
    for _ in range(count):
        names.add(older_name(safe_name(name), "uploaded", DAY, names))
        names.add(unique_name(safe_name(name), names))

    assert len(names) == 1 + 2 * count
    assert all(len(each.encode()) <= NAME_BYTES for each in names)
