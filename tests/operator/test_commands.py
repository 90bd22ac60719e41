"""The operator's commands, as people type them: `threads`, `turns`, `usage`, `audit`, `feedback`, `forget` and more."""

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import nbformat
import pytest

from bot.messages import ThreadId
from bot.store.store import Store
from tests.cli.conftest import Program, boxed, plotline  # noqa: F401  # fixtures
from tests.store.filled import THREAD, asked_and_answered
from tests.store.postgres import Cluster

OTHER = ThreadId("slack:T2/C1/1")


def fill(program: Program, work: Callable[[Store], Awaitable[object]]) -> None:
    async def filling() -> None:
        async with Store.opened(Path(program.env["DATA_DIR"])) as store:
            await work(store)

    asyncio.run(filling())


@pytest.fixture
def filled(plotline: Program) -> Program:  # noqa: F811
    async def work(store: Store) -> None:
        await asked_and_answered(store, "a secret question", "U1", sales_csv=b"1,2,3")
        await asked_and_answered(store, "another one", "U2", OTHER)

    fill(plotline, work)
    return plotline


def test_threads_are_listed(filled: Program) -> None:
    assert [each["id"] for each in filled.run("threads", "--json").json] == [OTHER, THREAD]
    assert [each["id"] for each in filled.run("threads", "--user", "U1", "--json").json] == [THREAD]
    assert THREAD in filled.run("threads").stdout


def test_turns_are_listed_without_what_was_said(filled: Program) -> None:
    listed = filled.run("turns", "--thread", THREAD, "--json")

    (turn,) = listed.json
    assert (turn["user"], turn["state"], turn["outcome"]) == ("U1", "ended", "ok")
    assert "secret" not in json.dumps({name: value for name, value in turn.items() if name != "id"})
    assert filled.run("audit", "--json").json == []


def test_looking_at_what_was_said_is_noted(filled: Program) -> None:
    (turn,) = filled.run("turns", "--thread", THREAD, "--content", "--json").json

    (entry,) = filled.run("audit", "--json").json
    assert turn["question"] == "a secret question"
    assert (entry["kind"], entry["thread"], entry["facts"]["turns"]) == ("looked", THREAD, 1)
    assert entry["user"].startswith("operator:")


def test_what_people_thought_of_answers_is_listed(filled: Program) -> None:
    async def work(store: Store) -> None:
        await store.feedback.rate("t1", THREAD, "U1", "good", "a secret reason")
        await store.feedback.rate("t2", OTHER, "U2", "bad")

    fill(filled, work)

    first, second = filled.run("feedback", "--json").json
    assert (first["turn"], first["value"], first["thread"], first["user"]) == ("t1", "good", THREAD, "U1")
    assert (second["turn"], second["value"]) == ("t2", "bad")
    assert "secret" not in json.dumps(first)
    assert first["at"].startswith("20")
    shown = filled.run("feedback").stdout
    assert re.search(r"👍 +U1 +t1", shown)
    assert re.search(r"👎 +U2 +t2", shown)


@pytest.mark.parametrize(
    ("arguments", "turns"),
    [
        (["--value", "bad"], ["t2"]),
        (["--team", "slack:T1"], ["t1"]),
        (["--thread", OTHER], ["t2"]),
        (["--user", "U1"], ["t1"]),
        (["--limit", "1"], ["t2"]),
        (["--days", "1"], ["t1", "t2"]),
    ],
)
def test_what_people_thought_is_found_by_what_one_looks_for(
    filled: Program, arguments: list[str], turns: list[str]
) -> None:
    async def work(store: Store) -> None:
        await store.feedback.rate("t1", THREAD, "U1", "good")
        await store.feedback.rate("t2", OTHER, "U2", "bad")

    fill(filled, work)

    assert [each["turn"] for each in filled.run("feedback", *arguments, "--json").json] == turns


def test_lists_of_nothing_are_no_error(plotline: Program) -> None:  # noqa: F811
    for command in ("threads", "turns", "usage", "audit", "feedback"):
        assert plotline.run(command, "--json").json == []
        assert plotline.run(command).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forget"], "--user"),
        (["forget", "--user", "U1", "--team", "slack:T1"], "--team"),
        (["forget", "--user", "U9", "--yes"], "Nothing is held of U9."),
        (["export"], "--thread"),
        (["export", "--thread", "nobody"], "Nothing was asked in console:nobody"),
        (["audit", "--event", "gossip"], "There is no event 'gossip', only: asked,"),
        (["turns", "--limit", "0"], "--limit"),
        (["usage", "--days", "-1"], "--days"),
        (["backup"], "DIR"),
    ],
)
def test_wrong_usage_is_named_in_one_sentence(
    plotline: Program,  # noqa: F811
    arguments: list[str],
    said: str,
) -> None:
    done = plotline.run(*arguments)

    assert done.code == 2
    assert done.stderr.startswith("plotline: ")
    assert said in done.stderr


def test_deleting_a_person_says_what_it_did_and_what_it_cannot_reach(filled: Program) -> None:
    done = filled.run("forget", "--user", "U1", "--yes", "--json").json

    assert (done["turns"], done["threads"], done["files"]) == (1, 1, 3)
    assert any("chat platform" in each and "slack:T1/C1" in each for each in done["not_reached"])
    assert any("api.openai.com" in each for each in done["not_reached"])
    assert [each["id"] for each in filled.run("threads", "--json").json] == [OTHER]
    assert [each["kind"] for each in filled.run("audit", "--json").json] == ["deleted"]


def test_nothing_is_deleted_without_a_yes(filled: Program) -> None:
    assert filled.run("forget", "--team", "slack:T1", stdin="no\n").code == 1
    assert filled.run("forget", "--team", "slack:T1", stdin="").code == 1
    assert len(filled.run("threads", "--json").json) == 2

    assert filled.run("forget", "--team", "slack:T1", stdin="yes\n").code == 0
    assert len(filled.run("threads", "--json").json) == 1


def test_a_person_of_several_teams_has_to_be_named_with_the_team(filled: Program) -> None:
    fill(filled, lambda store: asked_and_answered(store, "again", "U1", OTHER))

    asked = filled.run("forget", "--user", "U1", "--yes")

    assert asked.code == 2
    assert "slack:T1/U1, slack:T2/U1" in asked.stderr
    assert filled.run("forget", "--user", "slack:T2/U1", "--yes").code == 0


def test_all_that_is_held_of_a_person_is_handed_out(filled: Program) -> None:
    done = filled.run("export", "--user", "slack:T1/U1", "--json").json

    with zipfile.ZipFile(done["file"]) as archive:
        assert json.loads(archive.read("person.json"))["turns"][0]["question"] == "a secret question"
    assert [each["kind"] for each in filled.run("audit", "--json").json] == ["exported"]


def test_a_backup_is_restored_into_another_directory(filled: Program, tmp_path: Path) -> None:
    made = filled.run("backup", str(tmp_path / "backup"), "--json").json
    assert made["files"] > 0
    again = filled.run("restore", str(tmp_path / "backup"))
    assert (again.code, "holds a store already" in again.stderr) == (1, True)

    filled.env["DATA_DIR"] = str(tmp_path / "elsewhere")

    assert filled.run("restore", str(tmp_path / "backup")).code == 0
    assert len(filled.run("threads", "--json").json) == 2


def test_what_lies_elsewhere_has_its_own_tools(filled: Program, tmp_path: Path) -> None:
    filled.env["DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"

    done = filled.run("backup", str(tmp_path / "backup"))

    assert (done.code, "pg_dump" in done.stderr) == (2, True)


def test_a_backup_becomes_a_store_in_postgres(filled: Program, tmp_path: Path, postgres: Cluster) -> None:
    assert filled.run("backup", str(tmp_path / "backup")).code == 0
    filled.env["DATABASE_URL"] = postgres.new_database()

    done = filled.run("restore", str(tmp_path / "backup"))

    assert (done.code, done.stderr) == (0, "")
    assert len(filled.run("threads", "--json").json) == 2


SCRIPT = """\
## best

```python
rows = [line.split(",") for line in open("sales.csv").read().split()]
print('{"best": "%s"}' % max(rows, key=lambda row: int(row[1]))[0])
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```

---

It was **{best}**.
"""


@pytest.mark.docker
def test_a_thread_is_handed_out_as_a_notebook_that_runs_elsewhere(
    boxed: Program,  # noqa: F811
    tmp_path: Path,
) -> None:
    boxed.env["MODEL_SCRIPT"] = str(boxed.write("script.md", SCRIPT))
    boxed.write("sales.csv", "March,3\nMay,5\n")
    asked = boxed.run("ask", "Which was best?", "--file", "sales.csv", "--thread", "t1", "--json").json
    assert "May" in asked["text"]

    # The second file takes the name of the first one.
    boxed.write("sales.csv", "June,9\nJuly,7\n")
    asked = boxed.run("ask", "And which was best?", "--file", "sales.csv", "--thread", "t1", "--json").json
    assert "June" in asked["text"]

    done = boxed.run("export", "--thread", "t1", "--json").json

    assert (done["good"], done["ran"], done["differ"]) == (True, 2, [])
    assert done["files"] == ["uploads/1/sales.csv", "uploads/2/sales.csv"]
    with zipfile.ZipFile(done["file"]) as archive:
        archive.extractall(tmp_path / "elsewhere")
    made = nbformat.read(tmp_path / "elsewhere" / "notebook.ipynb", as_version=4)
    assert "all 2 cells ended as in the conversation" in made.cells[0].source
    assert "image/png" in json.dumps(made)
    assert "matplotlib==" in (tmp_path / "elsewhere" / "requirements.txt").read_text()
    ran = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path / "elsewhere",
        env={"MPLBACKEND": "agg", "HOME": str(tmp_path), "PATH": boxed.env["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert '{"best": "May"}' in ran.stdout, ran.stderr
    assert '{"best": "June"}' in ran.stdout, ran.stderr
    assert [each["id"] for each in boxed.run("threads", "--json").json] == ["console:t1"]
