"""Bytes from Slack and to Slack."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from adapters.download import Downloaded, NotServed, Token, download
from adapters.slack.attachments import file_id, is_login_page, refusal, to_attachment
from adapters.slack.errors import SlackRefused, Unsure, slack_errors
from adapters.slack.places import Place
from adapters.slack.render import File
from adapters.slack.web import Web
from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.messages import Attachment
from bot.reception import Journal

log = structlog.get_logger()

Json = dict[str, Any]

TRIES = 3
SHARED_AT_ONCE = 10
UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=120)
SLACKS_ORIGINS = ("https://files.slack.com", "https://files.slack-gov.com")


_WHY_NOT: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "slack_file_deleted",
    HTTPStatus.GONE: "slack_file_deleted",
    HTTPStatus.UNAUTHORIZED: "slack_file_scope",
    HTTPStatus.FORBIDDEN: "slack_file_scope",
}


@dataclass(frozen=True, slots=True)
class Files:
    web: Web
    http: aiohttp.ClientSession
    origins: Collection[str] = SLACKS_ORIGINS
    """Who may see the token when a file is fetched."""

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        """As `Thread.fetch`, and `AttachmentRefused` with the reason for every file without bytes for us."""
        source = await self._with_address(attachment)
        downloaded = await self._download(source.url.partition("#")[0], to, limit_bytes)
        if is_login_page(source, downloaded.media_type, downloaded.first_bytes):
            await asyncio.to_thread(to.unlink)
            raise AttachmentRefused("a sign-in page", sentence="slack_file_scope")

    async def _with_address(self, attachment: Attachment) -> Attachment:
        """Of some files, events tell the id only."""
        if why := refusal(attachment):
            raise AttachmentRefused(attachment.url, sentence=why)
        if attachment.url.startswith(("http://", "https://")):
            return attachment
        try:
            answer = await self.web.ask("files.info", file=file_id(attachment))
        except SlackRefused as error:
            gone = error.code in {"file_not_found", "file_deleted"}
            raise AttachmentRefused(
                str(error), sentence="slack_file_deleted" if gone else "slack_file_scope"
            ) from error
        found = to_attachment(answer.get("file") or {})
        if why := refusal(found):
            raise AttachmentRefused(found.url, sentence=why)
        return found

    async def _download(self, url: str, to: Path, limit_bytes: int) -> Downloaded:
        token = Token(self.web.client.token or "", self.origins)
        number = 0
        while True:
            try:
                return await download(self.http, url, to, limit_bytes, token)
            except NotServed as error:
                if error.status in _WHY_NOT:
                    raise AttachmentRefused(str(error), sentence=_WHY_NOT[error.status]) from error
                await self._pause(number, error)
            except PlatformUnavailable as error:
                await self._pause(number, error)
            number += 1

    async def _pause(self, number: int, error: PlatformUnavailable) -> None:
        if number == TRIES - 1:
            raise error
        await self.web.clock.pause(2**number)


@dataclass(frozen=True, slots=True)
class Uploading:
    """Shares files in a thread, once for each key."""

    web: Web
    http: aiohttp.ClientSession
    journal: Journal
    place: Place

    async def share(
        self, files: Sequence[File], comment: str, key: str
    ) -> list[tuple[File, PlatformUnavailable]]:
        """Those that could not be shared, each with the reason; the others are there when this returns.

        Raises `PlatformUnavailable` where nothing can be shared in that place at all.
        """
        failed: list[tuple[File, PlatformUnavailable]] = []
        for start in range(0, len(files), SHARED_AT_ONCE):
            batch = files[start : start + SHARED_AT_ONCE]
            failed += await self._share(batch, comment if start == 0 else "", _batch(key, start))
        return failed

    async def ids(self, files: int, key: str) -> list[str]:
        """Slack's ids of so many files that were shared with that key."""
        noted = [
            await self.journal.recall(_batch(key, start)) or "[]" for start in range(0, files, SHARED_AT_ONCE)
        ]
        return [str(id) for batch in noted for id in json.loads(batch)]  # noqa: A001  # as Slack calls it

    async def _share(
        self, files: Sequence[File], comment: str, name: str
    ) -> list[tuple[File, PlatformUnavailable]]:
        ids: list[str] = json.loads(await self.journal.recall(name) or "[]")
        if ids and await self._is_shared(ids[0]):
            return []
        sent: list[Json] = []
        failed: list[tuple[File, PlatformUnavailable]] = []
        for file in files:
            try:
                sent.append({"id": await self._send(file), "title": file.name})
            except PlatformUnavailable as error:
                log.warning("slack.file_failed", size_bytes=file.size_bytes, detail=str(error))
                failed.append((file, error))
        if sent:
            # Noted before the effect: after a crash in between, `files.info` tells whether it took place.
            await self.journal.note(name, json.dumps([each["id"] for each in sent]))
            await self._complete(sent, comment)
        return failed

    async def _send(self, file: File) -> str:
        """The bytes, to an address that Slack gives for them. The file's id."""
        for number in range(TRIES):
            answer = await self.web.ask(
                "files.getUploadURLExternal",
                filename=file.name,
                length=file.size_bytes,
                alt_txt=file.alt_text or None,
            )
            try:
                await self._put(file, str(answer["upload_url"]))
                return str(answer["file_id"])
            except Unsure:
                if number == TRIES - 1:
                    raise
                await self.web.clock.pause(2**number)
        raise AssertionError("the last try returns or raises")

    async def _put(self, file: File, url: str) -> None:
        if isinstance(file.content, bytes):
            await self._post(url, file.content)
            return
        with await asyncio.to_thread(file.content.path.open, "rb") as stream:
            await self._post(url, stream)

    async def _post(self, url: str, data: Any) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        with slack_errors("upload"):
            async with self.http.post(url, data=data, headers=headers, timeout=UPLOAD_TIMEOUT) as response:
                if response.status != HTTPStatus.OK:
                    raise Unsure(f"upload: HTTP {response.status}")

    async def _complete(self, sent: Sequence[Json], comment: str) -> None:
        for number in range(TRIES):
            try:
                await self.web.ask(
                    "files.completeUploadExternal",
                    files=list(sent),
                    channel_id=self.place.channel,
                    thread_ts=self.place.thread_ts or None,
                    initial_comment=comment or None,
                )
            except Unsure:
                if await self._is_shared(str(sent[0]["id"])):
                    return
                if number == TRIES - 1:
                    raise
            else:
                return

    async def _is_shared(self, id: str) -> bool:  # noqa: A002  # as Slack calls it
        try:
            answer = await self.web.ask("files.info", file=id)
        except SlackRefused:
            return False
        shares = (answer.get("file") or {}).get("shares") or {}
        return any(self.place.channel in channels for channels in shares.values())


def _batch(key: str, start: int) -> str:
    return f"{key}:files:{start // SHARED_AT_ONCE}"


def origins_for(api_url: str) -> tuple[str, ...]:
    """Slack's own, and that of another API's address, where one is configured."""
    parts = urlsplit(api_url)
    return (*SLACKS_ORIGINS, f"{parts.scheme}://{parts.netloc}")
