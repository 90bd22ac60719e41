"""A rendered answer on its way into the thread: messages, then files; to the asker alone where the thread is closed."""

import json
from contextlib import suppress
from dataclasses import dataclass

import structlog

from adapters.slack.addresses import Address
from adapters.slack.connection import Connection
from adapters.slack.errors import SlackRefused
from adapters.slack.files import Uploading
from adapters.slack.places import Place
from adapters.slack.posting import Posting, delete
from adapters.slack.progress import Progress
from adapters.slack.render import Form, Part, Rendered
from adapters.slack.safe import quiet
from adapters.slack.taking_back import Posted, take_back
from bot.errors import PlatformUnavailable
from bot.sentences import say

log = structlog.get_logger()

FRESH_SECONDS = 60
"""An answer takes the place of a draft so young. Later it is a message of its own, of which people are notified."""


@dataclass(frozen=True, slots=True)
class Delivering:
    connection: Connection
    to: Address
    progress: Progress
    locale: str

    async def deliver(self, rendered: Rendered, key: str) -> None:
        """Once for each key. Raises `PlatformUnavailable` where nothing can be posted anywhere."""
        drafts = await self.progress.end()
        moved = await self.connection.journal.recall(f"{key}:moved")
        if moved:
            await self._deliver_to(json.loads(moved), rendered, key)
            return
        is_fresh = bool(drafts) and self.connection.web.clock.now() - drafts[0].began <= FRESH_SECONDS
        slots = [draft.ts for draft in drafts] if is_fresh else []
        try:
            stamps = await self._posting(self.to.place).post(rendered.parts, key, slots)
        except SlackRefused as error:
            if not error.closes_place:
                raise
            log.warning("slack.place_closed", code=error.code)
            moving = await self._move(error)
            await self.connection.journal.note(f"{key}:moved", json.dumps(moving))
            await self._deliver_to(moving, rendered, key)
            return
        await self._note_posted(Posted(tuple(stamps)))
        left_over = [draft.ts for draft in drafts if draft.ts not in stamps]
        await delete(self.connection.web, self.to.channel, left_over)
        await self.progress.drafts.forget()
        await self._share(self.to.place, rendered, key)
        files = await self._uploading(self.to.place).ids(len(rendered.files), key)
        posted = Posted(tuple(stamps), tuple(files))
        await self._note_posted(posted)
        if "@" in self.to.turn and key == f"{self.to.turn}:answer":
            await self._take_back_older(posted)

    async def post(self, parts: list[Part], key: str) -> None:
        """Messages beside the answer."""
        await self._posting(self.to.place).post(parts, key, ())

    async def change(self, form: Form, key: str) -> None:
        """What was posted for the key as one message says this from now on."""
        await self._posting(self.to.place).change(form, f"{key}:0")

    async def _note_posted(self, posted: Posted) -> None:
        """What the button that deletes the answer has to take away."""
        journal, turn = self.connection.journal, self.to.turn
        await (await Posted.recall(journal, turn) | posted).note(journal, turn)

    async def _take_back_older(self, posted: Posted) -> None:
        """Beside the answer to a question as it stands now, one to what it said before would mislead."""
        journal, turn = self.connection.journal, self.to.turn
        older = await Posted.recall(journal, turn) - posted
        with suppress(PlatformUnavailable):
            await take_back(self.connection, self.to.channel, older)
            await posted.note(journal, turn)

    async def _move(self, refused: SlackRefused) -> dict[str, str]:
        """The channel in which only the asker reads, and what they have to know. Raises `refused` if there is none."""
        if not self.to.asker:
            raise refused
        try:
            answer = await self.connection.web.ask("conversations.open", users=self.to.asker)
        except SlackRefused as error:
            raise refused from error
        name = self.to.channel
        with suppress(PlatformUnavailable):
            info = await self.connection.web.ask("conversations.info", channel=self.to.channel)
            name = str((info.get("channel") or {}).get("name") or name)
        why = say(self.locale, refused.sentence, channel=f"#{name}", bot=self.connection.us.name)
        return {"channel": str(answer["channel"]["id"]), "why": why}

    async def _deliver_to(self, moved: dict[str, str], rendered: Rendered, key: str) -> None:
        place = Place(self.to.team, moved["channel"], "")
        first = Part(moved["why"], (Form(quiet(moved["why"])),))
        await self._posting(place).post([first, *rendered.parts], f"{key}:moved", ())
        await self._share(place, rendered, f"{key}:moved")

    async def _share(self, place: Place, rendered: Rendered, key: str) -> None:
        """Files that cannot be shared are named, with the reason: the others arrive all the same."""
        empty = [file for file in rendered.files if not file.size_bytes]
        full = [file for file in rendered.files if file.size_bytes]
        sentences = [say(self.locale, "slack_file_empty", name=file.name) for file in empty]
        try:
            failed = await self._uploading(place).share(full, rendered.comment, key)
        except PlatformUnavailable as error:
            failed = [(file, error) for file in full]
        why: dict[str, list[str]] = {}
        for file, failure in failed:
            why.setdefault(self._explain(failure), []).append(file.name)
        for sentence, names in why.items():
            told = say(self.locale, "slack_files_failed", names=", ".join(names))
            sentences.append(f"{told} {sentence}")
        if sentences:
            text = quiet("\n".join(sentences))
            await self._posting(place).post([Part(text, (Form(text),))], f"{key}:unshared", ())

    def _explain(self, error: PlatformUnavailable) -> str:
        facts = {"contact": say(self.locale, "operator"), "bot": self.connection.us.name, **error.facts}
        return say(self.locale, error.sentence, **facts)

    def _posting(self, place: Place) -> Posting:
        connection = self.connection
        uploading = self._uploading(place)
        return Posting(connection.web, connection.journal, place, connection.us, uploading, self.locale)

    def _uploading(self, place: Place) -> Uploading:
        return Uploading(self.connection.web, self.connection.http, self.connection.journal, place)
