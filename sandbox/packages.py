"""Packages that code installed in a box are kept with the thread, each as an archive, and are in its next box again."""

import json
from dataclasses import dataclass, replace

import structlog

from bot.blobs import Blobs
from sandbox.box import Box
from sandbox.records import Record
from sandbox.wire import PAYLOAD_BYTES

log = structlog.get_logger()

LIST_SECONDS, PACK_SECONDS, UNPACK_SECONDS = 5.0, 30.0, 30.0
LIST_BYTES = 256 * 1024
PACKED_BYTES = PAYLOAD_BYTES - 1024
"""What is larger is not kept: it has to be installed again."""
MOST = 200


@dataclass(frozen=True, slots=True)
class Packages:
    blobs: Blobs
    team: str

    async def keep(self, box: Box, record: Record) -> Record:
        """What is new is fetched, what is gone forgotten. Raises `SandboxLost`."""
        done = await box.job("packages", {"do": "list"}, LIST_SECONDS, LIST_BYTES)
        if done.status != "ok":
            return record
        names = _names(done.payload)
        kept = {name: sha256 for name, sha256 in record.packages.items() if name in names}
        for name in names:
            if name not in kept and (sha256 := await self._packed(box, name)):
                kept[name] = sha256
        return replace(record, packages=kept)

    async def restore(self, box: Box, record: Record) -> None:
        """Raises `SandboxLost`."""
        for sha256 in record.packages.values():
            archive = await self.blobs.read(self.team, sha256)
            if archive is None:
                log.warning("package.not_restored", detail="it is not kept any more")
                continue
            done = await box.job("packages", {"do": "unpack"}, UNPACK_SECONDS, 0, archive)
            if done.status != "ok":
                log.info("package.not_restored", detail=done.detail)

    async def _packed(self, box: Box, name: str) -> str | None:
        done = await box.job("packages", {"do": "pack", "name": name}, PACK_SECONDS, PACKED_BYTES)
        if done.status != "ok":
            log.info("package.not_kept", detail=done.detail)
            return None
        sha256, _ = await self.blobs.add(self.team, done.payload)
        return sha256


def _names(payload: bytes) -> list[str]:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return []
    return [name for name in said if isinstance(name, str)][:MOST] if isinstance(said, list) else []
