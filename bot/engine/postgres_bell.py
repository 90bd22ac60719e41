"""The bell of workers on any number of machines. Apart, so that nobody loads Postgres' library who does not use it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import structlog

from bot.engine.bell import until
from bot.store.database import noticing

log = structlog.get_logger()

CHANNEL = "plotline"
RECONNECT_SECONDS = 1.0

Connection = psycopg.AsyncConnection[tuple[object, ...]]


class PostgresBell:
    """LISTEN and NOTIFY, on a connection each, since one that listens is busy."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._rung = asyncio.Event()
        self._ringing = asyncio.Lock()
        self._rings: Connection | None = None

    @classmethod
    @asynccontextmanager
    async def heard(cls, url: str) -> AsyncIterator["PostgresBell"]:
        address = url.replace("postgresql+psycopg://", "postgresql://")

        async def connect() -> Connection:
            return await psycopg.AsyncConnection.connect(address, autocommit=True, **noticing(url))

        bell = cls(connect)
        listening = asyncio.create_task(bell._listen())
        try:
            yield bell
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            if bell._rings:
                await bell._rings.close()

    async def ring(self) -> None:
        self._rung.set()
        async with self._ringing:
            # A connection that the server has ended is only known by its failure.
            for connects_anew in (False, True):
                try:
                    await (await self._ringer(anew=connects_anew)).execute(f"NOTIFY {CHANNEL}")
                except psycopg.Error as error:
                    # They look again in a second.
                    log.warning("bell.not_rung", detail=str(error))
                else:
                    return

    def ring_here(self) -> None:
        self._rung.set()

    async def wait(self, most_seconds: float) -> None:
        await until(self._rung, most_seconds)

    async def _ringer(self, *, anew: bool) -> Connection:
        if anew or self._rings is None or self._rings.closed:
            if self._rings:
                await self._rings.close()
            self._rings = await self._connect()
        return self._rings

    async def _listen(self) -> None:
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    # Nobody knows what was missed before.
                    self._rung.set()
                    async for _ in connection.notifies():
                        self._rung.set()
            except psycopg.Error as error:
                log.warning("bell.not_heard", detail=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)
