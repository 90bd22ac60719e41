"""The Sandbox port: a session for each thread, each in a box of its own, within what this machine can hold.

A box is made, or taken from those kept ready, when a thread first needs one. The longest idle gives way to a newcomer;
what its code left is saved before, and is there again in whatever box comes next.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

import structlog

from bot.blobs import Blobs
from bot.engine import alive
from bot.errors import SandboxBusy, SandboxError, SandboxLost, StoreUnavailable
from bot.folders import team_of, thread_folder
from bot.limits import Limits
from bot.lock import is_free, locked
from bot.messages import ThreadId
from bot.store.fence import Hold
from sandbox.box import Box
from sandbox.boxes import CHARTS, NOTHING, Boxes
from sandbox.container import Kind
from sandbox.egress.network import Network
from sandbox.keeping import Keeping
from sandbox.packages import Packages
from sandbox.places import Places
from sandbox.records import Record, Sessions, from_json, to_json
from sandbox.session import BoxSession, NotOurs
from sandbox.warm import Warm

log = structlog.get_logger()

PING_SECONDS = 60
"""Well below the time after which a box ends that hears nobody."""


class DockerSandbox:
    def __init__(  # noqa: PLR0913  # one place that knows all of it
        self,
        *,
        image: str,
        runtime: str,
        data_dir: Path,
        blobs: Blobs,
        sessions: Sessions,
        limits: Limits,
        deployment: str,
        warm: int = 0,
        network: Network | None = None,
        room: Callable[[ThreadId], Awaitable[int]] | None = None,
    ) -> None:
        """`warm` boxes are kept ready; what belongs to other deployments on the same engine is left alone.

        `room` says how many bytes of files a thread may still add to the store.
        """
        self._limits = limits
        self._room = room
        self._network = network
        self._data_dir = data_dir
        self._records = sessions
        self._blobs = blobs
        self._worker = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._worker_folder = data_dir / "workers" / self._worker
        self._boxes = Boxes(Kind(image, runtime, limits, deployment, network), self._worker)
        self._places = Places(limits.sessions, limits.sandboxes_bytes)
        self._warm = Warm(warm, self._new_warm, self._drop, self._places.news)
        self._sessions: dict[ThreadId, BoxSession] = {}
        self._idle_since: dict[ThreadId, float] = {}
        """Of the sessions that have a box and no borrower, on the monotonic clock; the longest idle comes first."""
        self._locks: WeakValueDictionary[ThreadId, asyncio.Lock] = WeakValueDictionary()
        self._life = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._life.enter_async_context(locked(self._worker_folder))
        for work in (self._warm.keep_filled(), self._look_after_all(), self._adopt()):
            self._life.push_async_callback(_end, asyncio.create_task(work))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sessions live on in their boxes, until these have been idle for long enough; those kept ready end now."""
        await self._life.aclose()
        for session in self._sessions.values():
            await session.leave()
        for box in self._warm.empty():
            await self._drop(box)
        await self._boxes.close()
        with contextlib.suppress(OSError):
            (self._worker_folder / "lock").unlink()
            self._worker_folder.rmdir()

    @asynccontextmanager
    async def session(
        self, thread: ThreadId, waiting: Callable[[int], None] | None = None, hold: Hold | None = None
    ) -> AsyncIterator[BoxSession]:
        """`waiting` hears how many are before this one, each time it changes, while there is no room.

        Raises `SandboxNotReady`, `SandboxBusy`, `SandboxLost`.
        """
        async with self._locked(thread):
            session = await self._known(thread) or self._new_session(thread, waiting)
            session.own = partial(self._own, thread, hold)
            self._sessions[thread] = session
            self._idle_since.pop(thread, None)
            try:
                await session.open()
                yield session
            finally:
                await self._given_back(thread, session)

    async def end(self, thread: ThreadId, container: str | None = None) -> None:
        """Its box goes away with all variables; its files stay in the store.

        `container` names it where the record does not any more.
        """
        async with self._locked(thread):
            session = self._sessions.get(thread)
            record = session.record if session else from_json((await self._records.held(thread))[0])
            container = container or record.container
            self._forget(thread)
            if session:
                await session.leave()
            if container:
                self._boxes.remove(container)

    @property
    def alive(self) -> int:
        """Sessions of this process that have a box."""
        return sum(1 for session in self._sessions.values() if session.box and not session.box.has_ended)

    async def answers(self) -> bool:
        """Whether the engine does. Raises `SandboxNotReady`."""
        await self._boxes.all()
        return True

    async def until_warm(self) -> None:
        """Waits until as many boxes are ready as were wanted."""
        await self._warm.until_full()

    def _new_session(self, thread: ThreadId, waiting: Callable[[int], None] | None = None) -> BoxSession:
        async def make() -> Box:
            return await self._warm.take() or await self._new_box(waiting)

        return BoxSession(
            keeping=Keeping(
                self._blobs,
                team_of(thread),
                self._limits.workspace_bytes,
                partial(self._room, thread) if self._room else None,
            ),
            packages=Packages(self._blobs, team_of(thread)),
            network=self._network,
            worker=self._worker,
            own=partial(self._own, thread, None),
            find=partial(self._find, thread),
            make=make,
            drop=self._drop,
            save=lambda record, epoch: self._records.save(thread, to_json(record), epoch),
        )

    async def _own(self, thread: ThreadId, hold: Hold | None) -> tuple[Record, int]:
        found = await self._records.own(thread, hold)
        if found is None:
            raise SandboxLost(f"somebody else works in {thread}")
        record, epoch = found
        return from_json(record), epoch

    async def _known(self, thread: ThreadId) -> BoxSession | None:
        """The session as this process has it, unless somebody else has used or ended it since."""
        session = self._sessions.get(thread)
        if session is None:
            return None
        facts, epoch = await self._records.held(thread)
        container, there = session.record.container, from_json(facts).container
        if (container, session.epoch) == (there, epoch):
            return session
        log.info("session.used_elsewhere" if there else "session.ended_elsewhere", session=thread)
        await self._leave_to_others(thread, session, there)
        return None

    async def _leave_to_others(self, thread: ThreadId, session: BoxSession, there: str | None) -> None:
        """They have it in the container `there`: another one is nobody's."""
        self._forget(thread)
        await session.leave()
        container = session.record.container
        if container and container != there:
            self._boxes.remove(container)

    async def _given_back(self, thread: ThreadId, session: BoxSession) -> None:
        try:
            await session.allow(())
            await session.settle()
        except NotOurs:
            facts, _ = await self._records.held(thread)
            await self._leave_to_others(thread, session, from_json(facts).container)
        except (SandboxLost, StoreUnavailable) as error:
            log.warning("session.not_settled", session=thread, detail=str(error))
        finally:
            if session.box and not session.box.has_ended:
                self._idle_since[thread] = time.monotonic()
                self._places.note(session.box.container, session.box.memory_bytes)
                self._places.news()
            else:
                await self._forget_ended(thread, session)

    async def _forget_ended(self, thread: ThreadId, session: BoxSession) -> None:
        self._forget(thread)
        self._places.news()
        await session.leave()

    def _forget(self, thread: ThreadId) -> None:
        session = self._sessions.pop(thread, None)
        self._idle_since.pop(thread, None)
        if session and session.record.container:
            self._places.leave(session.record.container)

    def _locked(self, thread: ThreadId) -> contextlib.AbstractAsyncContextManager[None]:
        """One borrower at a time.

        Where machines share the store, turns keep them apart: a worker of this machine that does not go on any more
        must not be waited for.
        """
        return self._lock(thread) if self._records.are_shared else locked(self._folder(thread))

    async def _is_free(self, thread: ThreadId) -> bool:
        if self._records.are_shared:
            return not self._lock(thread).locked()
        return await asyncio.to_thread(is_free, self._folder(thread))

    def _lock(self, thread: ThreadId) -> asyncio.Lock:
        return self._locks.setdefault(thread, asyncio.Lock())

    def _folder(self, thread: ThreadId) -> Path:
        return thread_folder(self._data_dir, thread)

    # Boxes

    async def _find(self, thread: ThreadId, record: Record, epoch: int) -> Box | None:
        container, box = record.container, None
        if container and await self._boxes.is_running(container):
            box = await self._boxes.attached(container, epoch)
            if box is None:
                if (await self._records.held(thread))[1] != epoch:
                    raise SandboxLost(f"somebody else has taken over the session of {thread}")
                # It does not answer. Nobody else has this thread, and nobody will ask it again.
                self._boxes.remove(container)
        if box:
            self._places.note(box.container, box.memory_bytes)
        elif container:
            self._places.leave(container)
        return box

    async def _new_box(self, waiting: Callable[[int], None] | None) -> Box:
        """Not from those kept ready: it takes a moment, but nobody is waited for, unless there is no room."""
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                await self._places.take(self._make_room, waiting)
        except TimeoutError as error:
            raise SandboxBusy("no box became free in time") from error
        return await self._placed(NOTHING)

    async def _new_warm(self) -> Box | None:
        if not self._places.take_if_free():
            return None
        return await self._placed(CHARTS)

    async def _placed(self, preload: str) -> Box:
        """A new box in a place that was taken for it."""
        try:
            box = await self._boxes.new(preload)
        except BaseException:
            self._places.give_up()
            raise
        self._places.fill(box.container)
        return box

    async def _drop(self, box: Box) -> None:
        self._places.leave(box.container)
        await box.close()
        self._boxes.remove(box.container)

    # Who gives way, and to whom

    async def _make_room(self) -> bool:
        """Whether something gave way: a box kept ready, or the one that has been idle for longest."""
        warm = self._warm.give_up_one()
        if warm:
            await self._drop(warm)
            return True
        for thread in list(self._idle_since):
            if await self._put_away(thread):
                return True
        return False

    async def _put_away(self, thread: ThreadId) -> bool:
        """Save an idle session and let its box go; not if somebody has just borrowed it."""
        if thread not in self._idle_since or not await self._is_free(thread):
            return False
        async with self._locked(thread):
            session = await self._known(thread)
            if session is None or thread not in self._idle_since:
                return False
            container = session.record.container
            try:
                await session.put_away()
            except SandboxLost as error:
                # Somebody else has just taken it over: then its box is not ours to remove.
                log.info("session.not_put_away", session=thread, detail=str(error))
                container = None
            self._forget(thread)
            if container:
                self._places.leave(container)
                self._boxes.remove(container)
        log.info("session.put_away", session=thread)
        return True

    async def _let_go_if_ended(self, thread: ThreadId) -> None:
        if await self._is_free(thread):
            async with self._locked(thread):
                await self._known(thread)

    async def _look_after_all(self) -> None:
        """For as long as it runs: boxes hear that somebody is there, and those that nobody needs are put away."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._warm.ping()
            for thread in list(self._sessions):
                try:
                    await self._look_after(thread)
                except StoreUnavailable as error:
                    log.warning("session.not_looked_after", session=thread, detail=str(error))
                except Exception:
                    # Whatever it was, nobody else looks after the others.
                    log.exception("session.not_looked_after", session=thread)

    async def _look_after(self, thread: ThreadId) -> None:
        session, since = self._sessions.get(thread), self._idle_since.get(thread)
        if since is not None and time.monotonic() - since > self._limits.session_seconds:
            await self._put_away(thread)
        elif session and session.box:
            # A borrowed one too: a model may think for longer than a box waits to hear somebody.
            try:
                await session.box.ping()
            except SandboxError as error:
                log.info("session.ended", session=thread, detail=str(error))
                if thread in self._idle_since:
                    await self._forget_ended(thread, session)
            else:
                await self._let_go_if_ended(thread)

    async def _adopt(self) -> None:
        """What bots of this machine that died have left: sessions are taken over, boxes that were nobody's yet go."""
        try:
            left = await self._boxes.all()
            dead = set(await self._dead(set(left.values())))
            for thread, facts in await self._records.all():
                record = from_json(facts)
                if left.pop(record.container or "", None) is None:
                    continue
                if await self._dead([record.worker]) and await self._is_free(thread):
                    await self._take_over(thread)
            for container, worker in left.items():
                if worker in dead:
                    self._boxes.remove(container)
            for container in await self._boxes.stillborn():
                self._boxes.remove(container)
        except SandboxError as error:
            log.warning("containers.not_adopted", detail=str(error))

    async def _dead(self, workers: Collection[str]) -> list[str]:
        return await alive.dead(self._data_dir, workers, with_others=self._records.are_shared)

    async def _take_over(self, thread: ThreadId) -> None:
        try:
            async with self.session(thread):
                pass
        except SandboxLost as error:
            log.info("session.not_adopted", session=thread, detail=str(error))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
