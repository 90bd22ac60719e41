"""The messages in which a turn is shown while it runs: streams, each within Slack's bounds, or one that is updated.

The answer takes their place, or they are taken away.
"""

import json
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from adapters.slack import written
from adapters.slack.addresses import Address
from adapters.slack.errors import SlackRefused
from adapters.slack.web import Web
from bot.errors import PlatformUnavailable
from bot.reception import Journal

Json = dict[str, Any]

STREAM_BYTES = 9_000
"""Slack refuses more than some 10,600, at times only when the stream ends (openclaw/openclaw#143882)."""
STREAM_SECONDS = 240
"""Slack ends every stream after five minutes, however busy (slackapi/python-slack-sdk#1859)."""
OVER = {"message_not_in_streaming_state", "msg_too_long", "streaming_state_conflict"}
"""This stream is at its end, however early; another one can be begun."""


@dataclass(slots=True)
class Draft:
    ts: str
    began: float
    """On the clock; long ago for one of another process."""
    is_stream: bool
    is_open: bool = True
    bytes: int = 0
    text: str = ""
    """What was streamed into it."""


@dataclass(slots=True)
class Drafts:
    web: Web
    journal: Journal
    to: Address
    all: list[Draft] = field(default_factory=list[Draft])
    """Oldest first."""

    async def stream(self, chunks: list[Json], running: Sequence[Json]) -> None:
        """Append, or begin another stream, with the cards of what is still running. Raises `PlatformUnavailable`."""
        draft = self.all[-1] if self.all and self.all[-1].is_open else None
        if draft and draft.is_stream and not self._is_full(draft, chunks):
            try:
                await self.web.once("chat.appendStream", channel=self.to.channel, ts=draft.ts, chunks=chunks)
            except SlackRefused as error:
                if error.code not in OVER:
                    raise
                draft.is_open = False
            else:
                draft.bytes += written.weight(chunks)
                draft.text += written.text_in(chunks)
                return
        await self._begin(chunks, running, after=draft)

    async def update(self, shown: Json) -> None:
        """Show this in the one message that is updated. Raises `PlatformUnavailable`."""
        draft = next((each for each in self.all if not each.is_stream), None)
        if draft:
            await self.web.once("chat.update", channel=self.to.channel, ts=draft.ts, **shown)
            return
        answer = await self.web.once(
            "chat.postMessage",
            channel=self.to.channel,
            thread_ts=self.to.thread_ts or None,
            unfurl_links=False,
            unfurl_media=False,
            **shown,
        )
        await self._add(Draft(str(answer["ts"]), self.web.clock.now(), is_stream=False))

    async def end_old(self, margin_seconds: float) -> None:
        """End streams before Slack does: one that it has ended looks broken."""
        for draft in self.all:
            if self.web.clock.now() - draft.began > STREAM_SECONDS - margin_seconds:
                await self._close(draft, self.web.once)

    async def end(self) -> list[Draft]:
        """All of this turn, also those that another process began; none of them streams any more."""
        if not self.all:
            self.all = await self._noted()
        for draft in self.all:
            # Nothing else can be made of a message while it streams.
            await self._close(draft, self.web.ask)
        return self.all

    async def forget(self) -> None:
        """They have become something else, or are gone."""
        self.all = []
        await self.journal.note(self._key, "[]")

    @property
    def has_text(self) -> bool:
        return any(draft.text for draft in self.all)

    @property
    def _key(self) -> str:
        return f"{self.to.turn}:drafts"

    def _is_full(self, draft: Draft, chunks: Sequence[Json]) -> bool:
        is_old = self.web.clock.now() - draft.began >= STREAM_SECONDS
        return is_old or draft.bytes + written.weight(chunks) > STREAM_BYTES

    async def _begin(self, chunks: list[Json], running: Sequence[Json], after: Draft | None) -> None:
        """Where `after` had to end, with its code open again."""
        first = list(chunks)
        if after:
            await self._close(after, self.web.once)
            opening = written.opening_fence(after.text)
            first[:0] = [written.chunk(f"{opening}\n")] if opening else []
        if self.all:
            shown = {each.get("id") for each in chunks}
            first[:0] = [card for card in running if card["id"] not in shown]
        answer = await self.web.once(
            "chat.startStream",
            channel=self.to.channel,
            thread_ts=self.to.thread_ts,
            recipient_user_id=None if self.to.place.is_dm else self.to.asker,
            recipient_team_id=None if self.to.place.is_dm else self.to.asker_team,
            task_display_mode="timeline",
            chunks=first,
        )
        draft = Draft(str(answer["ts"]), self.web.clock.now(), is_stream=True)
        draft.bytes, draft.text = written.weight(first), written.text_in(first)
        await self._add(draft)

    async def _close(self, draft: Draft, call: Callable[..., Awaitable[Json]]) -> None:
        if not (draft.is_open and draft.is_stream):
            return
        draft.is_open = False
        closing = written.closing_fence(draft.text)
        with suppress(PlatformUnavailable):
            await call(
                "chat.stopStream",
                channel=self.to.channel,
                ts=draft.ts,
                chunks=[written.chunk(f"\n{closing}\n")] if closing else None,
            )

    async def _noted(self) -> list[Draft]:
        noted: list[str] = json.loads(await self.journal.recall(self._key) or "[]")
        return [Draft(ts, began=-math.inf, is_stream=True) for ts in noted]

    async def _add(self, draft: Draft) -> None:
        if not self.all:
            self.all = await self._noted()
        self.all.append(draft)
        await self.journal.note(self._key, json.dumps([each.ts for each in self.all]))
