"""A claimed turn, taken from what somebody said to its end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot import metrics, turn
from bot.codecs import message_from_json, message_to_json
from bot.errors import Fenced, PlatformUnavailable, StoreUnavailable
from bot.journal import Journal, nobody_else
from bot.messages import Message, Output, ThreadId
from bot.policy import Refusal
from bot.ports import Thread
from bot.sentences import say
from bot.stopping import SILENT, Parked, Stop
from bot.store.claiming import Claimed
from bot.store.store import Store
from bot.store.turns import NewTurn
from bot.transcript import Usage
from bot.turn import Parts, Task, TurnResult
from bot.visits import Visit, visit_from_json, visit_to_json

log = structlog.get_logger()

QUESTION, CELLS = "question", "cells"
"""Kinds of turns: for the model, or code of somebody's own."""
RECORD_AGAIN_SECONDS = 5.0
DELIVER_AGAIN_SECONDS, LONGEST_SECONDS = 20.0, 300.0
"""How long a platform is left alone that does not take an answer: longer each time."""
DELIVER_FOR_SECONDS = 24 * 3600.0
"""After the question, an answer is still brought."""


def question(thread: ThreadId, message: Message, address: str = "") -> NewTurn:
    """The turn for what somebody asked. `message.id` may end in `@` and a revision: it supersedes earlier ones.

    `address` is what the adapter needs to open the thread again, in another process too.
    """
    return _new(QUESTION, thread, message, {"address": address})


def cells(thread: ThreadId, message: Message, codes: Sequence[str], address: str = "") -> NewTurn:
    """The turn for code that somebody wants to be run as it is. Without any, the first attachment is the code."""
    return _new(CELLS, thread, message, {"address": address, "codes": list(codes)})


def by(visit: Visit, turn: NewTurn) -> NewTurn:
    """With what the policy is asked again with before the turn begins."""
    return replace(turn, message={**turn.message, "visit": visit_to_json(visit)})


async def take(  # noqa: PLR0913  # a turn, where, with what, and how it may end
    claimed: Claimed,
    thread: Thread,
    parts: Parts,
    stop: Stop,
    check: Callable[[], Awaitable[None]] = nobody_else,
    *,
    waits: bool = False,
) -> TurnResult:
    """`waits` for a store that does not answer, with what was done at that time.

    Raises `Fenced`, `StoreUnavailable`, `CancelledError`, and `Parked` where nobody holds it any more; the turn is then
    not ended.
    """
    if claimed.epoch == 1:
        metrics.turn_seconds.labels("waiting").observe(max(0.0, time.time() - claimed.asked_at))
    journal = await journal_of(claimed, parts.store, check)

    async def wait(error: StoreUnavailable) -> None:
        log.warning("turn.waits", turn=claimed.id, detail=str(error))
        if parts.incidents:
            await parts.incidents.noticed(error)
        await asyncio.sleep(RECORD_AGAIN_SECONDS)

    if waits:
        journal.wait = wait
    if claimed.stop:
        stop.set_for(claimed.stop)
    visit, narrowed = visit_of(claimed), None
    # What was allowed when it was said may not be any more. A turn that has begun goes on.
    if not journal.recorded and visit and parts.admission:
        refusal, narrowed = await parts.admission.asked(visit)
        if refusal:
            return await _refused(refusal, claimed, thread, parts, journal)
    codes = claimed.message["codes"] if claimed.kind == CELLS else None
    task = Task(message_of(claimed), codes, visit, narrowed, claimed.is_thread_expired)
    try:
        result = await turn.take(task, thread, parts, journal, stop)
    except Parked:
        if not await journal.park():
            raise Fenced(f"{claimed.id} was ended by somebody else") from None
        log.info("turn.parked", turn=claimed.id)
        raise
    if not result.delivered and await _delivered_later(claimed, journal.put_off):
        return result
    silent = stop.is_set() and stop.reason in SILENT
    if not await journal.end(stop.reason if silent else result.status):
        raise Fenced(f"{claimed.id} was ended by somebody else")
    return result


async def _refused(
    refusal: Refusal, claimed: Claimed, thread: Thread, parts: Parts, journal: Journal
) -> TurnResult:
    sentence = "" if refusal.is_silent else refusal.said(message_of(claimed).author, parts.contact)
    if sentence:
        await thread.whisper(sentence, key=f"{claimed.id}:refused")
    if not await journal.end("refused"):
        raise Fenced(f"{claimed.id} was ended by somebody else")
    return TurnResult("error", sentence, (), (), Usage(), None, 0.0)


async def give_up(claimed: Claimed, thread: Thread, parts: Parts) -> None:
    """A turn on which workers die again and again ends with a sentence."""
    locale = message_of(claimed).author.locale
    contact = parts.contact or say(locale, "operator")
    try:
        await thread.post(Output(say(locale, "given_up", contact=contact)), key=f"{claimed.id}:answer")
    except PlatformUnavailable:
        turns = parts.store.turns
        if await _delivered_later(
            claimed, lambda seconds: turns.give_back(claimed.hold, after_seconds=seconds)
        ):
            return
    await parts.store.turns.end(claimed.hold, "error")


async def _delivered_later(claimed: Claimed, put_off: Callable[[float], Awaitable[bool]]) -> bool:
    """Whether it is worth it. All is recorded but the post: that is tried again, and nothing else."""
    age = time.time() - claimed.asked_at
    if age > DELIVER_FOR_SECONDS:
        return False
    await put_off(min(max(age / 4, DELIVER_AGAIN_SECONDS), LONGEST_SECONDS))
    return True


def source_of(message_id: str) -> str:
    """Without its revision."""
    return message_id.partition("@")[0]


def message_of(claimed: Claimed) -> Message:
    return message_from_json(claimed.message["message"])


def visit_of(claimed: Claimed) -> Visit | None:
    visit = claimed.message.get("visit")
    return visit_from_json(visit) if visit else None


def address_of(claimed: Claimed) -> str:
    return str(claimed.message["address"])


async def journal_of(claimed: Claimed, store: Store, check: Callable[[], Awaitable[None]]) -> Journal:
    return Journal(
        claimed.hold,
        claimed.thread,
        store.steps,
        store.turns,
        store.transcripts,
        await store.steps.of(claimed.id) if claimed.has_begun else {},
        check,
        has_begun=claimed.has_begun,
    )


def _new(kind: str, thread: ThreadId, message: Message, more: dict[str, Any]) -> NewTurn:
    facts = {"message": message_to_json(message), **more}
    return NewTurn(message.id, source_of(message.id), thread, message.author.id, kind, facts)
