"""Cut long Markdown into pieces that each stand alone: code, tables and lists stay what they are. Pure."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from adapters.structure import NEVER, Boundary, boundaries

Measure = Callable[[str], int]

_WHOLE_TORN = 2.0
"""The cost of tearing code or a table that would fit into a piece of its own."""
_LONG_TORN = 0.8
_MID_LINE = 1.5

_QUOTE = re.compile(r"(?: {0,3}> ?)*")
_SPAN = re.compile(r"`+[^`\n]*`+|!?\[[^\]\n]*\]\([^)\n]*\)|<[^>\s]*>|https?://\S+")
"""Code, links and addresses within a line, which break when they are cut."""
_SENTENCE_END = re.compile(r"[.!?:;]\s+|[。！？；]")
_ONE_CHARACTER = re.compile(r"\s+|[^\s\u0300-\u036f\u200d\ufe0f][\u0300-\u036f\ufe0f]*(?:\u200d.[\ufe0f]?)*")


def split(text: str, limit: int, measure: Measure = len) -> list[str]:
    """Pieces that `measure` to at most `limit` each, in order; blank ones are left out.

    A cut goes between paragraphs where it can. Code that has to be cut is closed with its fence and opened
    again with the same first line; a table gets its head again; list items keep their number. `measure`
    must not shrink when text is added, and `limit` leaves room for a few words. Only blanks are lost.
    """
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    units = _units(lines, limit, measure)
    pieces: list[str] = []
    start = 0
    while start < len(units.texts):
        piece = _Piece(units, start, limit, measure)
        end = piece.best_end()
        pieces.append(_trimmed(piece.text(end)))
        start = end
    return [piece for piece in pieces if piece.strip()]


@dataclass(slots=True)
class _Units:
    """Lines, and parts of those that are too long for a piece."""

    texts: list[str] = field(default_factory=list[str])
    glues: list[str] = field(default_factory=list[str])
    """What stands between a unit and the next: a line's end, or nothing."""
    cuts: list[Boundary] = field(default_factory=list[Boundary])
    """Before each unit and behind the last, in numbers of units."""


def _units(lines: Sequence[str], limit: int, measure: Measure) -> _Units:
    units = _Units()
    first_units: list[int] = []
    found = [_affordable(each, limit, measure) for each in boundaries(lines)]
    for at, line in enumerate(lines):
        first_units.append(len(units.texts))
        opening, closing = found[at].opening, found[at + 1].closing
        if found[at].closing is None:  # a table's head may be left out
            opening = ()
        fits = partial(_fits, opening=opening, closing=closing, limit=limit, measure=measure)
        for number, part in enumerate(_parts(line, fits)):
            within = found[at] if number == 0 else _mid_line(found, at)
            units.texts.append(part)
            units.cuts.append(within)
            units.glues.append("")
        units.glues[-1] = "\n"
    units.cuts.append(found[-1])
    first_units.append(len(units.texts))
    units.cuts = [_renumbered(each, first_units) for each in units.cuts]
    return units


def _affordable(boundary: Boundary, limit: int, measure: Measure) -> Boundary:
    """Without what would take half of a piece and more, as a fence of hundreds of backticks."""
    mending = "\n".join([*boundary.opening, boundary.closing or ""])
    return replace(boundary, opening=(), closing=None) if measure(mending) > limit // 2 else boundary


def _mid_line(found: Sequence[Boundary], at: int) -> Boundary:
    """Inside the line `at`: what both its ends are in."""
    before, behind = found[at], found[at + 1]
    in_fence = before.closing is not None and before.opening == behind.opening
    item_end = before.item_end if before.item_end > at + 1 else 0
    return Boundary(
        cost=0 if in_fence else _MID_LINE,
        torn=before.torn if in_fence else None,
        opening=before.opening if in_fence else (),
        closing=before.closing if in_fence else None,
        item_end=item_end,
    )


def _renumbered(boundary: Boundary, first_units: Sequence[int]) -> Boundary:
    last = len(first_units) - 1
    torn = boundary.torn and (first_units[boundary.torn[0]], first_units[min(boundary.torn[1], last)])
    return replace(boundary, torn=torn, item_end=first_units[min(boundary.item_end, last)])


def _fits(part: str, *, opening: tuple[str, ...], closing: str | None, limit: int, measure: Measure) -> bool:
    return measure("\n".join([*opening, part, *([closing] if closing is not None else [])])) <= limit


def _parts(line: str, fits: Callable[[str], bool]) -> list[str]:
    """The line, or parts of it that fit, cut behind a sentence, else a word, else anywhere."""
    parts: list[str] = []
    while not fits(line):
        most = bisect_right(range(1, len(line)), False, key=lambda end: not fits(line[:end])) or 1
        end = _best_break(line, most)
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def _best_break(line: str, most: int) -> int:
    """Behind which character to cut; in the second half if there is a good place, at `most` if not."""
    least = max(1, most // 2)
    spans = [match.span() for match in _SPAN.finditer(line[: most + 1])]
    sentences = [match.end() for match in _SENTENCE_END.finditer(line, least, most)]
    words = [match.end() for match in re.finditer(r"\s+", line[:most]) if match.end() >= least]
    for breaks in (sentences, words):
        whole = [at for at in breaks if not any(start < at < end for start, end in spans)]
        if whole:
            return whole[-1]
    if words:
        return words[-1]
    # Whatever it is, an accent or a joined emoji stays with its character.
    characters = [match.start() for match in _ONE_CHARACTER.finditer(line, 0, most + 1)]
    return next((at for at in reversed(characters) if least <= at <= most), most)


class _Piece:
    """What can follow from the unit `start` on."""

    def __init__(self, units: _Units, start: int, limit: int, measure: Measure) -> None:
        self._units = units
        self._start = start
        self._limit = limit
        self._measure = measure
        cut = units.cuts[start]
        self._item_end = max(cut.item_end, start)
        item = units.texts[start : self._item_end]
        self._indent = min((_indentation(line) for line in item if line.strip()), default=0)
        self._opening: tuple[str, ...] = cut.opening
        if not self._fits(start + 1):
            self._opening = ()

    def best_end(self) -> int:
        """The unit before which to cut: late, and where little is torn."""
        most = self._most()
        if most == len(self._units.texts) and self._fits(most):
            return most
        sizes = [0]
        for text in self._units.texts[self._start : most]:
            sizes.append(sizes[-1] + len(text) + 1)
        ends = range(self._start + 1, most + 1)
        by_score = sorted(
            ends, key=lambda end: self._cost(end) + 1 - sizes[end - self._start] / max(1, sizes[-1])
        )
        return next((end for end in by_score if self._fits(end)), self._start + 1)

    def text(self, end: int) -> str:
        return self._body(end) + self._closing(end)

    def _most(self) -> int:
        """The last end for which the text fits, leaving out what would close it."""
        start, total = self._start, len(self._units.texts)
        step = 1
        while start + step < total and self._measure(self._body(start + step)) <= self._limit:
            step *= 2
        ends = range(start + 1, min(start + step, total) + 1)
        fitting = bisect_right(ends, False, key=lambda end: self._measure(self._body(end)) > self._limit)
        return start + max(1, fitting)

    def _fits(self, end: int) -> bool:
        return self._measure(_trimmed(self.text(end))) <= self._limit

    def _cost(self, end: int) -> float:
        cut = self._units.cuts[end]
        if cut.torn is None or cut.cost >= NEVER:
            return cut.cost
        first, behind = cut.torn
        whole = "\n".join(self._units.texts[first:behind])
        fits_alone = first > self._start and self._measure(whole) <= self._limit
        return cut.cost + (_WHOLE_TORN if fits_alone else _LONG_TORN)

    def _body(self, end: int) -> str:
        texts = list(self._units.texts[self._start : end])
        texts[0] = self._numbered(texts[0])
        glued: list[str] = []
        for at, text in enumerate(texts, self._start):
            begins_line = at == self._start or self._units.glues[at - 1]
            shown = self._dedented(text) if begins_line and at < self._item_end else text
            glued += [shown, self._units.glues[at]]
        opening = "".join(f"{self._dedented(line)}\n" for line in self._opening)
        return opening + "".join(glued[:-1])

    def _closing(self, end: int) -> str:
        closing = self._units.cuts[end].closing
        if closing is None:
            return ""
        return "\n" + (self._dedented(closing) if end <= self._item_end else closing)

    def _numbered(self, line: str) -> str:
        number = self._units.cuts[self._start].number
        return re.sub(rf"\b{number[0]}(?=[.)])", number[1], line, count=1) if number else line

    def _dedented(self, line: str) -> str:
        quote = _QUOTE.match(line)
        kept = quote[0] if quote else ""
        rest = line[len(kept) :]
        return kept + rest[min(self._indent, len(rest) - len(rest.lstrip(" \t"))) :]


def _indentation(line: str) -> int:
    quote = _QUOTE.match(line)
    rest = line[len(quote[0]) if quote else 0 :]
    return len(rest) - len(rest.lstrip(" \t"))


def _trimmed(piece: str) -> str:
    return re.sub(r"\A(?:[ \t]*\n)+", "", piece).rstrip()
