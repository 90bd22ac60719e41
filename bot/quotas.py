"""How much room files may take: of a thread, of a person, of all. New ones are refused before it is used up.

What goes on all the same (charts, what a model looks at, variables put away) fits into the last tenth. Nothing is ever
deleted to make room.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import AttachmentRefused
from bot.folders import team_of
from bot.limits import MIB, Limits
from bot.messages import ThreadId
from bot.store.files import Files

REFUSED_AT = 0.9
OF_DISK = 0.8
"""Of what is free and what files have taken already: the rest of the machine wants to live too."""
OF_ALL = 0.1
"""One person."""
WORKSPACES = 4
"""Of one thread: its workspace, earlier states of its files, what was posted."""
LEAST_BYTES = 256 * MIB
FRESH_SECONDS = 30.0
"""The sum over all threads is asked for no more often than this."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """In bytes; None where it follows from the disk."""

    thread_bytes: int | None = None
    user_bytes: int | None = None
    total_bytes: int | None = None


@dataclass(slots=True)
class Room:
    files: Files
    quotas: Quotas
    limits: Limits
    data_dir: Path | None
    """None where files are kept elsewhere: then only what was set bounds them."""
    tell: Callable[[str, int], Awaitable[None]]
    """Hears which quota is nearly used up (`all`, `thread …`, `user …`), and how much it is."""
    _all: int = 0
    _asked_at: float = field(default=float("-inf"))

    async def check(self, thread: ThreadId, user: str, name: str, size_bytes: int) -> None:
        """Raises `AttachmentRefused` where there is no room for one more file of that size."""
        for what, used, quota in await self._scopes(thread, user):
            if quota is not None and used + size_bytes > quota * REFUSED_AT:
                await self.tell(_named(what, thread, user), quota)
                raise AttachmentRefused(
                    f"{used} of {quota} bytes", sentence=f"quota_{what}", name=name, limit=_shown(quota)
                )

    async def left(self, thread: ThreadId) -> int:
        """Bytes that whoever works there may still add."""
        user = await self.files.who_works_in(thread)
        rooms = []
        for what, used, quota in await self._scopes(thread, user):
            if quota is not None:
                rooms.append(max(0, int(quota * REFUSED_AT) - used))
                if not rooms[-1]:
                    await self.tell(_named(what, thread, user), quota)
        return min(rooms, default=2**62)

    async def _scopes(self, thread: ThreadId, user: str) -> list[tuple[str, int, int | None]]:
        """Each with what is used and what may be, the narrowest first."""
        total = await self._total()
        whole = total if total is not None else 2**62
        of_thread = self.quotas.thread_bytes or min(
            WORKSPACES * self.limits.workspace_bytes, max(LEAST_BYTES, whole // 2)
        )
        of_user = self.quotas.user_bytes
        if of_user is None and total is not None:
            of_user = max(int(total * OF_ALL), of_thread)
        scopes: list[tuple[str, int, int | None]] = [
            ("thread", await self.files.used(thread=thread), of_thread)
        ]
        if user:
            scopes.append(("user", await self.files.used(team=team_of(thread), user=user), of_user))
        return [*scopes, ("all", self._all, total)]

    async def _total(self) -> int | None:
        if time.monotonic() - self._asked_at > FRESH_SECONDS:
            self._all = await self.files.used()
            self._asked_at = time.monotonic()
        if self.quotas.total_bytes is not None or self.data_dir is None:
            return self.quotas.total_bytes
        return int(OF_DISK * (await asyncio.to_thread(_free, self.data_dir) + self._all))


def _free(folder: Path) -> int:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def _named(what: str, thread: ThreadId, user: str) -> str:
    return {"thread": f"thread {thread}", "user": f"user {team_of(thread)}/{user}"}.get(what, what)


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.1f} GB" if size_bytes >= 1024**3 else f"{size_bytes // MIB} MB"
