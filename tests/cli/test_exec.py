"""`plotline exec` with real containers: cells without a model."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.terminal import CTRL_C

pytestmark = pytest.mark.docker

PLOT = """\
import matplotlib.pyplot as plt
plt.plot([1, 2, 3], [1, 4, 9])
plt.title("Squares")
"""


def test_the_value_of_the_last_line_is_shown(boxed: Program) -> None:
    done = boxed.run("exec", "-", stdin="x = 20\nx + 22")

    assert (done.code, done.stdout) == (0, "42\n")


def test_json_is_one_object_of_a_fixed_shape(boxed: Program) -> None:
    boxed.write("hello.py", "print('hello')")

    result = boxed.run("exec", "hello.py", "--json").json

    assert list(result) == ["outcome", "text", "error", "artifacts", "seconds", "cells"]
    assert (result["outcome"], result["text"], result["error"]) == ("ok", "hello\n", None)
    assert result["artifacts"] == result["cells"] == []
    assert 0 < result["seconds"] < 10


def test_successive_files_are_successive_cells(boxed: Program) -> None:
    boxed.write("one.py", "x = 1\nprint('one')")
    boxed.write("two.py", "\ufeffx += 1\nprint('two')")

    result = boxed.run("exec", "one.py", "two.py", "-", "--json", stdin="x").json

    assert result["text"].strip() == "2"
    assert [each["text"] for each in result["cells"]] == ["one\n", "two\n"]
    assert list(result["cells"][0]) == ["outcome", "text", "error", "artifacts", "seconds"]


def test_cells_after_one_that_failed_are_run_and_the_exit_code_tells(boxed: Program) -> None:
    boxed.write("bad.py", "kept = 1\n1 / 0")
    boxed.write("good.py", "kept")

    done = boxed.run("exec", "bad.py", "good.py", "--json")

    assert done.code == 1
    assert [each["outcome"] for each in (*done.json["cells"], done.json)] == ["raised", "ok"]


def test_a_thread_goes_on_in_another_process(boxed: Program) -> None:
    boxed.run("exec", "-", "--thread", "t", stdin="x = 41\nopen('kept.txt', 'w').write('here')")

    done = boxed.run("exec", "-", "--thread", "console:t", stdin="x + 1, open('kept.txt').read()")

    assert done.stdout == "(42, 'here')\n"


def test_without_a_thread_nothing_is_there_from_before(boxed: Program) -> None:
    boxed.run("exec", "-", stdin="x = 1")

    done = boxed.run("exec", "-", "--json", stdin="x")

    assert done.json["error"]["name"] == "NameError"


def test_an_exception_comes_with_its_traceback(boxed: Program) -> None:
    done = boxed.run("exec", "-", "--json", stdin="print('before')\n{}['price']")

    assert done.code == 1
    assert done.json["outcome"] == "raised"
    assert (done.json["error"]["name"], done.json["error"]["message"]) == ("KeyError", "'price'")
    assert "line 2" in done.json["error"]["traceback"]
    assert done.json["text"].startswith("before\n")


def test_a_cell_that_runs_too_long_is_stopped_and_what_was_defined_stays(boxed: Program) -> None:
    late = boxed.run(
        "exec", "-", "--thread", "t", "--timeout", "1", "--json", stdin="x = 1\nwhile True: pass"
    )
    after = boxed.run("exec", "-", "--thread", "t", stdin="x")

    assert (late.code, late.json["outcome"]) == (1, "timed_out")
    assert 1 <= late.json["seconds"] < 8
    assert after.stdout == "1\n"


def test_a_cell_that_needs_too_much_memory_says_so(boxed: Program) -> None:
    boxed.env |= {"LIMITS__MEMORY_BYTES": str(256 * 1024**2), "LIMITS__WORKSPACE_BYTES": str(64 * 1024**2)}

    done = boxed.run("exec", "-", "--json", stdin="x = bytearray(1024**3)")

    assert (done.code, done.json["outcome"]) == (1, "out_of_memory")


def test_a_cell_that_was_stopped_says_why_where_there_is_no_terminal(boxed: Program) -> None:
    done = boxed.run("exec", "-", "--timeout", "1", stdin="while True: pass")

    assert (done.code, done.stderr) == (1, "It was stopped because it ran too long.\n")


def test_ctrl_c_interrupts_the_cell(boxed: Program) -> None:
    boxed.write("loop.py", "kept = 7\nprint('begun')\nwhile True: pass")
    with boxed.terminal("exec", "loop.py", "--thread", "t") as terminal:
        terminal.wait_for("kept = 7")  # the line at the foot of the screen: it is running
        terminal.wait_for("1 s")
        terminal.press(CTRL_C)
        terminal.wait_for("✗")
        terminal.wait_for("interrupted")

        assert terminal.exit_code() == 1

    assert boxed.run("exec", "-", "--thread", "t", stdin="kept").stdout == "7\n"


def test_a_container_that_goes_away_is_a_lost_cell(boxed: Program) -> None:
    boxed.write("wait.py", "import time\ntime.sleep(60)")
    with boxed.terminal("exec", "wait.py") as terminal:
        terminal.wait_for("1 s")
        for box in boxed.boxes():
            subprocess.run(["docker", "kill", box], check=True, capture_output=True)
        terminal.wait_for("lost")

        assert terminal.exit_code() == 1


def test_a_file_lies_there_under_its_name(boxed: Program) -> None:
    boxed.write("Umsatz 2026 (final).csv", "a,b\n1,2\n")
    boxed.write("other/Umsatz 2026 (final).csv", "other")

    done = boxed.run(
        "exec",
        "-",
        "--file",
        "Umsatz 2026 (final).csv",
        "--file",
        "other/Umsatz 2026 (final).csv",
        stdin="import os; print(sorted(os.listdir())); print(open('Umsatz 2026 (final).csv').read())",
    )

    assert done.stdout.startswith("['Umsatz 2026 (final) (2).csv', 'Umsatz 2026 (final).csv']\na,b\n1,2\n")


def test_a_file_that_is_too_large_is_named_with_the_limit(boxed: Program) -> None:
    boxed.env["LIMITS__ATTACHMENT_BYTES"] = "1000"
    boxed.write("big.bin", b"x" * 1001)

    done = boxed.run("exec", "-", "--file", "big.bin", "--json", stdin="1")

    assert done.code == 1
    assert done.json["text"] == "big.bin is 1001 B; the limit here is 1000 B."


def test_a_figure_is_saved_where_it_was_asked_for(boxed: Program) -> None:
    result = boxed.run("exec", "-", "--out", "charts", "--json", stdin=PLOT).json

    (chart,) = result["artifacts"]
    path = Path(chart["path"])
    assert list(chart) == ["name", "media_type", "size_bytes", "path", "alt_text"]
    assert path == boxed.directory / "charts" / chart["name"]
    assert path.read_bytes().startswith(b"\x89PNG")
    assert (chart["media_type"], chart["size_bytes"]) == ("image/png", path.stat().st_size)
    assert "Squares" in chart["alt_text"]


def test_without_a_place_files_go_to_one_of_their_threads(boxed: Program) -> None:
    done = boxed.run("exec", "-", "--thread", "t", stdin="open('table.csv', 'w').write('a,b')")

    assert (boxed.directory / "plotline-out" / "t" / "table.csv").read_text() == "a,b"
    assert re.search(r"^table\.csv  3 B  plotline-out/t/table\.csv$", done.stdout, re.MULTILINE)


def test_an_earlier_file_of_that_name_is_not_overwritten(boxed: Program) -> None:
    for content in ("one", "two"):
        boxed.run("exec", "-", "--out", ".", stdin=f"open('a.txt', 'w').write('{content}')")

    assert (boxed.directory / "a.txt").read_text() == "one"
    assert (boxed.directory / "a (2).txt").read_text() == "two"


def test_an_unreachable_engine_is_not_set_up(boxed: Program) -> None:
    boxed.env["DOCKER_HOST"] = "unix:///nonexistent.sock"

    done = boxed.run("exec", "-", "--json", stdin="1")

    assert done.code == 3
    assert done.json["status"] == "error"
    assert done.stderr.count("Traceback") == 0


def test_a_missing_image_is_not_set_up(boxed: Program) -> None:
    boxed.env["SANDBOX_IMAGE"] = "plotline-sandbox:not-there"

    done = boxed.run("exec", "-", stdin="1")

    assert done.code == 3
    assert "make image" in done.stderr


def test_a_reader_that_leaves_early_causes_no_traceback(boxed: Program) -> None:
    boxed.write("many.py", "print('line\\n' * 10_000)")

    with boxed.start("exec", "many.py") as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        said = running.stderr.read().decode()
        running.wait(60)

    assert running.returncode in {1, -signal.SIGPIPE}
    assert said == ""
