"""What a turn has done so far, as Slack's task cards and as lines of text. Pure."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from adapters.slack.mrkdwn import escape
from adapters.slack.safe import quiet
from bot.execution import Execution, Outcome
from bot.messages import CellFinished, CellStarted, Noted

Json = dict[str, Any]

STOP = "stop"
"""The button below steps that are not streamed."""
TITLE_CHARACTERS = 90
OUTPUT_CHARACTERS = 200
"""Slack counts what cards say double, and a message holds only so much."""


class State(StrEnum):
    RUNNING = "in_progress"
    DONE = "complete"
    FAILED = "error"


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: str
    state: State = State.RUNNING
    output: str = ""

    @property
    def card(self) -> Json:
        card = {"type": "task_update", "id": self.id, "title": self.title, "status": str(self.state)}
        return {**card, "output": self.output} if self.output else card

    @property
    def line(self) -> str:
        """mrkdwn."""
        mark = {State.RUNNING: "⏳", State.DONE: "✓", State.FAILED: "✗"}[self.state]
        return f"{mark} {escape(self.title)}" + (f"  {escape(self.output)}" if self.output else "")


class Steps:
    """In order; those that have changed since they were last shown are known."""

    def __init__(self) -> None:
        self.all: list[Step] = []
        self._news: dict[str, Step] = {}

    def add(self, update: CellStarted | CellFinished | Noted) -> None:
        match update:
            case Noted(text):
                self._finish_notes()
                self._put(Step(f"note-{len(self.all)}", _short(text, TITLE_CHARACTERS)))
            case CellStarted(number, code):
                self._finish_notes()
                self._put(Step(f"cell-{number}", title(code)))
            case CellFinished(number, execution):
                running = next((each for each in self.all if each.id == f"cell-{number}"), None)
                step = running or Step(f"cell-{number}", "Python")
                ok = execution.outcome is Outcome.OK
                self._put(replace(step, state=State.DONE if ok else State.FAILED, output=_said(execution)))

    def take_news(self) -> list[Step]:
        news = list(self._news.values())
        self._news.clear()
        return news

    def put_back(self, news: list[Step]) -> None:
        """They were not shown after all; what has changed since then counts."""
        self._news = {**{step.id: step for step in news}, **self._news}

    @property
    def running(self) -> list[Step]:
        return [step for step in self.all if step.state is State.RUNNING]

    def _finish_notes(self) -> None:
        for step in self.running:
            if step.id.startswith("note-"):
                self._put(replace(step, state=State.DONE))

    def _put(self, step: Step) -> None:
        for at, each in enumerate(self.all):
            if each.id == step.id:
                self.all[at] = step
                break
        else:
            self.all.append(step)
        self._news[step.id] = step


def title(code: str) -> str:
    """What a cell is about: what its first comment says, else its first line that does something."""
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    comment = next((line.lstrip("# ").strip() for line in lines[:1] if line.startswith("#")), "")
    idle = re.compile(r"(#|import |from |%|@|\"\"\"|''')")
    telling = next((line for line in lines if not idle.match(line)), "")
    return _short(comment or telling or (lines or ["Python"])[0], TITLE_CHARACTERS)


def _said(execution: Execution) -> str:
    if execution.outcome is Outcome.OK:
        return f"{execution.seconds:.1f} s"
    error = execution.error
    if execution.outcome is Outcome.RAISED and error:
        return _short(f"{error.name}: {(error.message.splitlines() or [''])[0]}", OUTPUT_CHARACTERS)
    return execution.outcome.replace("_", " ")


def _short(text: str, characters: int) -> str:
    text = quiet(" ".join(text.split()))
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
