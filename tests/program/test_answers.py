"""Answers of every length and shape, as people read them."""

import csv
import io
import re
import zipfile

import pytest

from tests.fakes.openai_answers import Says
from tests.fakes.openai_server import OpenAIServer
from tests.program.console import ConsoleTown
from tests.program.serving import Serving
from tests.program.towns import Anywhere, Talk, Town
from tests.program.waiting import until

LONG = 60_000
WORDS = "with-so-few-pieces-that-the-endpoint-takes-no-time-to-send-them"
ROWS = 150


def lines(characters: int) -> list[str]:
    each = len(f"Line 0000 {WORDS}\n")
    return [f"Line {number:04} {WORDS}" for number in range(characters // each)]


@pytest.mark.parametrize(
    "fence", [pytest.param("", marks=pytest.mark.chaos), "python"], ids=["prose", "code"]
)
async def test_a_long_answer_arrives_whole(
    town: Anywhere, serving: Serving, model: OpenAIServer, fence: str
) -> None:
    said = lines(LONG)
    text = "\n".join(["It begins.", *([f"```{fence}"] if fence else []), *said, *(["```"] if fence else [])])
    model.otherwise = Says(f"{text}\n\nIt ends.")
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("Tell me all")

        await until(lambda: serving.logged("turn.ended"))
        assert "It ends." in whole(town, talk)
        assert re.findall(rf"Line \d{{4}} {WORDS}", whole(town, talk)) == said
        assert all(each.count("```") % 2 == 0 for each in town.read(talk))


async def test_what_stands_between_fences_stays_between_fences(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    blocks = [lines(9_000)[at : at + 40] for at in range(0, 120, 40)]
    model.otherwise = Says(
        "\n\n".join(["First:", *(f"```\n{chr(10).join(each)}\n```\n\nThen:" for each in blocks), "Done."])
    )
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("Show me three blocks")

        await until(lambda: serving.logged("turn.ended"))
        inside = [
            line
            for each in town.read(talk)
            for block in re.findall(r"```\w*\n(.*?)\n```", each, flags=re.DOTALL)
            for line in block.splitlines()
        ]
        assert inside == [line for block in blocks for line in block]


async def test_of_a_long_table_no_row_is_lost(town: Anywhere, serving: Serving, model: OpenAIServer) -> None:
    rows = [f"| town {number} | {number * 7} |" for number in range(ROWS)]
    model.otherwise = Says("\n".join(["These are all:", "", "| name | people |", "|---|---:|", *rows]))
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("List them")

        await until(lambda: serving.logged("turn.ended"))
        await until(lambda: any("These are all" in each for each in town.read(talk)))
        assert table_of(town, talk) == [
            ["name", "people"],
            *([f"town {n}", f"{n * 7}"] for n in range(ROWS)),
        ]


def table_of(town: Anywhere, talk: Talk) -> list[list[str]]:
    """In a file that people are told of; at a terminal as it came."""
    said = town.read(talk)
    if isinstance(town, ConsoleTown):
        lines = [line.strip("|").split("|") for line in said[0].splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line] for line in lines]
    ((name, content),) = town.files(talk).items()
    assert any(name in each for each in said)
    return table_in(name, content)


def whole(town: Anywhere, talk: Talk) -> str:
    """With what came as a file since it is too long for messages."""
    files = [content.decode() for name, content in town.files(talk).items() if name.endswith(".md")]
    return "\n".join(files or town.read(talk))


def table_in(name: str, content: bytes) -> list[list[str]]:
    if name.endswith(".csv"):
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    return [
        [
            text or number
            for text, number in re.findall(r"<c[^>]*>(?:<is><t[^>]*>(.*?)</t></is>|<v>(.*?)</v>)", row)
        ]
        for row in re.findall(r"<row.*?</row>", sheet, flags=re.DOTALL)
    ]
