"""An output → messages as Slack takes them, each in several forms: the best one first, the surest one last. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.slack import blocks, tables
from adapters.slack.mrkdwn import escape
from adapters.slack.safe import quiet, safe, without_links
from adapters.slack.tables import Table
from adapters.split import split
from adapters.workbook import workbook
from bot.execution import Artifact
from bot.messages import Output
from bot.sentences import say

Json = dict[str, Any]

PIECE = 9_000
"""Of running text in one block, as JSON."""
BUTTONS = 1_500
"""Kept free below an answer, as JSON."""
CODE = 6_000
"""Most that folded code may take, as JSON."""
CHILDREN = 10
NOTIFICATION_CHARACTERS = 600
ALT_CHARACTERS = 1000
COMMENT_CHARACTERS = 500

SHOW_CODE, EDIT, NOTEBOOK, DELETE = "show_code", "edit_and_run", "notebook", "delete_answer"
LIKE, DISLIKE, FEEDBACK = "like", "dislike", "feedback"


@dataclass(frozen=True, slots=True)
class File:
    """To be uploaded: an artifact, or something that we made ourselves."""

    name: str
    content: Artifact | bytes
    alt_text: str = ""

    @property
    def size_bytes(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.size_bytes


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say a message: arguments of `chat.postMessage` and `chat.update`."""

    text: str
    """For notifications and screen readers; where there are no blocks, for everyone."""
    blocks: tuple[Json, ...] = ()

    @property
    def args(self) -> Json:
        return {"text": self.text, **({"blocks": list(self.blocks)} if self.blocks else {})}

    @property
    def types(self) -> frozenset[str]:
        """The kinds of blocks that Slack has to know for it."""
        return frozenset(str(block["type"]) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of an answer."""

    markdown: str
    """What it says, whole: as a file it goes out in the end, if no form will do."""
    forms: tuple[Form, ...]

    def without(self, refused: Collection[str]) -> tuple[Form, ...]:
        """Those forms that hold none of these kinds of blocks; the last one always does."""
        return tuple(form for form in self.forms if not form.types & set(refused)) or self.forms[-1:]


@dataclass(frozen=True, slots=True)
class Rendered:
    parts: tuple[Part, ...]
    files: tuple[File, ...]
    comment: str
    """Said with the files: what the pictures show."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything besides the output itself that decides how it looks."""

    locale: str = "en"
    turn: str = ""
    """`Message.id`, for the buttons; without it there are none."""
    hosts: Collection[str] = ()
    """Those that people in the thread have named: others are no links."""
    asker: str = ""

    def render(self, output: Output) -> Rendered:
        text = safe(output.text.strip(), self.hosts, self.asker)
        made: list[File] = []
        contents = self._contents(text, made)
        parts = [self._part(content) for content in contents[:-1]]
        parts += [
            self._part(content, _Foot(self.locale, self.turn, output.codes)) for content in contents[-1:]
        ]
        files = [File(each.name, each, _alt_text(each)) for each in output.artifacts]
        return Rendered(tuple(parts), (*files, *made), self._comment(output.artifacts))

    def _comment(self, artifacts: Sequence[Artifact]) -> str:
        """Above pictures, what they show. Their titles come from the data, and Slack reads it as mrkdwn."""
        told = dict.fromkeys(each.alt_text for each in artifacts if each.is_image and each.alt_text)
        comment = _cut("\n".join(told), COMMENT_CHARACTERS)
        return escape(quiet(without_links(comment, self.hosts), self.asker))

    def _contents(self, text: str, made: list[File]) -> list["_Content"]:
        """What each message holds, in order. Tables that no message can show are added to `made`."""
        room = blocks.PAYLOAD_CHARACTERS - BUTTONS
        contents = [_Content()]
        for part in tables.parts(text):
            pieces = [self._table(part, made)] if isinstance(part, Table) else split(part, PIECE, blocks.size)
            for piece in (each for one in pieces for each in (one if isinstance(one, list) else [one])):
                if not contents[-1].takes(piece, room):
                    contents.append(_Content())
                contents[-1].pieces.append(piece)
        return [content for content in contents if content.pieces]

    def _table(self, table: Table, made: list[File]) -> list[str | Table]:
        if table.is_small and (tables.data_table(table) or blocks.size(table.source) <= PIECE):
            return [table]
        name = f"table-{len(made) + 1}.xlsx"
        made.append(File(name, workbook((table.head, *table.rows))))
        shown = table.first(tables.FIRST_ROWS)
        note = say(
            self.locale,
            "slack_table_in_file",
            name=name,
            rows=len(table.rows),
            columns=len(table.head),
            shown=len(shown.rows),
        )
        if not shown.rows or blocks.size(shown.source) > PIECE:
            return [f"_{note}_"]
        return [shown, f"_{note}_"]

    def _part(self, content: "_Content", foot: "_Foot | None" = None) -> Part:
        source = content.markdown
        text = _plain(source)
        best = content.blocks(tables.data_table)
        older = content.blocks(tables.plain_table)
        simple = (blocks.markdown(source),) if len(source) <= blocks.MARKDOWN_CHARACTERS else ()
        foot = foot or _Foot()
        forms = [
            Form(text, (*best, *foot.below(best, rich=True))),
            Form(text, (*older, *foot.below(older, rich=False))),
            *([Form(text, (*simple, *foot.below(simple, rich=False)))] if simple else []),
            *([Form(text, simple)] if simple else []),
        ]
        if len(escape(source)) <= blocks.TEXT_CHARACTERS:
            # In the oldest of ways: nothing of it means anything to Slack but line ends.
            forms.append(Form(escape(source)))
        return Part(source, tuple(_unlike(forms)))


@dataclass(frozen=True, slots=True)
class _Foot:
    """What stands under an answer: folded code, where there is room for it, and buttons."""

    locale: str = "en"
    turn: str = ""
    codes: tuple[str, ...] = ()

    def below(self, above: Sequence[Json], *, rich: bool) -> list[Json]:
        if not self.turn:
            return []
        below = [blocks.actions(self._buttons(with_thumbs=not rich))]
        if rich:
            below.append(_feedback(self.turn, self.locale))
        room = blocks.PAYLOAD_CHARACTERS - blocks.size([*above, *below])
        folded = self._folded_code(min(room, CODE)) if rich else None
        return [folded, *below] if folded else below

    def _folded_code(self, room: int) -> Json | None:
        sections = [each for code in self.codes for each in blocks.code_sections(code)]
        if not sections or len(sections) > CHILDREN:
            return None
        block = blocks.folded(say(self.locale, "slack_code", cells=len(self.codes)), sections)
        return block if blocks.size(block) <= room else None

    def _buttons(self, *, with_thumbs: bool) -> list[Json]:
        of_code = [
            blocks.button(say(self.locale, "slack_show_code"), SHOW_CODE, self.turn),
            blocks.button(say(self.locale, "slack_edit"), EDIT, self.turn),
            blocks.button(say(self.locale, "slack_notebook"), NOTEBOOK, self.turn),
        ]
        sure = {
            "title": blocks.plain(say(self.locale, "slack_delete")),
            "text": blocks.plain(say(self.locale, "slack_delete_sure")),
            "confirm": blocks.plain(say(self.locale, "slack_delete")),
            "deny": blocks.plain(say(self.locale, "slack_keep")),
        }
        delete = blocks.button(say(self.locale, "slack_delete"), DELETE, self.turn, confirm=sure)
        thumbs = [blocks.button("👍", LIKE, self.turn), blocks.button("👎", DISLIKE, self.turn)]
        return [*(of_code if self.codes else []), delete, *(thumbs if with_thumbs else [])]


@dataclass(slots=True)
class _Content:
    """What one message says: running text, and at most one of Slack's own tables."""

    pieces: list[str | Table] = field(default_factory=list[str | Table])

    @property
    def markdown(self) -> str:
        return "\n\n".join(piece.source if isinstance(piece, Table) else piece for piece in self.pieces)

    def takes(self, piece: str | Table, room: int) -> bool:
        grown = replace(self, pieces=[*self.pieces, piece])
        return (
            all(
                blocks.size(list(grown.blocks(native))) <= room
                for native in (tables.data_table, tables.plain_table, _no_table)
            )
            and len(grown.markdown) <= blocks.MARKDOWN_CHARACTERS
        )

    def blocks(self, native: Any) -> tuple[Json, ...]:
        """`native` makes a block of a table where it can. A second table stays Markdown: Slack takes one only."""
        found: list[Json] = []
        has_table = False
        text: list[str] = []
        for piece in self.pieces:
            block = native(piece) if isinstance(piece, Table) and not has_table else None
            if block:
                found += [blocks.markdown("\n\n".join(text))] if text else []
                found.append(block)
                has_table, text = True, []
            else:
                text.append(piece.source if isinstance(piece, Table) else piece)
        found += [blocks.markdown("\n\n".join(text))] if text else []
        return tuple(found)


def _no_table(table: Table) -> Json | None:
    return None


def _feedback(turn: str, locale: str) -> Json:
    def side(text: str, value: str) -> Json:
        label = say(locale, "slack_good" if value == LIKE else "slack_bad")
        return {"text": blocks.plain(text), "value": f"{value} {turn}", "accessibility_label": label}

    element = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": side("👍", LIKE),
        "negative_button": side("👎", DISLIKE),
    }
    return {"type": "context_actions", "elements": [element]}


def _unlike(forms: Sequence[Form]) -> list[Form]:
    """Without those that say the same as the one before, or would be too large."""
    fitting = [
        form
        for form in forms
        if blocks.size(list(form.blocks)) <= blocks.PAYLOAD_CHARACTERS or not form.blocks
    ]
    return [form for at, form in enumerate(fitting) if at == 0 or form != fitting[at - 1]]


def _plain(markdown: str) -> str:
    """What a notification shows."""
    return escape(_cut(re.sub(r"[*`#|]+", "", markdown).strip(), NOTIFICATION_CHARACTERS)) or "…"


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def _alt_text(artifact: Artifact) -> str:
    if not artifact.is_image:
        return ""
    return _cut(artifact.alt_text or artifact.name, ALT_CHARACTERS)
