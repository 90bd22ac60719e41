"""The sandbox that the settings ask for."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.cli.ending import Code, Ended
from bot.config import Settings
from bot.quotas import Room
from bot.store.store import Store
from sandbox.egress.allow import EntryRefused
from sandbox.egress.network import Network, network
from sandbox.pool import DockerSandbox


@asynccontextmanager
async def open_sandbox(
    settings: Settings, store: Store, room: Room | None = None, warm: int = 0
) -> AsyncIterator[DockerSandbox]:
    async with DockerSandbox(
        network=_network(settings),
        image=settings.sandbox_image,
        runtime=settings.sandbox_runtime,
        data_dir=settings.data_dir,
        blobs=store.blobs,
        sessions=store.sessions,
        limits=settings.limits,
        deployment=settings.deployment,
        warm=warm,
        room=room.left if room else None,
    ) as sandbox:
        yield sandbox


def _network(settings: Settings) -> Network | None:
    try:
        return network(
            settings.network_entries,
            settings.sandbox_packages,
            settings.operator_contact,
            os.environ,
            Path.home(),
            asks=settings.network_approvals != "off",
        )
    except EntryRefused as error:
        raise Ended(Code.USAGE, f"SANDBOX_NETWORK or SANDBOX_PACKAGES cannot be used: {error}.") from error
