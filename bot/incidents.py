"""What only an operator can mend: told once in their channel, however many people run into it.

An incident lasts until what was broken works again, or nobody has run into it for hours.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.errors import (
    BotError,
    DiskFull,
    ModelMisconfigured,
    ModelQuotaExhausted,
    SandboxNotReady,
    StoreUnavailable,
)
from bot.sentences import say
from bot.store.database import Database
from bot.store.tables import incidents

log = structlog.get_logger()

QUIET_SECONDS = 6 * 3600.0
"""After so long it is a new one."""
LOOK_SECONDS = 60.0
"""One that lasts is written down no more often than this."""
TELL_SECONDS = 20.0
FULL = (errno.ENOSPC, errno.EDQUOT)

Announce = Callable[[str, str], Awaitable[None]]
"""Posts a text to a channel, given as in OPERATOR_CHANNEL. May raise a `BotError`."""


class Incident(StrEnum):
    MODEL_KEY = "model_key"
    MODEL_QUOTA = "model_quota"
    ENGINE = "engine"
    DISK = "disk"
    STORE = "store"
    FILES = "files"
    """A quota is nearly used up."""


@dataclass(slots=True)
class Incidents:
    database: Database
    channel: str = ""
    """Where operators read, as `slack:T1/C1`; empty where nobody does: then it stands in the log."""
    locale: str = "en"
    endpoint: str = ""
    announcers: dict[str, Announce] = field(default_factory=dict[str, Announce])
    """By the beginning of channels that they can post to: `slack:`. Adapters add theirs once they are connected."""
    _open: dict[str, float] = field(default_factory=dict[str, float])
    """When each was last written down, on the monotonic clock."""
    _read_at: float = float("-inf")

    async def noticed(self, error: BaseException) -> None:
        """Somebody has run into this. Never raises for what cannot be told or written down."""
        incident = incident_of(error)
        if incident:
            await self.began(incident, detail=type(error).__name__)

    async def began(self, incident: Incident, which: str = "", **facts: str | int) -> None:
        """`which` tells apart those that can be there at once."""
        key = f"{incident}:{which}" if which else str(incident)
        if time.monotonic() - self._open.get(key, float("-inf")) < LOOK_SECONDS:
            return
        is_known, self._open[key] = key in self._open, time.monotonic()
        try:
            is_ours_to_tell = await self.database.write(lambda connection: self._claim(connection, key))
        except StoreUnavailable:
            is_ours_to_tell = not is_known
        if is_ours_to_tell:
            metrics.incidents.labels(str(incident)).inc()
            log.error("incident.began", incident=key, **facts)
            await self._tell(incident, key, {"which": which, **facts})

    async def works(self, *those: Incident) -> None:
        """What they were about works again."""
        if time.monotonic() - self._read_at > LOOK_SECONDS:
            self._read_at = time.monotonic()
            found = await self.database.read(lambda connection: connection.scalars(select(incidents.c.key)))
            self._open |= dict.fromkeys(set(found) - self._open.keys(), float("-inf"))
        over = [key for key in self._open if key.partition(":")[0] in those]
        if not over:
            return
        for key in over:
            del self._open[key]
        await self.database.write(
            lambda connection: connection.execute(delete(incidents).where(incidents.c.key.in_(over)))
        )
        log.info("incident.ended", incidents=over)

    async def _claim(self, connection: AsyncConnection, key: str) -> bool:
        """Whether it is this process that tells of it."""
        now = time.time()
        adding = self.database.insert(incidents).values(key=key, first_at=now, last_at=now)
        await connection.execute(adding.on_conflict_do_nothing())
        untold = or_(incidents.c.told_at.is_(None), incidents.c.last_at < now - QUIET_SECONDS)
        claimed = await connection.execute(
            update(incidents).where(incidents.c.key == key, untold).values(told_at=now, last_at=now)
        )
        await connection.execute(update(incidents).where(incidents.c.key == key).values(last_at=now))
        return bool(claimed.rowcount)

    async def tell(self, text: str) -> bool:
        """To operators in their channel; whether they could be told. Where they have none, nobody is."""
        if not self.channel:
            return True
        announce = self.announcers.get(self.channel.partition(":")[0] + ":")
        if announce is None:
            log.warning("operators.not_told", detail=f"nobody here can post to {self.channel}")
            return False
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await announce(self.channel, text)
        except (BotError, TimeoutError) as error:
            log.warning("operators.not_told", detail=str(error))
            return False
        return True

    async def _tell(self, incident: Incident, key: str, facts: dict[str, str | int]) -> None:
        if not await self.tell(
            say(self.locale, f"incident_{incident}", **{"endpoint": self.endpoint, **facts})
        ):
            await self._untell(key)

    async def _untell(self, key: str) -> None:
        """Whoever runs into it next tells of it."""
        try:
            await self.database.write(
                lambda connection: connection.execute(
                    update(incidents).where(incidents.c.key == key).values(told_at=None)
                )
            )
        except StoreUnavailable:
            self._open.pop(key, None)


def incident_of(error: BaseException) -> Incident | None:
    for each in _chain(error):
        if isinstance(each, DiskFull) or is_disk_full(each):
            return Incident.DISK
    match error:
        case ModelQuotaExhausted():
            return Incident.MODEL_QUOTA
        case ModelMisconfigured():
            return Incident.MODEL_KEY
        case SandboxNotReady():
            return Incident.ENGINE
        case StoreUnavailable():
            return Incident.STORE
        case _:
            return None


def is_disk_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in FULL) or "disk is full" in str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
