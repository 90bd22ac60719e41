"""Messages, each posted once however often it is tried, in whichever form Slack takes."""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.slack.errors import SlackRefused, Unsure
from adapters.slack.files import Uploading
from adapters.slack.inbound import Us
from adapters.slack.places import Place
from adapters.slack.render import File, Form, Part
from adapters.slack.web import Web
from bot.errors import PlatformUnavailable
from bot.reception import Journal
from bot.sentences import say

log = structlog.get_logger()

Json = dict[str, Any]

MARK = "plotline_post"
"""The type of the metadata in which a message carries its mark. Anyone can read it: it means nothing by itself."""
MARGIN_SECONDS = 300
"""How much Slack's clock may differ from ours."""
PAGE = 200
PAGES = 10
TRIES = 3
SLOT_GONE = {
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "streaming_state_conflict",
    "is_inactive",
}
"""The draft cannot become anything; a new message can."""
AS_FILE = "file"
"""Stands for the timestamp of a part that went out as a file."""
BLOCKS = "block "
"""How kinds of blocks are told from methods in what a Slack has not."""


@dataclass(slots=True)
class Posting:
    web: Web
    journal: Journal
    place: Place
    us: Us
    uploading: Uploading
    locale: str

    async def post(self, parts: Sequence[Part], key: str, slots: Sequence[str]) -> list[str]:
        """The timestamps of the messages, in order. The first ones take the place of `slots`, which are ours.

        Raises `PlatformUnavailable`: `SlackRefused.closes_place` where nothing can be posted there at all.
        """
        stamps: list[str] = []
        for number, part in enumerate(parts):
            slot = slots[number] if number < len(slots) else None
            stamps.append(await self._once(part, f"{key}:{number}", slot))
        return stamps

    async def change(self, form: Form, name: str) -> None:
        """The message of that part says this from now on, if there is one. Raises `PlatformUnavailable`."""
        noted: Json = json.loads(await self.journal.recall(name) or "{}")
        if ts := noted.get("ts"):
            await self.web.ask("chat.update", channel=self.place.channel, ts=ts, **form.args)

    async def _once(self, part: Part, name: str, slot: str | None) -> str:
        noted: Json = json.loads(await self.journal.recall(name) or "{}")
        if noted.get("ts"):
            return str(noted["ts"])
        if noted:
            # Another process meant to post it, and may have done so.
            found = await self._find(noted)
        else:
            noted = {"mark": secrets.token_hex(12), "since": self.web.clock.wall()}
            await self.journal.note(name, json.dumps(noted))
            found = None
        ts = found or await self._post(part, noted, name, slot)
        await self.journal.note(name, json.dumps({**noted, "ts": ts}))
        return ts

    async def _post(self, part: Part, noted: Json, name: str, slot: str | None) -> str:
        """In the first form that is taken; as a file if none is."""
        refused: list[Form] = []
        for form in part.without(self._unknown_blocks()):
            try:
                ts = await self._send(form, noted, slot)
            except SlackRefused as error:
                if error.closes_place or error.is_final:
                    raise
                log.warning(
                    "slack.form_refused", code=error.code, blocks=sorted(form.types), detail=str(error)
                )
                refused.append(form)
            else:
                self._learn(refused, form)
                return ts
        return await self._post_as_file(part, name)

    async def _send(self, form: Form, noted: Json, slot: str | None) -> str:
        metadata = {"event_type": MARK, "event_payload": {"mark": noted["mark"]}}
        place = {"channel": self.place.channel}
        if slot:
            try:
                # Blocks that were there before stay unless others, or none, are given.
                args = {"blocks": [], **form.args, "metadata": metadata}
                await self.web.ask("chat.update", ts=slot, **place, **args)
            except SlackRefused as error:
                if error.code not in SLOT_GONE:
                    raise
            else:
                return slot
        for number in range(TRIES):
            try:
                answer = await self.web.ask(
                    "chat.postMessage",
                    **place,
                    **form.args,
                    thread_ts=self.place.thread_ts or None,
                    metadata=metadata,
                    unfurl_links=False,
                    unfurl_media=False,
                )
                return str(answer["ts"])
            except Unsure:
                if found := await self._find(noted):
                    return found
                if number == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _post_as_file(self, part: Part, name: str) -> str:
        file = File("answer.md", part.markdown.encode())
        comment = say(self.locale, "slack_as_file", name=file.name)
        for _, error in await self.uploading.share([file], comment, name):
            raise error
        return AS_FILE

    async def _find(self, noted: Json) -> str | None:
        """The message with this mark. None too where Slack does not let us look: twice is better than never."""
        with suppress(SlackRefused):
            return (await self._look_up(float(noted["since"]))).get(str(noted["mark"]))
        return None

    async def _look_up(self, since: float) -> dict[str, str]:
        marks: dict[str, str] = {}
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self.web.ask(
                "conversations.replies" if self.place.thread_ts else "conversations.history",
                channel=self.place.channel,
                ts=self.place.thread_ts or None,
                oldest=f"{since - MARGIN_SECONDS:.6f}",
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )
            for message in answer.get("messages") or []:
                metadata = message.get("metadata") or {}
                # Whoever posts in the channel can forge metadata, but not whose message it is.
                if message.get("bot_id") == self.us.bot and metadata.get("event_type") == MARK:
                    marks[str((metadata.get("event_payload") or {}).get("mark"))] = str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return marks

    def _unknown_blocks(self) -> set[str]:
        kinds = ("data_table", "table", "container", "context_actions", "markdown")
        return {kind for kind in kinds if self.web.lacks(BLOCKS + kind)}

    def _learn(self, refused: Sequence[Form], taken: Form) -> None:
        """What the refused forms have and the taken one has not is what this Slack does not know, most likely."""
        for kind in set().union(*(form.types for form in refused)) - taken.types if taken.blocks else set():
            self.web.remember_lack(BLOCKS + kind)


async def delete(web: Web, channel: str, stamps: Sequence[str]) -> None:
    """Messages of ours. Those that are gone already are fine."""
    for ts in stamps:
        with suppress(PlatformUnavailable):
            await web.ask("chat.delete", channel=channel, ts=ts)
