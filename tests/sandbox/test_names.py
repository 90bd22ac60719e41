"""Which names a file in a workspace may have."""

import os.path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.guest.workspace import NAME_BYTES as GUEST_NAME_BYTES
from sandbox.names import NAME_BYTES, is_by_the_way, is_workspace_name

parts = st.sampled_from(["", ".", "..", "a", "b c", "…", "\0", "~", ".git", "a\n", "C:\\x"]) | st.text(
    max_size=5
)
paths = st.lists(parts, max_size=6).map("/".join)


@given(paths | st.text(max_size=30))
@example("a/../../b")
@example("/etc/passwd")
def test_a_workspace_name_stays_beneath_the_workspace(name: str) -> None:
    if is_workspace_name(name):
        assert os.path.normpath(f"/workspace/{name}") == f"/workspace/{name}"
        assert os.fsencode(name).decode() == name


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_names_of_ordinary_parts_are_allowed(parts: list[str]) -> None:
    name = "/".join(parts)

    assert is_workspace_name(name) == (not {".", ".."} & set(parts))


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/", "/a", "a/", "a//b", "./a", "a/.", "../a", "a/..", "a\0b", "\ud800", "f\udcff"],
)
def test_other_ways_to_write_a_path_are_none(name: str) -> None:
    assert not is_workspace_name(name)


@pytest.mark.parametrize("character", ["a", "é", "漢", "🙂"])
def test_length_is_counted_in_bytes(character: str) -> None:
    most = NAME_BYTES // len(character.encode())

    assert is_workspace_name(character * most)
    assert not is_workspace_name(character * (most + 1))


def test_a_box_speaks_of_no_name_that_is_too_long_for_the_host() -> None:
    assert GUEST_NAME_BYTES == NAME_BYTES


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        ".cache/fonts.json",
        "a/.ipynb_checkpoints/b.ipynb",
        "__pycache__/m.cpython-313.pyc",
        "~$report.docx",
        "a/~$b.xlsx",
    ],
)
def test_caches_hidden_files_and_locks_are_by_the_way(name: str) -> None:
    assert is_by_the_way(name)


@pytest.mark.parametrize("name", ["a.csv", "a/b.csv", "a.b/c.d", "pycache/x", "~x", "a~$b", "$x", "…"])
def test_other_files_are_not(name: str) -> None:
    assert not is_by_the_way(name)
