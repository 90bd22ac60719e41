"""Taking away what is held of a person, a thread or a team: rows, files, sessions, and words in other people's turns.

What lies elsewhere is out of reach here and is named: the platform's own copies, the model endpoint, backups.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import ColumnElement, String, and_, cast, delete, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.attachments import safe_name
from bot.blobs import Blob
from bot.incidents import Incident
from bot.messages import ThreadId
from bot.redacting import GONE, Said, author_of, messages_in, redacted, renderings, without_files
from bot.store.audit import Event, noted
from bot.store.files import OF_SESSION, blobs_of
from bot.store.memory import forget_about, note_gone, note_gone_unheard
from bot.store.retention import empty
from bot.store.store import Store
from bot.store.tables import (
    OPEN,
    audit,
    budgets,
    feedback,
    files,
    incidents,
    notes,
    refused_pictures,
    rounds,
    seen,
    steps,
    threads,
    turns,
    usage,
)
from bot.uploads import OLDER_NAME

log = structlog.get_logger()

VARIABLES = ".plotline-variables"
"""The file of a session with what its code had in memory, whoever that came from."""
OF_USER = f"{Incident.FILES}:user "
"""How incidents begin that name who has nearly used up their quota."""
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.1


Wake = Callable[[], Awaitable[None]]
"""Lets workers hear at once that something is to stop: a bell's `ring`."""


async def nobody() -> None:
    """Wakes no worker: they look by themselves, after a while."""


@dataclass(slots=True)
class Forgotten:
    """What went, by number; and what is still there, a sentence each."""

    turns: int = 0
    threads: int = 0
    files: int = 0
    """Whose content is gone."""
    kept_files: int = 0
    """That somebody else in the team still needs."""
    redacted: int = 0
    """Places in other people's turns."""
    containers: dict[ThreadId, str] = field(default_factory=dict[ThreadId, str])
    """Of sessions that have to end: their memory may still hold what their records are rid of."""
    places: set[str] = field(default_factory=set[str])
    """Channels that it was said in, where the platform has its own copies."""


async def forget_thread(store: Store, thread: ThreadId, by: str, wake: Wake = nobody) -> Forgotten:
    """The thread with all that is in it. Without anybody that it is done `by`, it is not worth a word."""
    return await _forget(store, [thread], by, wake, {"what": "thread"}, thread=thread)


async def forget_team(store: Store, team: str, by: str, wake: Wake = nobody) -> Forgotten:
    """All threads of the team, what was noted of it, and what it has used."""

    async def find(connection: AsyncConnection) -> list[ThreadId]:
        found = await connection.scalars(select(threads.c.id).where(threads.c.team == team))
        return [ThreadId(each) for each in found]

    those = await store.database.read(find)
    forgotten = await _forget(store, those, by, wake, {"what": "team"}, team=team)

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(delete(usage).where(usage.c.team == team))
        await connection.execute(delete(seen).where(_begins(seen.c.place, team)))
        await connection.execute(delete(incidents).where(_begins(incidents.c.key, f"{OF_USER}{team}/")))
        scopes = or_(budgets.c.scope == f"team:{team}", _begins(budgets.c.scope, f"user:{team}/"))
        await connection.execute(delete(budgets).where(scopes))
        await _without_names(connection, audit.c.team == team)

    await store.database.write(work)
    return forgotten


async def forget_user(store: Store, team: str, user: str, by: str, wake: Wake = nobody) -> Forgotten:
    """Of one person in a team: their turns with all that came of these, their files, their words elsewhere.

    What they have used today stays counted, so that nobody gets round a limit by it; and so does what it cost, without
    their name.
    """
    shared = await _threads_of(store, team, user)
    await _stop(store, and_(turns.c.thread.in_(shared), turns.c.user == user), wake)
    forgotten = Forgotten()
    candidates: set[Blob] = set()
    for thread in shared:

        async def work(connection: AsyncConnection, thread: ThreadId = thread) -> tuple[Forgotten, set[Blob]]:
            return await _forget_in_thread(store, connection, thread, user)

        in_thread, blobs = await store.database.write(work)
        candidates |= blobs
        forgotten = together(forgotten, in_thread)

    async def rest(connection: AsyncConnection) -> None:
        await connection.execute(
            update(usage).where(usage.c.team == team, usage.c.user == user).values(user="")
        )
        await connection.execute(
            delete(feedback).where(feedback.c.user == user, _begins(feedback.c.thread, team))
        )
        await connection.execute(delete(incidents).where(incidents.c.key == f"{OF_USER}{team}/{user}"))
        await _without_names(connection, and_(audit.c.team == team, audit.c.user == user))
        facts = {"what": "user", "turns": forgotten.turns, "redacted": forgotten.redacted}
        await noted(Event.DELETED, team=team, user=by, facts=facts)(connection)

    await store.database.write(rest)
    forgotten.files = await store.files.remove_unneeded(candidates)
    forgotten.kept_files = len(candidates) - forgotten.files
    await store.database.wipe()
    return forgotten


async def forget_turn(store: Store, key: str, by: str = "", wake: Wake = nobody) -> Forgotten:
    """All revisions of one question: somebody has deleted it. What others said meanwhile is theirs and stays.

    Where none has come yet, none is taken in later.
    """

    async def find(connection: AsyncConnection) -> list[Any]:
        # Whoever takes in one of them waits until this is done.
        await store.database.alone(connection, key)
        return list(await connection.execute(select(turns.c.id, turns.c.thread).where(turns.c.key == key)))

    async def is_heard(connection: AsyncConnection) -> bool:
        if await find(connection):
            return True
        await note_gone_unheard(store.database, connection, key)
        return False

    if not await store.database.write(is_heard):
        return Forgotten()
    await _stop(store, turns.c.key == key, wake, why="deleted")

    async def work(connection: AsyncConnection) -> tuple[Forgotten, set[Blob]]:
        # An edit may have come meanwhile.
        found = await find(connection)
        if not found:
            return Forgotten(), set()
        ids, thread = [row.id for row in found], ThreadId(found[0].thread)
        said = await _said_by(connection, thread, lambda message: message.get("id") in ids)
        result = await _forget_turns(store, connection, thread, ids, said)
        await _without_file_names(connection, and_(audit.c.thread == thread, audit.c.turn.in_(ids)))
        facts = {"what": "question", "turns": len(ids)}
        await noted(Event.DELETED, thread=thread, user=by, facts=facts)(connection)
        return result

    forgotten, candidates = await store.database.write(work)
    forgotten.files = await store.files.remove_unneeded(candidates)
    forgotten.kept_files = len(candidates) - forgotten.files
    await store.database.wipe()
    return forgotten


async def forget_above(
    store: Store, thread: ThreadId, is_gone: Callable[[dict[str, Any]], bool], by: str = ""
) -> Forgotten:
    """What turns have read of messages above their questions, where somebody has deleted these: words and files.

    `is_gone` is asked about messages as `message_to_json` writes them.
    """

    async def work(connection: AsyncConnection) -> tuple[Forgotten, set[Blob]]:
        # What was redacted before has no author any more.
        said = await _said_by(connection, thread, lambda each: bool(author_of(each)) and is_gone(each))
        if not said.ids:
            return Forgotten(), set()
        facts = {"what": "message"}
        await noted(Event.DELETED, thread=thread, user=by, facts=facts)(connection)
        return await _forget_turns(store, connection, thread, [], said)

    forgotten, candidates = await store.database.write(work)
    if forgotten == Forgotten():
        return forgotten
    forgotten.files = await store.files.remove_unneeded(candidates)
    forgotten.kept_files = len(candidates) - forgotten.files
    await store.database.wipe()
    return forgotten


def together(one: Forgotten, other: Forgotten) -> Forgotten:
    return Forgotten(
        turns=one.turns + other.turns,
        threads=one.threads + other.threads,
        files=one.files + other.files,
        kept_files=one.kept_files + other.kept_files,
        redacted=one.redacted + other.redacted,
        containers=one.containers | other.containers,
        places=one.places | other.places,
    )


async def teams_of(store: Store, user: str) -> list[str]:
    """Where something is held of a person with that id."""

    async def work(connection: AsyncConnection) -> list[str]:
        asked = select(threads.c.team).join(turns, turns.c.thread == threads.c.id).where(turns.c.user == user)
        spent = select(usage.c.team).where(usage.c.user == user)
        sent = select(files.c.team).where(files.c.user == user)
        found = await connection.scalars(asked.union(spent, sent))
        return sorted(found)

    return await store.database.read(work)


async def _forget(  # one place that knows all of it
    store: Store, those: list[ThreadId], by: str, wake: Wake, facts: dict[str, Any], **where: Any
) -> Forgotten:
    await _stop(store, turns.c.thread.in_(those), wake)
    forgotten = Forgotten(threads=len(those), places={_place(each) for each in those})
    candidates: set[Blob] = set()
    for thread in those:

        async def work(
            connection: AsyncConnection, thread: ThreadId = thread
        ) -> tuple[int, dict[ThreadId, str], set[Blob]]:
            ids = list(await connection.scalars(select(turns.c.id).where(turns.c.thread == thread)))
            await note_gone(store.database, connection, ids)
            containers = await _container(connection, thread)
            blobs = await empty(connection, store.files, thread)
            await _without_names(connection, audit.c.thread == thread)
            await connection.execute(delete(threads).where(threads.c.id == thread))
            return len(ids), containers, blobs

        number, containers, blobs = await store.database.write(work)
        forgotten.turns += number
        forgotten.containers |= containers
        candidates |= blobs
    if by:
        await store.audit.note(Event.DELETED, user=by, turns=forgotten.turns, **where, **facts)
    forgotten.files = await store.files.remove_unneeded(candidates)
    forgotten.kept_files = len(candidates) - forgotten.files
    await store.database.wipe()
    return forgotten


async def _forget_in_thread(
    store: Store, connection: AsyncConnection, thread: ThreadId, user: str
) -> tuple[Forgotten, set[Blob]]:
    ids = list(
        await connection.scalars(select(turns.c.id).where(turns.c.thread == thread, turns.c.user == user))
    )
    said = await _said_by(connection, thread, lambda message: author_of(message) == user)
    theirs = {row.id for row in await connection.execute(select(turns.c.id).where(turns.c.thread == thread))}
    if theirs == set(ids):
        # Nobody else has said anything here: the thread goes as a whole.
        containers = await _container(connection, thread)
        await note_gone(store.database, connection, ids)
        blobs = await empty(connection, store.files, thread)
        await connection.execute(delete(threads).where(threads.c.id == thread))
        places = {_place(thread)}
        return Forgotten(turns=len(ids), threads=1, containers=containers, places=places), blobs
    also = and_(files.c.thread == thread, files.c.user == user)
    return await _forget_turns(store, connection, thread, ids, said, also)


async def _said_by(
    connection: AsyncConnection, thread: ThreadId, is_theirs: Callable[[dict[str, Any]], bool]
) -> Said:
    """Whatever the thread has of them: their own questions, what was read above one, what came meanwhile."""
    own = await connection.execute(
        select(turns.c.id, literal("").label("name"), turns.c.message.label("value")).where(
            turns.c.thread == thread
        )
    )
    done = await connection.execute(
        select(turns.c.id, steps.c.name, steps.c.result.label("value"))
        .join_from(steps, turns, turns.c.id == steps.c.turn)
        .where(turns.c.thread == thread)
    )
    texts: dict[str, None] = {}
    ids: set[str] = set()
    names: dict[str, frozenset[str]] = {}
    for row in (*own, *done):
        for each in messages_in(row.value):
            if is_theirs(each):
                ids.add(str(each["id"]))
                texts |= dict.fromkeys(renderings(each))
                if row.name == "above":
                    named = {safe_name(str(file["name"])) for file in each.get("attachments", ())}
                    names[row.id] = names.get(row.id, frozenset()) | named
    return Said(tuple(sorted(texts, key=len, reverse=True)), frozenset(ids), names)


async def _forget_turns(  # noqa: PLR0913, PLR0917  # one place that knows all of it
    store: Store,
    connection: AsyncConnection,
    thread: ThreadId,
    ids: list[str],
    said: Said,
    also: ColumnElement[bool] | None = None,
) -> tuple[Forgotten, set[Blob]]:
    """Turns of a thread that goes on without them. `also` names files that go with them."""
    own = and_(files.c.thread == thread, files.c.turn.in_(ids))
    sent = [
        and_(files.c.turn == turn, files.c.kind.in_(("upload", "picture")), files.c.name.in_(names))
        for turn, names in said.files.items()
    ]
    gone = or_(own, *sent, *([also] if also is not None else ()))
    candidates = {(row.team, row.sha256) for row in await connection.execute(blobs_of(gone))}
    await store.files.note_unneeded(connection, candidates)
    await connection.execute(delete(files).where(gone))
    lost = {sha256 for _, sha256 in candidates} - await _needed(connection, thread)
    for table in (rounds, feedback):
        await connection.execute(delete(table).where(table.c.turn.in_(ids)))
    for name in await connection.scalars(select(notes.c.key).where(notes.c.thread == thread)):
        if any(each.partition("@")[0] in name for each in ids):
            await connection.execute(delete(notes).where(notes.c.thread == thread, notes.c.key == name))
    await forget_about(connection, {each.partition("@")[0] for each in ids})
    await note_gone(store.database, connection, ids)
    await connection.execute(delete(turns).where(turns.c.id.in_(ids)))
    await connection.execute(
        delete(refused_pictures).where(
            refused_pictures.c.thread == thread, refused_pictures.c.sha256.in_(lost)
        )
    )
    redacted = await _redact(connection, thread, said, lost)
    for turn, names in said.files.items():
        looked_for = [f"{OLDER_NAME}{name}" for name in names]
        await connection.execute(delete(steps).where(steps.c.turn == turn, steps.c.name.in_(looked_for)))
    containers = await _container(connection, thread)
    await _shrink_session(store, connection, thread, lost)
    places = {_place(thread)}
    return Forgotten(turns=len(ids), redacted=redacted, containers=containers, places=places), candidates


async def _needed(connection: AsyncConnection, thread: ThreadId) -> set[str]:
    """Hashes of what people in the thread have brought, and of what came of it."""
    named = select(files.c.sha256).where(files.c.thread == thread, files.c.kind.not_in(OF_SESSION))
    return set(await connection.scalars(named))


async def _shrink_session(
    store: Store, connection: AsyncConnection, thread: ThreadId, lost: Collection[str]
) -> None:
    """Its record without those files, and without any variables. Whoever has it open cannot write it back."""
    record: dict[str, Any] | None = await connection.scalar(
        select(threads.c.session).where(threads.c.id == thread)
    )
    if record is None:
        return
    kept = {
        name: file
        for name, file in record["files"].items()
        if name != VARIABLES and file["sha256"] not in lost
    }
    smaller = {**record, "files": kept, "variables": [], "not_saved": [], "container": None}
    nobodys = {"session": smaller, "box_epoch": threads.c.box_epoch + 1}
    await connection.execute(update(threads).where(threads.c.id == thread).values(nobodys))
    await store.files.keep_for_session(connection, thread, smaller)


async def _container(connection: AsyncConnection, thread: ThreadId) -> dict[ThreadId, str]:
    """Where the thread's session is, if it is anywhere."""
    record = await connection.scalar(select(threads.c.session).where(threads.c.id == thread))
    container = (record or {}).get("container")
    return {thread: container} if container else {}


async def _redact(connection: AsyncConnection, thread: ThreadId, said: Said, lost: Collection[str]) -> int:
    """How many places of other people's turns have lost the person's words, or names of files that are `lost`."""
    changed = 0
    read_by: set[str] = set()
    for row in list(await connection.execute(select(rounds).where(rounds.c.thread == thread))):
        names = said.files.get(row.turn, frozenset())
        value = without_files(redacted(row.entries, said, names), lost)
        if value != row.entries:
            where = rounds.c.number == row.number
            await connection.execute(update(rounds).where(where).values(entries=value))
            changed += 1
    in_thread = select(turns.c.id).where(turns.c.thread == thread)
    for row in list(await connection.execute(select(steps).where(steps.c.turn.in_(in_thread)))):
        names = said.files.get(row.turn, frozenset())
        value = without_files(redacted(row.result, said, names), lost)
        if value != row.result:
            where = and_(steps.c.turn == row.turn, steps.c.name == row.name)
            await connection.execute(update(steps).where(where).values(result=value))
            read_by.add(row.turn)
            changed += 1
    await _go_through_again(connection, read_by)
    for row in list(await connection.execute(select(audit).where(audit.c.thread == thread))):
        facts = without_files(row.facts, lost)
        if facts != row.facts:
            await connection.execute(update(audit).where(audit.c.number == row.number).values(facts=facts))
    return changed


async def _go_through_again(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Whoever works on these turns still has in mind what they have lost, and writes nothing any more."""
    running = and_(turns.c.id.in_(ids), turns.c.state == "running")
    await connection.execute(update(turns).where(running).values(epoch=turns.c.epoch + 1))


async def _threads_of(store: Store, team: str, user: str) -> list[ThreadId]:
    """Of the team, in which the person has said something, or may have: in a turn that somebody else began."""

    async def work(connection: AsyncConnection) -> list[ThreadId]:
        asked = select(turns.c.thread).where(turns.c.user == user)
        sent = select(files.c.thread).where(files.c.user == user)
        # `above`: what was said in the thread before; by anybody.
        read = (
            select(turns.c.thread)
            .join(steps, steps.c.turn == turns.c.id)
            .where(steps.c.name == "above", cast(steps.c.result, String).contains(user, autoescape=True))
        )
        found = await connection.scalars(
            select(threads.c.id).where(threads.c.team == team, threads.c.id.in_(asked.union(sent, read)))
        )
        return [ThreadId(each) for each in found]

    return await store.database.read(work)


async def _stop(store: Store, which: ColumnElement[bool], wake: Wake, why: str = "cancelled") -> None:
    """What runs there ends first, for a while; what then still runs writes nothing any more, since its row is gone."""

    async def running(connection: AsyncConnection) -> list[str]:
        is_open = and_(which, turns.c.state.in_(OPEN))
        return list(await connection.scalars(select(turns.c.key).where(is_open)))

    for key in set(await store.database.read(running)):
        await store.turns.stop(key=key, why=why)
    await wake()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            while await store.database.read(running):  # noqa: ASYNC110  # it ends in another process
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        log.warning("turns.still_running")


async def _without_names(connection: AsyncConnection, where: ColumnElement[bool]) -> None:
    """What happened stays on record; who it was and what their files were called does not."""
    await _without_file_names(connection, where)
    await connection.execute(update(audit).where(where).values(user=GONE))


async def _without_file_names(connection: AsyncConnection, where: ColumnElement[bool]) -> None:
    for row in list(await connection.execute(select(audit.c.number, audit.c.facts).where(where))):
        facts = {name: value for name, value in row.facts.items() if name not in {"files", "text"}}
        await connection.execute(update(audit).where(audit.c.number == row.number).values(facts=facts))


def _begins(column: Any, text: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.startswith(text, autoescape=True)
    return condition


def _place(thread: ThreadId) -> str:
    """The channel, as far as the id of the thread says it."""
    return "/".join(thread.split("/")[:2])
