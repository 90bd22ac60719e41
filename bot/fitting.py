"""A file in fewer bytes, where a platform takes no larger one: an image encoded anew, another file zipped.

It is done in a sandbox of its own, which is thrown away: what code has left is not opened anywhere else.
"""

import secrets
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import structlog

from bot import forgetting
from bot.errors import BotError
from bot.execution import Artifact
from bot.exporting import PLATFORM, OwnSandbox
from bot.folders import team_of
from bot.messages import ThreadId
from bot.store.store import Store

log = structlog.get_logger()

_IMAGE = """\
from io import BytesIO
from pathlib import Path
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None
image = ImageOps.exif_transpose(Image.open(name))
is_opaque = image.mode in ("RGB", "L", "P", "1", "CMYK") and "transparency" not in image.info
form, mode, ending = ("JPEG", "RGB", ".jpg") if is_opaque else ("WEBP", "RGBA", ".webp")
image = image.convert(mode)
image.thumbnail((16_000, 16_000))
for quality, scale in ((90, 1), (75, 1), (75, 0.7), (75, 0.5), (75, 0.35), (60, 0.25), (60, 0.1)):
    smaller = image.resize([max(1, round(side * scale)) for side in image.size]) if scale < 1 else image
    smaller.save(written := BytesIO(), form, quality=quality)
    if written.tell() <= limit:
        Path("fitted-" + Path(name).stem + ending).write_bytes(written.getvalue())
        break
"""
_ARCHIVE = """\
import os, zipfile

made = "fitted-" + name + ".zip"
with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    archive.write(name)
if os.path.getsize(made) > limit:
    os.remove(made)
"""
MADE = "fitted-"
"""With this begins what comes of it."""


@dataclass(frozen=True, slots=True)
class Fitting:
    store: Store
    sandbox: OwnSandbox
    seconds: float

    async def __call__(self, artifact: Artifact, limit_bytes: int, thread: ThreadId) -> Artifact | None:
        """The same in at most `limit_bytes`; None where that cannot be had.

        The new file belongs to no turn, and goes within a day or two.
        """
        own = ThreadId(PLATFORM + secrets.token_hex(8))
        try:
            made = await self._made(artifact, limit_bytes, own)
            if made is None:
                return None
            sha256, place = await self.store.blobs.add(team_of(thread), made.path)
        except BotError as error:
            log.warning("artifact.not_fitted", detail=str(error))
            return None
        finally:
            await self.sandbox.end(own)
            await forgetting.forget_thread(self.store, own, "")
        name = PurePosixPath(str(made.workspace_name)).name.removeprefix(MADE)
        return replace(made, name=name, sha256=sha256, path=place, alt_text=artifact.alt_text)

    async def _made(self, artifact: Artifact, limit_bytes: int, own: ThreadId) -> Artifact | None:
        way = _IMAGE if artifact.is_image else _ARCHIVE
        async with self.sandbox.session(own) as session:
            await session.put(artifact.name, artifact.path)
            code = f"name, limit = {artifact.name!r}, {limit_bytes}\n{way}"
            done = await session.run(code, cell_id="fit", seconds=self.seconds)
        for each in done.artifacts:
            if (each.workspace_name or "").startswith(MADE) and each.size_bytes <= limit_bytes:
                return each
        log.info("artifact.not_fitted", size_bytes=artifact.size_bytes, outcome=done.outcome)
        return None
