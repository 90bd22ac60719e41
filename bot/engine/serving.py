"""A worker with all its parts, for the platforms that it can speak on."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from bot.engine import taking
from bot.engine.bell import Bell
from bot.engine.worker import Worker
from bot.messages import ThreadId
from bot.ports import Thread
from bot.stopping import Parked, Stop
from bot.store.claiming import Bounds, Claimed
from bot.turn import Parts

OpenThread = Callable[[ThreadId, str], Thread]
"""Opens a thread by its id and the address that its adapter gave for it."""


def worker_for(
    parts: Parts, platforms: Mapping[str, OpenThread], bell: Bell, bounds: Bounds, *, with_leases: bool
) -> Worker:
    """`platforms` by the beginning of their threads' ids: `slack:`."""

    def thread_of(claimed: Claimed) -> Thread:
        platform = claimed.thread.partition(":")[0] + ":"
        return platforms[platform](claimed.thread, taking.address_of(claimed))

    async def take(claimed: Claimed, stop: Stop, check: Callable[[], Awaitable[None]]) -> None:
        with suppress(Parked):
            await taking.take(claimed, thread_of(claimed), parts, stop, check, waits=True)

    async def give_up(claimed: Claimed) -> None:
        await taking.give_up(claimed, thread_of(claimed), parts)

    return Worker(
        name=parts.worker,
        turns=parts.store.turns,
        bell=bell,
        bounds=bounds,
        platforms=tuple(platforms),
        take=take,
        give_up=give_up,
        data_dir=parts.store.data_dir,
        with_leases=with_leases,
    )
