"""Answers within Discord's limits: nothing is lost, nothing is torn, nothing leads astray."""

import io
import re
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import files, links, markdown, render, tables
from adapters.discord.files import SentFile
from bot.execution import Artifact
from bot.messages import Output

MIB = 1024 * 1024


def note(number: int, rows: int, columns: int) -> str:
    return f"{rows} × {columns}: table-{number}.xlsx"


def artifact(name: str, size_bytes: int = 10, media_type: str = "text/csv", alt_text: str = "") -> Artifact:
    return Artifact(name, media_type, size_bytes, "0" * 64, Path("/nowhere"), alt_text)


def picture(name: str, size_bytes: int = 10, alt_text: str = "") -> Artifact:
    return artifact(name, size_bytes, "image/png", alt_text)


def pieces(
    text: str = "", *artifacts: Artifact, file_bytes: int = 10 * MIB, **facts: object
) -> tuple[render.Piece, ...]:
    return render.pieces(Output(text, artifacts), file_bytes=file_bytes, **facts)  # type: ignore[arg-type]


def translated(text: str, *hosts: str) -> str:
    return markdown.translate(text, hosts, note).text


def table(rows: int, columns: int = 3, cell: str = "cell") -> str:
    line = "| " + " | ".join([cell] * columns) + " |"
    return "\n".join([line, "|" + "---|" * columns, *[line] * rows])


def test_a_short_answer_is_one_message_with_its_files() -> None:
    (piece,) = pieces("The best month was May.", picture("chart.png", alt_text="A rise"), artifact("a.csv"))

    assert piece.text == "The best month was May."
    assert [(file.name, file.alt_text) for file in piece.pictures] == [("chart.png", "A rise")]
    assert [file.name for file in piece.documents] == ["a.csv"]


def test_a_long_answer_is_split_with_whole_fences() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(20))
    text += (
        "\n\n```python\n"
        + "\n".join(f"line_{number} = {number}" for number in range(600))
        + "\n```\nThe end."
    )

    made = pieces(text)

    assert len(made) > 1
    assert all(render.units(piece.text) <= render.DISPLAYED for piece in made)
    assert all(piece.text.count("```") % 2 == 0 for piece in made)
    together = "".join(piece.text for piece in made)
    assert all(f"line_{number} = {number}\n" in together for number in range(600))


def test_emoji_count_twice() -> None:
    made = pieces("🎉" * 3000)

    assert len(made) == 2


def test_an_endless_answer_is_a_file_with_its_beginning() -> None:
    text = "\n\n".join(f"Paragraph {number}: " + "word " * 150 for number in range(100))

    made = pieces(text, picture("chart.png"))

    assert len(made) == 1
    assert made[0].text.startswith("Paragraph 0")
    assert [file.name for file in made[0].files] == ["answer.md", "chart.png"]
    assert made[0].files[0].source == text.encode()


def test_ten_files_a_message_and_25_mib() -> None:
    many = pieces("x", *(artifact(f"{number}.csv") for number in range(23)))
    heavy = pieces("x", *(artifact(f"{number}.bin", 9 * MIB) for number in range(4)))

    assert [len(piece.files) for piece in many] == [10, 10, 3]
    assert [len(piece.files) for piece in heavy] == [2, 2]
    assert [piece.text for piece in many] == ["x", "", ""]


def test_a_file_too_large_is_named_and_the_rest_arrives() -> None:
    (piece,) = pieces("x", artifact("big.bin", 11 * MIB), artifact("small.csv"))

    assert [file.name for file in piece.files] == ["small.csv"]
    assert "big.bin" in piece.text
    assert "10 MB" in piece.text


def test_a_boosted_place_takes_more_but_never_more_than_a_request_holds() -> None:
    (piece,) = pieces("x", artifact("a.bin", 20 * MIB), artifact("b.bin", 30 * MIB), file_bytes=100 * MIB)

    assert [file.name for file in piece.files] == ["a.bin"]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Q1 sales.csv", "Q1_sales.csv"),
        ("Umsätze (März).xlsx", "Umsatze_Marz.xlsx"),
        ("бюджет.csv", "file.csv"),
        (".env", "env"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("…", "file"),
    ],
)
def test_files_have_names_that_discord_keeps(name: str, sent: str) -> None:
    assert files.wire_name(name) == sent


def test_files_whose_names_change_are_told_and_keep_apart() -> None:
    (piece,) = pieces("x", artifact("бюджет.csv"), artifact("отчёт.csv"))

    assert [file.name for file in piece.files] == ["file.csv", "file-2.csv"]
    assert "file.csv is бюджет.csv" in piece.text


def test_a_table_is_aligned_code() -> None:
    text = translated("| Month | **Sales** |\n|---|---:|\n| May | 1,200 |\n| June | 80 |")

    assert text == "```\nMonth  Sales\n─────  ─────\nMay    1,200\nJune      80\n```"


def test_wide_characters_take_two_columns() -> None:
    text = translated("| 名前 | n |\n|---|---|\n| 東京都 | 1 |\n| a | 2 |")

    assert "東京都  1\n" in text
    assert "a       2\n" in text


def test_a_long_table_shows_its_first_rows_and_comes_as_a_file() -> None:
    (piece,) = pieces(f"Here:\n\n{table(150)}\n\nDone.")

    assert piece.text.count("cell  cell  cell") == tables.ROWS + 1
    assert [file.name for file in piece.files] == ["table-1.xlsx"]
    with zipfile.ZipFile(io.BytesIO(bytes(piece.files[0].source))) as archive:
        assert archive.read("xl/worksheets/sheet1.xml").count(b"<row ") == 151
    assert "150 rows" in piece.text


def test_a_table_too_wide_for_a_phone_is_cut_or_a_file() -> None:
    cut = translated(table(2, 3, "x" * 40))
    wide = translated(table(2, 12, "x" * 10))

    assert max(map(len, cut.splitlines()[1:-2])) <= tables.COLUMNS
    assert "…" in cut
    assert "```" not in wide
    assert wide == "-# 2 × 12: table-1.xlsx"


def test_tables_in_code_stay_code() -> None:
    text = f"```\n{table(1)}\n```"

    assert translated(text) == text


def test_what_discord_does_not_show_is_written_otherwise() -> None:
    text = "#### Small\n\n---\n\n- [ ] open\n- [x] done\n\na<br>b\n\n~~~py\nx\n~~~"

    assert translated(text) == "**Small**\n\n\n\n- ☐ open\n- ☑ done\n\na\nb\n\n```py\nx\n```"


def test_no_code_ends_a_fence_of_discords() -> None:
    text = translated("````md\n```py\nx\n```\n````")

    assert text.count("```") == 2
    assert text.startswith("```md\n")


def test_links_live_only_where_people_named_their_host() -> None:
    text = "[docs](https://known.example/a) [here](https://evil.example/?q=secret) https://evil.example/x."

    assert translated(text, "known.example") == (
        "[docs](<https://known.example/a>) here (`https://evil.example/?q=secret`) `https://evil.example/x`."
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![chart](https://evil.example/t.png)", "chart (`https://evil.example/t.png`)"),
        ("[https://evil.example](https://evil.example)", "`https://evil.example`"),
        ("<https://evil.example/a_b>", "`https://evil.example/a_b`"),
        ("[x](javascript:alert(1))", "x (`javascript:alert(1)`)"),
        ("[wiki](https://evil.example/a_(b))", "wiki (`https://evil.example/a_(b)`)"),
        ('[x](https://evil.example "title")', "x (`https://evil.example`)"),
        ("[x](https://known.example@evil.example/)", "x (`https://known.example@evil.example/`)"),
        ("`https://evil.example`", "`https://evil.example`"),
        ("https://known.example/a_b", "<https://known.example/a_b>"),
        ("a[1] = b(2)", "a[1] = b(2)"),
    ],
)
def test_links_of_every_kind(text: str, shown: str) -> None:
    assert links.checked(text, {"known.example"}) == shown


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "a" * 30_000, "`" * 20_001, '[x](a "' * 5_000, "[x](http://" + "(" * 20_000]
)
def test_no_text_keeps_the_check_busy(text: str) -> None:
    started = time.process_time()

    links.checked(text, ())

    assert time.process_time() - started < 1


def test_links_in_code_stay_as_they_are() -> None:
    text = "```py\nget('https://evil.example/a')\n```"

    assert translated(text) == text


def test_the_plain_form_holds_all_of_it_in_smaller_messages() -> None:
    piece = render.Piece("word " * 700, (SentFile("a.csv", b"1", 1, "a.csv"),))

    made = render.plain(piece)

    assert len(made) == 2
    assert all(len(each.text) <= render.CONTENT for each in made)
    assert [len(each.files) for each in made] == [0, 1]


def test_the_last_resort_is_a_file() -> None:
    piece = render.Piece("the answer", (SentFile("a.csv", b"1", 1, "a.csv"),))

    made = render.as_file(piece, "en")

    assert made.files[0].source == b"the answer"
    assert [file.name for file in made.files] == ["answer.md", "a.csv"]


@given(st.text(alphabet="ab \n`#|-*[]()<>:/.!~🎉é", max_size=400), st.integers(0, 3))
def test_whatever_is_said_every_message_fits_and_no_link_is_alive(text: str, count: int) -> None:
    made = pieces(text * 20, *(artifact(f"{number}.csv") for number in range(count)))

    assert all(render.units(piece.text) <= render.DISPLAYED for piece in made)
    assert all(len(piece.files) <= files.FILES for piece in made)
    outside = re.sub(r"```.*?```|`[^`]*`", "", "\n".join(piece.text for piece in made), flags=re.DOTALL)
    assert "](<http" not in outside


@given(st.lists(st.integers(0, 30 * MIB), max_size=40), st.integers(1, 100 * MIB))
def test_a_plan_keeps_every_bound_and_loses_no_file(sizes: list[int], file_bytes: int) -> None:
    sent = [SentFile(f"{at}", b"", size, f"{at}") for at, size in enumerate(sizes)]

    plan = files.plan(sent, file_bytes)

    planned = [file.name for batch in plan.batches for file in batch]
    assert sorted([*planned, *plan.too_large]) == sorted(file.name for file in sent)
    for batch in plan.batches:
        assert len(batch) <= files.FILES
        assert sum(file.size_bytes for file in batch) <= files.REQUEST_BYTES
        assert all(file.size_bytes <= file_bytes for file in batch)
