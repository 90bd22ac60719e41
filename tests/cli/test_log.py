"""Log records: where they go, what they look like, and what they never hold."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import log


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    for ours in ("bot", "adapters", "sandbox"):
        logging.getLogger(ours).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    shown = capsys.readouterr()
    assert shown.out == ""
    return [json.loads(line) for line in shown.err.splitlines()]


def ours(name: str = "bot.cells") -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def test_records_for_collectors_are_one_object_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "json")

    with structlog.contextvars.bound_contextvars(thread="console:t"):
        ours().info("cell.ran", outcome="ok", text="two\nlines")

    (record,) = records(capsys)
    assert record.pop("timestamp")
    assert record == {
        "event": "cell.ran",
        "level": "info",
        "thread": "console:t",
        "outcome": "ok",
        "text": "two\nlines",
    }


def test_text_begins_with_when_how_bad_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "text")

    ours().info("cell.ran", seconds=1.5)

    assert capsys.readouterr().err.split(" ", 1)[1] == "level=info event=cell.ran seconds=1.5\n"


def test_what_is_less_important_than_asked_for_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning", "json")

    ours().info("cell.ran")
    ours().warning("turn.failed")

    assert [record["event"] for record in records(capsys)] == ["turn.failed"]


def test_libraries_are_heard_from_warnings_on_and_in_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "json")

    logging.getLogger("openai").info("HTTP Request: POST https://…")
    logging.getLogger("asyncio").warning("%s took long", "something")

    assert [record["event"] for record in records(capsys)] == ["something took long"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_holds_no_variables(capsys: pytest.CaptureFixture[str], form: log.Form) -> None:
    log.configure("error", form)

    def failing(key: str) -> None:
        raise RuntimeError(f"a key of {len(key)} characters")

    try:
        failing("-".join(["sk", "secret"]))
    except RuntimeError:
        ours().exception("turn.crashed")

    said = capsys.readouterr().err
    assert "a key of 9 characters" in said
    assert "sk-secret" not in said
    assert said.count("\n") == 1
