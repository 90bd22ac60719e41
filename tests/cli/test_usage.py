"""What the program says when it is called in a way that cannot work. Needs no engine and no model."""

import re
import time
from pathlib import Path

import pytest

from bot.cli import installing, operating
from tests.cli.conftest import Program

COMMANDS = {
    *("ask", "exec", "chat", "serve", "doctor", "pause", "resume", "block", "unblock"),
    *installing.COMMANDS,
    *operating.COMMANDS,
}
ACTIONS = {"slack": ["manifest", "setup"], "discord": ["invite"]}


@pytest.mark.parametrize(
    "command",
    sorted(COMMANDS) + [f"{command} {action}" for command, actions in ACTIONS.items() for action in actions],
)
def test_every_command_has_help_with_an_example(plotline: Program, command: str) -> None:
    done = plotline.run(*command.split(), "--help")

    assert done.code == 0
    assert re.search(
        rf"(^  |\| |=\S+ )plotline {command}\b", done.stdout.partition("example")[2], re.MULTILINE
    )


def test_help_names_every_command_and_exit_code(plotline: Program) -> None:
    shown = plotline.run("--help").stdout

    assert set(re.findall(r"^    (\w+) ", shown, re.MULTILINE)) == COMMANDS
    assert all(f" {code} " in shown for code in range(4))


@pytest.mark.parametrize("command", ACTIONS)
def test_help_of_a_command_names_what_it_can_do(plotline: Program, command: str) -> None:
    shown = plotline.run(command, "--help").stdout

    assert re.findall(r"^    (\w+) ", shown, re.MULTILINE) == ACTIONS[command]


def test_help_waits_for_no_library(plotline: Program) -> None:
    plotline.env["PYTHONPROFILEIMPORTTIME"] = "1"

    loaded = plotline.run("--help").stderr

    assert "argparse" in loaded
    assert not any(
        f" {library}\n" in loaded for library in ("pydantic", "rich", "docker", "openai", "structlog")
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["run"], "'run'"),
        (["ask"], "QUESTION"),
        (["ask", "Why?", "--colour"], "--colour"),
        (["ask", "Why?", "--thread", ""], "--thread"),
        (["exec"], "FILE"),
        (["exec", "-", "--timeout", "0"], "--timeout"),
        (["exec", "-", "--timeout", "nan"], "--timeout"),
        (["exec", "-", "--timeout", "soon"], "--timeout"),
        (["exec", "-", "-"], "stdin"),
        (["exec", "missing.py"], "missing.py cannot be read: no such file or directory."),
        (["exec", "."], ". cannot be read: is a directory."),
        (["ask", "Why?", "--file", "missing.csv"], "missing.csv cannot be taken: no such file or directory."),
        (["ask", "Why?", "--file", "."], ". cannot be taken: not a file."),
        (["exec", "-", "--file", "missing.csv"], "missing.csv cannot be taken: no such file or directory."),
        (["ask", "Why?", "--out", "/etc/passwd/here"], "/etc/passwd/here"),
        (["serve", "--role", "boss"], "--role"),
        (["doctor", "--channel", "#general chat"], "--channel"),
        (["slack"], "ACTION"),
        (["slack", "manifest", "--without", "mentions"], "'mentions' cannot be left out, only: agent,"),
        (["slack", "manifest", "--url", "http://example.org/"], "https://"),
        (["discord", "invite", "--application", "plotline"], "--application"),
        (["feedback", "--value", "so-so"], "--value"),
    ],
)
def test_wrong_usage_is_named_in_one_sentence(plotline: Program, arguments: list[str], said: str) -> None:
    done = plotline.run(*arguments)

    assert done.code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("plotline: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_no_text_is_not_run(plotline: Program) -> None:
    plotline.write("photo.py", b"\xff\xd8\xff\xe0")

    done = plotline.run("exec", "photo.py")

    assert (done.code, done.stderr) == (2, "plotline: photo.py is not text in UTF-8.\n")


def test_with_json_wrong_usage_is_an_object_too(plotline: Program) -> None:
    done = plotline.run("ask", "Why?", "--file", "missing.csv", "--json")

    assert done.code == 2
    assert done.stderr == ""
    assert done.json == {
        "status": "error",
        "text": "missing.csv cannot be taken: no such file or directory.",
        "artifacts": [],
        "cells": [],
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": None},
        "seconds": 0.0,
    }


def test_with_json_a_cell_that_could_not_run_has_no_outcome(plotline: Program) -> None:
    done = plotline.run("exec", "missing.py", "--json")

    assert done.code == 2
    assert done.json == {
        "status": "error",
        "outcome": None,
        "text": "missing.py cannot be read: no such file or directory.",
        "error": None,
        "artifacts": [],
        "seconds": 0.0,
        "cells": [],
    }


@pytest.mark.parametrize("command", [["ask", "Hello?"], ["chat"], ["serve"]])
def test_without_a_model_the_program_says_what_to_set(plotline: Program, command: list[str]) -> None:
    done = plotline.run(*command)

    assert done.code == 3
    assert all(name in done.stderr for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "plotline doctor"))


def test_a_directory_that_cannot_be_written_to_is_found_before_any_work(
    plotline: Program, tmp_path: Path
) -> None:
    plotline.write("taken", "a file")

    done = plotline.run("ask", "Hello?", "--out", "taken/here")

    assert done.code == 2
    assert "--out" in done.stderr


def test_help_comes_at_once(plotline: Program) -> None:
    durations = []
    for _ in range(5):
        started = time.monotonic()
        plotline.run("--help")
        durations.append(time.monotonic() - started)

    # 80 ms on a quiet machine; this one may be busy.
    assert min(durations) < 0.5
