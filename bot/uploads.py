"""A message's files on their way into the session: fetched, named, put there, looked into."""

import asyncio
import hashlib
import mimetypes
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.attachments import older_name, safe_name, unique_name
from bot.errors import AttachmentRefused, BotError, PlatformUnavailable
from bot.execution import Artifact, Picture, Profile
from bot.journal import Journal
from bot.limits import Limits
from bot.local_time import local
from bot.messages import Above, Attachment, Message, Noted
from bot.ports import Session, Thread
from bot.progress import Show
from bot.quotas import Room
from bot.sentences import explain, say, size
from bot.stopping import unless_stopped
from bot.transcript import Upload

log = structlog.get_logger()

OLDER_NAME = "older name of "
"""With this and the name of a new file a step is called."""


@dataclass(slots=True)
class TakenIn:
    """What became of the files of a message."""

    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    """All of the thread by their present names, older ones first."""
    profiles: list[Profile] = field(default_factory=list[Profile])
    """Of the new files, in the order of the message."""
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    """New file → what the older file is called now that had its name."""
    above: Above = field(default_factory=Above)
    """What was said before, where the bot was called into a thread."""
    refusals: list[str] = field(default_factory=list[str])
    """What people have to hear about single files, a sentence each."""
    pictures: list[Picture] = field(default_factory=list[Picture])
    """Images among the new files, made small enough for the model."""

    @property
    def nothing_usable(self) -> bool:
        return all(profile.kind == "encrypted" for profile in self.profiles)


@dataclass(frozen=True, slots=True)
class Uploading:
    """Takes in the files of one message."""

    message: Message
    thread: Thread
    session: Session
    journal: Journal
    limits: Limits
    scratch: Path
    """A folder on the host for files that are passing through."""
    with_pictures: bool
    """Whether the model may look at images."""
    contact: str
    show: Show
    stop: asyncio.Event
    room: Room | None = None

    async def take_in(self, taken: TakenIn) -> None:
        """Every file that can be taken is taken, each of the others becomes a sentence.

        `taken` has the thread's earlier uploads and gets the new ones. Raises `Stopped`.
        """
        lying_there = {file.name: file.modified for file in await self.session.files()}
        folders = {name.split("/")[0] for name in lying_there if "/" in name}
        names: list[str] = []
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            for number, attachment in enumerate(self.message.attachments):
                name = unique_name(safe_name(attachment.name), {*names, *folders})
                names.append(name)
                try:
                    path = await self._fetch(attachment, name, Path(folder), number)
                    await self._place(name, path, taken, lying_there)
                except AttachmentRefused as error:
                    log.info("attachment.refused", sentence=error.sentence, detail=str(error))
                    taken.refusals.append(self._explain(error, name))

    async def _fetch(self, attachment: Attachment, name: str, folder: Path, number: int) -> Path:
        if number >= self.limits.attachments:
            raise AttachmentRefused(
                "too many attachments", sentence="attachment_one_too_many", limit=self.limits.attachments
            )
        self._check_size(attachment.size_bytes or 0)
        await self._check_room(name, attachment.size_bytes or 0)
        self.show(Noted(say(self._locale, "reading", name=name)))
        path = folder / str(number)
        try:
            await unless_stopped(self.stop, self.thread.fetch(attachment, path, self.limits.attachment_bytes))
        except PlatformUnavailable as error:
            raise _named(error, "attachment_unavailable") from error
        # What a platform says of a file may be wrong.
        self._check_size(path.stat().st_size)
        await self._check_room(name, path.stat().st_size)
        return path

    async def _check_room(self, name: str, size_bytes: int) -> None:
        if self.room:
            await self.room.check(self.thread.id, self.message.author.id, name, size_bytes)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self.limits.attachment_bytes:
            raise AttachmentRefused(
                f"{size_bytes} bytes", sentence="attachment_too_large", size=self._size(size_bytes)
            )

    async def _place(self, name: str, path: Path, taken: TakenIn, lying_there: dict[str, float]) -> None:
        """Put the file into the workspace under `name`, which an older one gives up, and look into it."""
        sha256 = await asyncio.to_thread(_sha256, path)

        async def named() -> str | None:
            return self._name_for_older(name, sha256, taken, lying_there)

        # Written down before anything has its new name: whoever goes on from here must not find another one.
        older = await self.journal.step(f"{OLDER_NAME}{name}", named)
        if older and older not in lying_there:
            await self.session.rename(name, older)
        try:
            await self.session.put(name, path)
        except AttachmentRefused as error:
            if older:
                await self.session.rename(older, name)
            raise _named(error, "workspace_full") from error
        previous = taken.uploads.pop(name, None)
        if older:
            taken.renamed[name] = older
            if previous:
                taken.uploads[older] = replace(previous, name=older)
        upload = Upload(name, sha256, self.message.sent_at)
        taken.uploads[name] = upload
        await self._look_into(upload, path, taken)

    def _name_for_older(
        self, name: str, sha256: str, taken: TakenIn, lying_there: dict[str, float]
    ) -> str | None:
        """None when nothing has the name, or only the very same file."""
        previous = taken.uploads.get(name)
        names = {*taken.uploads, *lying_there}
        if previous and previous.sha256 != sha256:
            at = local(self.message.author, previous.uploaded_at)
            return older_name(name, "uploaded", at, names)
        if not previous and name in lying_there:
            at = local(self.message.author, datetime.fromtimestamp(lying_there[name], UTC))
            return older_name(name, "made", at, names)
        return None

    async def _look_into(self, upload: Upload, path: Path, taken: TakenIn) -> None:
        profile = await self.session.profile(upload.name)
        taken.profiles.append(profile)
        if profile.kind == "encrypted":
            taken.refusals.append(say(self._locale, "attachment_encrypted", name=upload.name))
        if profile.kind == "image" and self.with_pictures:
            image = _as_artifact(upload, path)
            picture = await self.session.picture(image, self.limits.picture_side)
            taken.pictures += [picture] if picture else []

    def _explain(self, error: AttachmentRefused, name: str) -> str:
        return explain(
            self._locale,
            error,
            contact=self.contact,
            name=name,
            limit=self._size(self.limits.attachment_bytes),
            workspace=self._size(self.limits.workspace_bytes),
        )

    @property
    def _locale(self) -> str:
        return self.message.author.locale

    def _size(self, size_bytes: int) -> str:
        return size(self._locale, size_bytes)


def _named(error: BotError, sentence: str) -> AttachmentRefused:
    """The same as the refusal of one file, with this sentence unless the error has one of its own."""
    own = error.sentence if error.sentence != error.default_sentence else sentence
    return AttachmentRefused(str(error), sentence=own, **error.facts)


def _as_artifact(upload: Upload, path: Path) -> Artifact:
    media_type = mimetypes.guess_type(upload.name)[0] or "application/octet-stream"
    return Artifact(
        upload.name, media_type, path.stat().st_size, upload.sha256, path, workspace_name=upload.name
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
