"""What a cell left for people: files and displays as artifacts, and the text with their names in it."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from bot.attachments import safe_name, unique_name
from bot.blobs import Blobs
from bot.execution import Artifact
from sandbox.collected import Collected
from sandbox.frames import Display
from sandbox.media_type import HEAD_BYTES, extension_for, media_type
from sandbox.names import is_by_the_way
from sandbox.records import KeptFile


@dataclass(slots=True)
class Left:
    """The artifacts of one cell, each content once, each name once."""

    blobs: Blobs
    team: str
    artifacts: list[Artifact] = field(default_factory=list[Artifact])
    _names: dict[str, str] = field(default_factory=dict[str, str])
    """Of these, by their hash."""
    _taken: set[str] = field(default_factory=set[str])

    async def take(
        self, collected: Collected, files: Mapping[str, KeptFile], known: Mapping[str, KeptFile]
    ) -> str:
        """The text of the cell, with `[name]` where something was shown.

        `files` are those that the cell wrote; `known`, all there are, may be shown without having changed.
        """
        by_name = {
            name: await self._of_file(name, file) for name, file in files.items() if not is_by_the_way(name)
        }
        text = [
            item if isinstance(item, str) else await self._shown(item, by_name, known)
            for item in collected.items
        ]
        for artifact in by_name.values():
            self._add(artifact)
        return "".join(text)

    async def _shown(
        self, display: Display, files: dict[str, Artifact], known: Mapping[str, KeptFile]
    ) -> str:
        """The lines that stand for a display."""
        name = display.saved_as
        if name is not None and name not in files and name in known:
            files[name] = await self._of_file(name, known[name])
        if name is not None and name in files:
            files[name] = files[name].described(display.alt)
            return _line(self._add(files[name]))
        lines = [
            _line(self._add(await self._of_display(display, claimed, content), files.values()))
            for claimed, content in display.content.items()
            if content
        ]
        return "".join(lines)

    def _add(self, artifact: Artifact, others: Collection[Artifact] = ()) -> str:
        """The name under which it is there: its twin's, or another one if that is taken."""
        if artifact.sha256 in self._names:
            return self._names[artifact.sha256]
        # A file that says the same as a display goes before it: it has the name that the code chose.
        twin = next((each for each in others if each.sha256 == artifact.sha256), None)
        if twin:
            artifact = twin.described(twin.alt_text or artifact.alt_text)
        name = unique_name(artifact.name, self._taken)
        self.artifacts.append(replace(artifact, name=name))
        self._taken.add(name)
        self._names[artifact.sha256] = name
        return name

    async def _of_file(self, name: str, file: KeptFile) -> Artifact:
        path = self.blobs.path(self.team, file.sha256)
        kind = media_type(await asyncio.to_thread(_head, path), name)
        plain = safe_name(PurePosixPath(name).name)
        return Artifact(plain, kind, file.size_bytes, file.sha256, path, workspace_name=name)

    async def _of_display(self, display: Display, claimed: str, content: bytes) -> Artifact:
        sha256, path = await self.blobs.add(self.team, content)
        kind = media_type(content[:HEAD_BYTES], f"x{extension_for(claimed)}")
        name = safe_name(display.name or "chart") + extension_for(kind)
        return Artifact(name, kind, len(content), sha256, path, alt_text=display.alt)


def _line(name: str) -> str:
    return f"[{name}]\n"


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)
