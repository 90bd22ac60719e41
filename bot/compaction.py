"""What of a thread goes into one request: whole rounds that fit the model's window, the oldest as a digest.

Files and variables are no part of this: they stay in the sandbox, whatever is left out here.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import TypeGuard

from bot.clip import clip
from bot.tokens import PICTURE_TOKENS, text_tokens
from bot.transcript import (
    DataMode,
    Digest,
    Entry,
    Prompt,
    Reply,
    Round,
    ToolResult,
    tokens_of,
    without_pictures,
)

KEPT_SHARE = 0.6
"""How full the window still is once the oldest rounds are left out. The cut then stays where it is for a
while, so that the endpoint's cache of a request's beginning stays useful."""
PICTURE_SHARE = 0.25
DIGEST_SHARE = 0.1
TEXT_TOKENS = 60
"""A text that has to be shortened keeps at least so much; a round whose texts can't is left out."""

QUESTION_CHARACTERS = 200
ANSWER_CHARACTERS = 300


def fit(rounds: Sequence[Round], room: int, *, pictures: int) -> list[Entry]:
    """The entries of a request of at most `room` tokens, as far as `tokens_of` can tell.

    No round is split, and the last prompt always stays; single texts are shortened where nothing else helps.
    The newest `pictures` pictures are kept.
    """
    rounds = newest_pictures(rounds, min(pictures, int(room * PICTURE_SHARE) // PICTURE_TOKENS))
    every = list(chain.from_iterable(rounds))
    if tokens_of(every) <= room:
        return every
    sizes = [tokens_of(entries) for entries in rounds]
    question = max((number for number, entries in enumerate(rounds) if _is_question(entries)), default=0)
    last = len(rounds) - 1
    for first in range(_first_kept(sizes, int(room * (1 - DIGEST_SHARE))), last + 1):
        entries = _from(first, rounds, question, room)
        if tokens_of(entries) <= room:
            return entries
        if first == last and _least_tokens(entries) <= room:
            return _shortened(entries, room)
    return _shortened(_from(last + 1, rounds, question, room), room)


def newest_pictures(rounds: Sequence[Round], pictures: int) -> list[Round]:
    """The same rounds; a sentence stands for every picture but the newest `pictures`."""
    left = pictures
    if not any(map(attrgetter("pictures"), chain.from_iterable(rounds))):
        return list(rounds)

    def keep_newest(entry: Entry) -> Entry:
        nonlocal left
        if not isinstance(entry, Prompt | ToolResult):
            return entry
        older = entry.pictures[: max(0, len(entry.pictures) - left)]
        left -= len(entry.pictures) - len(older)
        return without_pictures(entry, older)

    newest_first = [[keep_newest(entry) for entry in reversed(entries)] for entries in reversed(rounds)]
    return [tuple(reversed(entries)) for entries in reversed(newest_first)]


def permitted(rounds: Sequence[Round], data: DataMode) -> list[Round]:
    """What the endpoint may read: where it may see names and types only, nothing from before that was so."""
    if data == "full":
        return list(rounds)
    questions = [number for number, entries in enumerate(rounds) if _is_question(entries)]
    with_values = [number for number in questions if _modes(rounds[number]) != {"schema"}]
    after = with_values[-1] if with_values else -1
    return list(rounds[min((number for number in questions if number > after), default=len(rounds)) :])


def _modes(entries: Round) -> set[DataMode]:
    return {entry.data for entry in entries if isinstance(entry, Prompt)}


def _first_kept(sizes: Sequence[int], room: int) -> int:
    """Which round a request starts with, when it has been so since the thread began."""
    first = total = 0
    for index, size in enumerate(sizes):
        total += size
        if total > room:
            while first < index and total > room * KEPT_SHARE:
                total -= sizes[first]
                first += 1
    return first


def _from(first: int, rounds: Sequence[Round], question: int, room: int) -> list[Entry]:
    """Round `first` and all later ones, and the question; one digest for the rest."""
    left_out = [entries for number, entries in enumerate(rounds[:first]) if number != question]
    kept = [rounds[number] for number in sorted({question, *range(first, len(rounds))})]
    digest = [_digest(left_out, int(room * DIGEST_SHARE))] if left_out else []
    return [*digest, *chain.from_iterable(kept)]


def _digest(left_out: Sequence[Round], tokens: int) -> Digest:
    """What was asked, run and answered, in a line each; the same for the same rounds."""
    lines = ["[Left out here: the oldest part of this thread. Files and variables are still there.]"]
    files: tuple[str, ...] = ()
    for entry in chain.from_iterable(left_out):
        match entry:
            case Prompt():
                lines.append(f"Asked: {_line(entry.text, QUESTION_CHARACTERS)}")
                files = tuple(upload.name for upload in entry.uploads) or files
            case Reply(tool_calls=()):
                lines.append(f"Answered: {_line(entry.text, ANSWER_CHARACTERS)}")
            case Reply():
                lines += [f"Ran: {_line(call.arguments, QUESTION_CHARACTERS)}" for call in entry.tool_calls]
            case _:
                pass
    if files:
        lines.append(f"Files from people: {', '.join(files)}")
    return Digest(_within(tokens, "\n".join(lines)))


def _line(text: str, characters: int) -> str:
    return " ".join(text.split())[:characters]


def _least_tokens(entries: Sequence[Entry]) -> int:
    """What is left of the entries when their texts are as short as may be."""
    saved = (max(0, text_tokens(entry.text) - TEXT_TOKENS) for entry in entries if _can_shrink(entry))
    return tokens_of(entries) - sum(saved)


def _shortened(entries: Sequence[Entry], room: int) -> list[Entry]:
    """The same entries, with the longest texts cut to one length that makes everything fit."""
    sizes = sorted(text_tokens(entry.text) for entry in entries if _can_shrink(entry))
    left = share = room - (tokens_of(entries) - sum(sizes))
    for done, size in enumerate(sizes):
        share = left // (len(sizes) - done)
        if size > share:
            break
        left -= size
    return [
        replace(entry, text=_within(share, entry.text)) if _can_shrink(entry) else entry for entry in entries
    ]


def _can_shrink(entry: Entry) -> TypeGuard[Prompt | ToolResult]:
    return isinstance(entry, Prompt | ToolResult)


def _within(tokens: int, text: str) -> str:
    while text and text_tokens(text) > tokens:
        text = clip(text, int(len(text) * 0.9 * max(0, tokens) / text_tokens(text)))
    return text


def _is_question(entries: Round) -> bool:
    return any(isinstance(entry, Prompt) for entry in entries)
