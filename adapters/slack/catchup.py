"""After a restart or a gap in the connection: what was said and done meanwhile, as far back as is sensible."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.slack.changes import Shown, changes
from adapters.slack.errors import SlackRefused
from adapters.slack.files import Uploading
from adapters.slack.inbound import Edited, FilesGone, Happened, Incoming, Said, happened
from adapters.slack.places import PLATFORM, Place, ts_of
from adapters.slack.posting import Posting
from adapters.slack.receiving import Receiving
from adapters.slack.render import Form, Part
from bot.sentences import say

log = structlog.get_logger()

Json = dict[str, Any]

ANSWERED_SECONDS = 2 * 3600
"""What is older is not answered any more, but gets a sentence."""
LOOKED_AT_SECONDS = 24 * 3600
COMPARED_SECONDS = 7 * LOOKED_AT_SECONDS
"""As far back in our threads it is looked for what was edited or deleted since."""
OVERLAP_SECONDS = 60
"""Before a connection: it is noticed a little late, and clocks differ."""
CHANNELS = 50
THREADS = 30
MESSAGES = 100
"""Of each channel, and on each page of a thread."""
PAGES = 3
"""Of each thread."""
NO_THREAD = {"thread_not_found", "message_not_found"}


@dataclass(frozen=True, slots=True)
class CatchUp:
    receiving: Receiving

    async def run(self, connected_at: float) -> int:
        """How many messages were found that are for the bot, and changes of such. What is known counts for nothing.

        `connected_at`, by the wall's clock, the gap was over.
        """
        us = self.receiving.connection.us
        recent = list(await self.receiving.receiver.recent(PLATFORM, us.team))
        stamps = [float(ts) for _, message_id in recent if (ts := ts_of(message_id))]
        if not stamps:
            # Nothing came in ever: there is no gap.
            return 0
        # What has been heard since says nothing of what was missed before.
        before = [ts for ts in stamps if ts < connected_at - OVERLAP_SECONDS]
        since = max(max(before) if before else min(stamps), connected_at - LOOKED_AT_SECONDS)
        found = 0
        for channel in await self._channels():
            with suppress(SlackRefused):
                messages, _ = await self._read("conversations.history", channel, since)
                found += await self._take_all(messages, channel)
        for thread, _ in recent[:THREADS]:
            with suppress(SlackRefused):
                found += await self._look_into(Place.of(thread), since, connected_at)
        log.info("slack.caught_up", messages=found)
        return found

    async def _look_into(self, place: Place, since: float, connected_at: float) -> int:
        """A thread of ours: what was edited or taken away there, then what is new. Raises `SlackRefused`."""
        # What is kept first: something that comes in while we look must not seem to be gone.
        kept = await self.receiving.receiver.kept(place.id)
        stamps = [float(ts) for each in kept if (ts := ts_of(each.message.id))]
        oldest = min([since, *(ts for ts in stamps if ts > connected_at - COMPARED_SECONDS)])
        try:
            messages, is_whole = await self._read(
                "conversations.replies", place.channel, oldest, pages=PAGES, ts=place.thread_ts
            )
        except SlackRefused as error:
            if error.code not in NO_THREAD:
                raise
            messages, is_whole = [], True
        until = connected_at if is_whole else min(connected_at, _at(messages[-1]))
        shown = Shown({str(each["ts"]): each for each in messages}, oldest, until)
        found = 0
        for change in changes(kept, shown, place, self.receiving.connection.us):
            found += await self._follow(change, since)
        if not is_whole and until < since:
            messages, _ = await self._read("conversations.replies", place.channel, since, ts=place.thread_ts)
        # With the replies of a thread Slack gives its first message, however old.
        return found + await self._take_all([each for each in messages if _at(each) >= since], place.channel)

    async def _channels(self) -> Sequence[str]:
        with suppress(SlackRefused):
            answer = await self._ask(
                "users.conversations",
                types="public_channel,private_channel,mpim,im",
                exclude_archived=True,
                limit=200,
            )
            return [str(each["id"]) for each in answer.get("channels") or []][:CHANNELS]
        return []

    async def _read(
        self, method: str, channel: str, since: float, *, pages: int = 1, **args: Any
    ) -> tuple[list[Json], bool]:
        """Oldest first, and whether that is all. Raises `SlackRefused` where Slack does not let us look."""
        found: list[Json] = []
        cursor: str | None = None
        for _ in range(pages):
            answer = await self._ask(
                method,
                channel=channel,
                oldest=f"{since:.6f}",
                inclusive=True,
                limit=MESSAGES,
                cursor=cursor,
                **args,
            )
            found += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return sorted(found, key=_at), not cursor

    async def _take_all(self, messages: Sequence[Json], channel: str) -> int:
        return sum([await self._take(each, channel) for each in messages])

    async def _take(self, message: Json, channel: str) -> bool:
        kind = "im" if channel.startswith("D") else "channel"
        event = {**message, "channel": channel, "channel_type": kind}
        result = happened(event, self.receiving.connection.us)
        if not isinstance(result, Said) or result.is_stop:
            return False
        # Whatever has become of it since: an edit is for `changes` to find.
        if await self.receiving.receiver.has_heard(result.incoming.message.id):
            return False
        if self._is_fresh(_at(message)):
            await self.receiving.take(event)
        elif await self.receiving.is_meant(result.incoming, result.meant):
            await self._apologise(result.incoming)
        return True

    async def _follow(self, change: Happened, since: float) -> bool:
        if not isinstance(change, Edited):
            await self.receiving.hear(change)
            return True
        edited_at = float(change.incoming.message.id.partition("@")[2])
        if edited_at >= since and self._is_fresh(edited_at):
            await self.receiving.hear(change)
            return True
        await self.receiving.hear(FilesGone(change.files_gone))
        if edited_at < since:
            # That was heard then, and refused.
            return False
        await self._apologise(change.incoming)
        return True

    def _is_fresh(self, at: float) -> bool:
        return self.receiving.connection.web.clock.wall() - at <= ANSWERED_SECONDS

    async def _apologise(self, incoming: Incoming) -> None:
        """Unless the policy refuses whoever wrote it."""
        connection, place = self.receiving.connection, incoming.place
        visit = await connection.people.meet(incoming.visit)
        if await self.receiving.receiver.refusal(visit) is not None:
            return
        locale = (await connection.people.author(visit.author.id)).locale
        text = say(locale, "slack_away")
        uploading = Uploading(connection.web, connection.http, connection.journal, place)
        posting = Posting(connection.web, connection.journal, place, connection.us, uploading, locale)
        await posting.post([Part(text, (Form(text),))], f"{incoming.message.id}:away", ())

    async def _ask(self, method: str, **args: Any) -> Json:
        return await self.receiving.connection.web.ask(method, **args)


def _at(message: Json) -> float:
    return float(message.get("ts", 0))
