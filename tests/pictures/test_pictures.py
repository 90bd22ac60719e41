"""The pictures of the README: they show what was sent, and are light enough for a page."""

from html import unescape
from pathlib import Path

import pytest

from tests.pictures.__main__ import PAGES
from tests.pictures.played import QUESTION, ROOT, play

BYTES = 200_000


@pytest.mark.docker
@pytest.mark.parametrize("platform", PAGES)
async def test_a_page_shows_the_question_the_answer_the_chart_and_the_buttons(
    platform: str, tmp_path: Path
) -> None:
    played = await play(platform, tmp_path)

    page = unescape(PAGES[platform](played))

    answer = ["<strong>October</strong> was the best month", "37,947 €", "All 260 rows"]
    for shown in [
        QUESTION,
        "sales.csv",
        *answer,
        "Show code",
        "Edit & run",
        "Notebook",
        "Delete",
        "👍",
        "👎",
    ]:
        assert shown in page
    assert page.count('<img src="data:image/png;base64,') == 1
    assert page.index(QUESTION) < page.index("October")


@pytest.mark.parametrize("platform", PAGES)
def test_a_picture_is_there_and_light(platform: str) -> None:
    content = (ROOT / "docs" / f"{platform}.png").read_bytes()

    assert content.startswith(b"\x89PNG")
    assert len(content) <= BYTES
