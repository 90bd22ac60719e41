"""A thread as a notebook, a script, a page, an archive: valid, and the same that was done in the thread."""

import base64
import json
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import update

from bot import exporting, holdings, notebook
from bot.cleaning import clean
from bot.execution import CellError, Execution, Outcome
from bot.exporting import NothingThere
from bot.folders import thread_folder
from bot.messages import ThreadId
from bot.notebook import Cell, Part, Shown, Stamp, Work
from bot.store.store import Store
from bot.store.tables import threads
from bot.transcript import Upload
from tests.fakes.ports import FakeSandbox, FakeSession, failed, printed
from tests.store.filled import AT, PNG, THREAD, asked_and_answered, doing

CHART = Shown("chart.png", "image/png", PNG + b"a chart")
TRACEBACK = "Cell In[3], line 1\nZeroDivisionError: division by zero"


def part(*cells: Cell, question: str = "Which month was best?", **facts: object) -> Part:
    return Part("Anna", AT, question, cells=cells, answer="**March**.", **facts)  # type: ignore[arg-type]  # of a Part


def work(*cells: Cell, **facts: object) -> Work:
    return Work(THREAD, (part(*cells),), **facts)  # type: ignore[arg-type]  # of a Work


def test_a_notebook_has_questions_code_outputs_and_answers_in_their_order() -> None:
    drawn = Cell("plot()", Outcome.OK, "before\n[chart.png]\nafter\n", shown=(CHART,))

    made = nbformat.reads(notebook.to_ipynb(work(drawn)), as_version=4)

    assert [cell.cell_type for cell in made.cells] == ["markdown", "markdown", "code", "markdown"]
    assert "> Which month was best?" in made.cells[1].source
    assert made.cells[3].source == "**March**."
    before, image, after = made.cells[2].outputs
    assert (before.text, after.text) == ("before\n", "after\n")
    assert base64.b64decode(image.data["image/png"]) == CHART.data


def test_a_cell_that_failed_shows_its_error_once_and_does_not_end_the_notebook() -> None:
    error = CellError("ZeroDivisionError", "division by zero", TRACEBACK)
    broken = Cell("1 / 0", Outcome.RAISED, f"half\n{TRACEBACK}\n", error)

    (cell,) = [
        each
        for each in nbformat.reads(notebook.to_ipynb(work(broken)), as_version=4).cells
        if each.cell_type == "code"
    ]

    assert [each.output_type for each in cell.outputs] == ["stream", "error"]
    assert cell.outputs[0].text == "half\n"
    assert cell.metadata.tags == ["raises-exception"]


def test_what_is_no_image_stays_a_name() -> None:
    table = Shown("table.csv", "text/csv")

    made = notebook.to_ipynb(work(Cell("t", Outcome.OK, "[table.csv]\n", shown=(table,))))

    (cell,) = [each for each in json.loads(made)["cells"] if each["cell_type"] == "code"]
    assert cell["outputs"][0]["text"] in (["[table.csv]\n"], "[table.csv]\n")


def test_the_same_thread_makes_the_same_notebook() -> None:
    one = work(Cell("1", Outcome.OK, "1\n"))

    assert notebook.to_ipynb(one) == notebook.to_ipynb(one)


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        (None, "not run again"),
        (Stamp(AT, 3, 3), "all 3 cells ended as in the conversation, and put out the same"),
        (Stamp(AT, 3, 3, (1, 2)), "Put out something else: 1, 2."),
        (Stamp(AT, 1, 3, broke=2, why="KeyError"), "1 of 3 cells. Cell 2 ended in another way"),
    ],
)
def test_the_stamp_says_what_came_of_running_it_again(stamp: Stamp | None, said: str) -> None:
    one = work(Cell("1", Outcome.OK), stamp=stamp)

    assert said in notebook.to_md(one)
    ran = json.loads(notebook.to_ipynb(one))["metadata"]["plotline"]["run_again"]
    assert (ran is None) == (stamp is None)
    if stamp:
        assert ran["good"] == stamp.is_good


def run_script(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "notebook.py").write_text(text)
    return subprocess.run(
        [sys.executable, "notebook.py"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_script_runs_with_magics_failures_and_what_was_too_long(tmp_path: Path) -> None:
    text = '''x = """
  first
    second"""
print(x)
raise KeyError("gone")'''
    cells = (
        Cell("%matplotlib inline\n!ls\nvalue = 41 % 7\nprint(value)", Outcome.OK),
        Cell(text, Outcome.RAISED),
        Cell("%%bash\necho no", Outcome.OK),
        Cell("while True: pass", Outcome.TIMED_OUT),
        Cell("return 1", Outcome.RAISED),
        Cell("import asyncio\nawait asyncio.sleep(0)", Outcome.OK),
        Cell("print(x.split())", Outcome.OK),
    )

    done = run_script(notebook.to_py(work(*cells)), tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "6\n\n  first\n    second\nKeyError 'gone'\n['first', 'second']\n"


def test_a_script_keeps_words_out_of_its_code() -> None:
    asked = part(Cell("1", Outcome.OK), question='"""\nimport os; os.abort()\n\n"""')

    made = notebook.to_py(Work(THREAD, (asked,)))

    assert not [line for line in made.splitlines() if "abort" in line and not line.startswith("#")]


@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=200))
@example("", "", "*0")
def test_whatever_was_written_makes_a_valid_notebook(name: str, question: str, code: str) -> None:
    clean = [each.encode("utf-8", "replace").decode() for each in (name, question, code)]
    asked = Part(clean[0], AT, clean[1], cells=(Cell(clean[2], Outcome.RAISED, clean[1]),), answer=clean[1])
    one = Work(THREAD, (asked,))

    nbformat.validate(nbformat.reads(notebook.to_ipynb(one), as_version=4))
    compile(notebook.to_py(one).replace("\0", ""), "x", "exec", dont_inherit=True)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import pandas as pd, numpy.linalg\nfrom os import path", ["pandas", "numpy", "os"]),
        ("  from a.b import c", ["a"]),
        ("x = 'import y'", []),
    ],
)
def test_what_the_code_imports_is_known(code: str, names: list[str]) -> None:
    assert notebook.imported(code) == names


# From the store


class Ended(FakeSandbox):
    """With threads that end."""

    def __init__(self, session: FakeSession) -> None:
        super().__init__(session)
        self.ended: list[ThreadId] = []

    async def end(self, thread: ThreadId, container: str | None = None) -> None:
        self.ended.append(thread)


def sandbox(**does: Execution) -> Ended:
    return Ended(FakeSession(dict(does)))


async def test_a_thread_is_found_as_it_was_worked_on(store: Store) -> None:
    await asked_and_answered(store, "Which month?", sales_csv=b"1,2,3")
    again = await doing(store, "And now?", "U2")
    await again.prompt()
    await again.cell("1 / 0", raises="ZeroDivisionError")
    await again.answer("No.")

    found = await exporting.found(store, THREAD)

    first, second = found.work.parts
    assert (first.asker, first.question, first.files) == ("name of U1", "Which month?", ("sales.csv",))
    assert [cell.code for cell in found.work.cells] == ["plot('Which month?')", "1 / 0"]
    assert first.cells[0].shown[0].data == PNG + b"Which month?"
    assert second.cells[0].error is not None
    assert second.answer == "No."
    assert {name: path.read_bytes() for name, path in found.files.items()} == {"sales.csv": b"1,2,3"}


async def test_a_thread_without_anything_cannot_be_taken_away(store: Store) -> None:
    with pytest.raises(NothingThere):
        await exporting.found(store, THREAD)


async def test_questions_that_were_taken_back_are_not_in_it(store: Store) -> None:
    first = await doing(store, "first")
    await first.prompt()
    await first.answer("no", outcome="superseded")
    await asked_and_answered(store, "second")

    found = await exporting.found(store, THREAD)

    assert [each.question for each in found.work.parts] == ["second"]


async def test_of_two_files_with_one_name_each_question_reads_its_own(store: Store, tmp_path: Path) -> None:
    await asked_and_answered(store, "a", sales_csv=b"old")
    second = await doing(store, "b")
    await second.upload("sales.csv", b"new")
    second.taken.renamed = {"sales.csv": "sales (uploaded 1).csv"}
    second.taken.uploads["sales (uploaded 1).csv"] = Upload("sales (uploaded 1).csv", "a" * 64, AT)
    await second.prompt()
    await second.cell("print(open('sales.csv').read(), open('sales (uploaded 1).csv').read())")
    await second.answer("new")
    found = await exporting.found(store, THREAD)

    exporting.write(found, "zip", tmp_path / "thread.zip")

    elsewhere = tmp_path / "elsewhere"
    with zipfile.ZipFile(tmp_path / "thread.zip") as archive:
        archive.extractall(elsewhere)
    script = "def plot(text): print(text, open('sales.csv').read())\n" + notebook.to_py(found.work)
    for _ in range(2):
        done = run_script(script, elsewhere)
        assert (done.returncode, done.stdout) == (0, "a old\nnew old\n"), done.stderr


async def test_it_is_run_again_in_a_sandbox_of_its_own_and_stamped(store: Store) -> None:
    turn = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
    found = await exporting.found(store, THREAD)
    code, text = "plot('a')", "drawn\n[chart.png]\n"
    fresh = sandbox(**{code: printed(text)})

    good = await exporting.run_again(found, store, fresh, 60)

    assert good.work.stamp is not None
    assert good.work.stamp.is_good
    assert good.work.stamp.differ == ()
    assert fresh.the_session.workspace == {"sales.csv": b"1,2,3"}
    assert all(thread.startswith("export:") for thread in fresh.ended)
    assert [row.id for row in await store.reports.threads()] == [turn.thread]

    other = await exporting.run_again(found, store, sandbox(**{code: printed("else\n")}), 60)
    assert other.work.stamp is not None
    assert (other.work.stamp.is_good, other.work.stamp.differ) == (True, (1,))

    bad = await exporting.run_again(found, store, sandbox(**{code: failed("KeyError")}), 60)
    assert bad.work.stamp is not None
    assert (bad.work.stamp.broke, bad.work.stamp.why, bad.work.stamp.ran) == (1, "KeyError", 0)


async def test_copies_of_a_run_whose_process_has_died_go_after_a_while(store: Store, tmp_path: Path) -> None:
    for age_seconds in (3500.0, 3700.0):
        thread = ThreadId(f"{exporting.PLATFORM}{age_seconds}")
        sha256, _ = await store.blobs.add(thread, b"1,2,3")
        file = {"sha256": sha256, "size_bytes": 5, "modified": 1.0}
        await store.sessions.save(thread, {"files": {"sales.csv": file}, "packages": {}})
        began = {"created_at": time.time() - age_seconds}
        changing = update(threads).where(threads.c.id == thread).values(began)
        await store.database.write(lambda c, s=changing: c.execute(s))  # type: ignore[misc]
        thread_folder(tmp_path, thread).mkdir(parents=True)

    await clean(store, 0)

    assert [thread for thread, _ in await store.sessions.all()] == ["export:3500.0"]
    assert len([path for path in (tmp_path / "blobs").rglob("*") if len(path.name) == 64]) == 1
    assert [path.name for path in (tmp_path / "threads").iterdir()] == ["export%3A3500.0"]


async def test_everything_that_is_held_of_a_person_is_in_one_place(store: Store, tmp_path: Path) -> None:
    await asked_and_answered(store, "of U1", "U1", sales_csv=b"1,2,3")
    await asked_and_answered(store, "of U2", "U2")
    await store.feedback.rate("t", THREAD, "U1", "good", "thanks")

    exporting.zipping.write(tmp_path / "u1.zip", await holdings.everything_of(store, "slack:T1", "U1"))

    with zipfile.ZipFile(tmp_path / "u1.zip") as archive:
        facts = json.loads(archive.read("person.json"))
        files = {name: archive.read(name) for name in archive.namelist() if name != "person.json"}
    assert [(turn["question"], turn["answer"]) for turn in facts["turns"]] == [("of U1", "Answer to of U1")]
    assert facts["turns"][0]["cells"] == ["plot('of U1')"]
    assert facts["ratings"][0]["text"] == "thanks"
    assert b"1,2,3" in files.values()
    assert PNG + b"of U1" in files.values()
    assert "of U2" not in json.dumps(facts)


def test_dates_are_those_of_the_question() -> None:
    one = Work(THREAD, (Part("Anna", datetime(2026, 3, 2, 1, 5, tzinfo=UTC), "?"),))

    assert "2026-03-02 01:05" in notebook.to_md(one)
