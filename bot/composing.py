"""What people get at the end of a turn: refusals, the answer, files with their alt texts, how it ended."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer import for_people
from bot.done import Done
from bot.execution import Artifact, Execution, Outcome
from bot.limits import Limits
from bot.messages import Output
from bot.sentences import say, size
from bot.transcript import DataMode
from bot.uploads import TakenIn

NAMES_SAID = 10


@dataclass(frozen=True, slots=True)
class Composing:
    limits: Limits
    data: DataMode
    locale: str

    def output(self, done: Done, taken: TakenIn, ending: str) -> Output:
        """`ending` is the sentence for a turn that did not end well, else empty."""
        posted, left = self._within_limits(list(done.artifacts.values()))
        answer = for_people(done.text, _file_names(done, taken))
        texts = [
            taken.above.said,
            *taken.refusals,
            answer.text.strip(),
            self._unseen_output(done.cells) if self.data == "schema" else "",
            self._left_behind(left),
            self._not_kept(done.cells),
            ending,
        ]
        text = "\n\n".join(text for text in texts if text)
        if not (text or posted):
            text = say(self.locale, "empty_reply")
        described = tuple(_described(artifact, answer.alt_texts) for artifact in posted)
        return Output(text, described, tuple(code for code, _ in done.cells))

    def _within_limits(self, artifacts: list[Artifact]) -> tuple[list[Artifact], list[Artifact]]:
        """What is posted and what stays behind. The newest come first: they are what the work led to."""
        posted: list[Artifact] = []
        left: list[Artifact] = []
        free_bytes = self.limits.turn_output_bytes
        for artifact in reversed(artifacts):
            most = min(free_bytes, self.limits.artifact_bytes)
            if artifact.size_bytes <= most and len(posted) < self.limits.artifacts:
                posted.append(artifact)
                free_bytes -= artifact.size_bytes
            else:
                left.append(artifact)
        return posted[::-1], left[::-1]

    def _left_behind(self, left: Sequence[Artifact]) -> str:
        if not left:
            return ""
        names = ", ".join(artifact.name for artifact in left[:NAMES_SAID])
        return say(
            self.locale,
            "artifacts_left",
            names=names + (", …" if len(left) > NAMES_SAID else ""),
            limit=self.limits.artifacts,
            size=size(self.locale, self.limits.artifact_bytes),
            together=size(self.locale, self.limits.turn_output_bytes),
        )

    def _not_kept(self, cells: Sequence[tuple[str, Execution]]) -> str:
        names = list(dict.fromkeys(name for _, execution in cells for name in execution.no_room_for))
        if not names:
            return ""
        shown = ", ".join(names[:NAMES_SAID]) + (", …" if len(names) > NAMES_SAID else "")
        return say(self.locale, "files_no_room", names=shown)

    def _unseen_output(self, cells: Sequence[tuple[str, Execution]]) -> str:
        """In schema mode the model can't tell people the result: they read what its last good cell printed."""
        texts = [execution.text.strip("\n") for _, execution in cells if execution.outcome is Outcome.OK]
        printed = [text for text in texts if text.strip()]
        if not printed:
            return ""
        return f"{say(self.locale, 'output_not_shown_to_model')}\n\n{fenced(printed[-1])}"


def told(locale: str, executions: Sequence[Execution]) -> str:
    """What cells put out, for people who wrote them themselves; and how those ended that did not end well."""
    parts: list[str] = []
    for execution in executions:
        if execution.text.strip("\n"):
            parts.append(fenced(execution.text.strip("\n")))
        if execution.outcome not in (Outcome.OK, Outcome.RAISED):
            parts.append(say(locale, f"cell_{execution.outcome}"))
    return "\n\n".join(parts) or say(locale, "cell_silent")


def _file_names(done: Done, taken: TakenIn) -> set[str]:
    changed = (name for _, execution in done.cells for name in execution.changed_files)
    return {*done.artifacts, *taken.uploads, *changed}


def _described(artifact: Artifact, alt_texts: dict[str, str]) -> Artifact:
    alt_text = alt_texts.get(artifact.name) or alt_texts.get(artifact.workspace_name or "")
    return artifact.described(alt_text) if alt_text else artifact


def fenced(text: str, language: str = "") -> str:
    """As a code block that no line of the text can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
