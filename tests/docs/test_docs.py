"""What the documentation names is there: pages, files, tests. What it says of them only people can check."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
PLACES = ("adapters", "benchmarks", "bot", "docs", "examples", "sandbox", "setup", "tests")


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ +(.+?)\s*$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def quoted(page: Path) -> Iterator[str]:
    yield from re.findall(r"`([^`\n]+)`", text_of(page))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)) if "://" not in link]
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    paths = [name for name in quoted(page) if re.fullmatch(rf"({'|'.join(PLACES)})/[\w./-]*", name)]

    assert [name for name in paths if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    for name in quoted(page):
        file, _, test = name.partition("::")
        if test:
            assert re.search(rf"def {re.escape(test)}\b", (ROOT / file).read_text("utf-8")), name


def test_every_module_of_the_picture_is_there() -> None:
    """Names without a folder, as `channel.py`, stand for a module of one of the packages."""
    known = {path.name for place in ("adapters", "bot", "sandbox") for path in (ROOT / place).rglob("*.*")}
    named = {name for name in quoted(ROOT / "docs/architecture.md") if re.fullmatch(r"[\w]+\.(py|md)", name)}

    assert named - known == set()


def test_the_smallest_adapter_has_as_many_lines_as_is_said() -> None:
    folder = ROOT / "adapters" / "console"
    lines = {each.name: len(text_of(each).splitlines()) for each in folder.glob("*.py")}
    said = text_of(ROOT / "docs" / "adapters.md")

    assert f"`thread.py` is the whole port in {lines['thread.py']} lines" in said
    assert f"it is {sum(lines.values())}." in said
