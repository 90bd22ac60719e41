"""After a restart or a gap in the connection: what was said meanwhile, as far back as is sensible."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.slack.errors import SlackRefused
from adapters.slack.files import Uploading
from adapters.slack.inbound import Said, happened
from adapters.slack.places import PLATFORM, Place
from adapters.slack.posting import Posting
from adapters.slack.receiving import Receiving
from adapters.slack.render import Form, Part
from bot.sentences import say
from bot.visits import Visit

log = structlog.get_logger()

Json = dict[str, Any]

ANSWERED_SECONDS = 2 * 3600
"""What is older is not answered any more, but gets a sentence."""
LOOKED_AT_SECONDS = 24 * 3600
OVERLAP_SECONDS = 60
"""Before a connection: it is noticed a little late, and clocks differ."""
CHANNELS = 50
THREADS = 30
MESSAGES = 100
"""Of each channel and each thread."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    receiving: Receiving

    async def run(self, connected_at: float) -> int:
        """How many messages were found that are for the bot. Those that came in before are known by their ids.

        `connected_at`, by the wall's clock, the gap was over.
        """
        us = self.receiving.connection.us
        recent = list(await self.receiving.receiver.recent(PLATFORM, us.team))
        stamps = [float(ts) for _, message_id in recent if (ts := _ts_of(message_id))]
        if not stamps:
            # Nothing came in ever: there is no gap.
            return 0
        # What has been heard since says nothing of what was missed before.
        before = [ts for ts in stamps if ts < connected_at - OVERLAP_SECONDS]
        since = max(max(before) if before else min(stamps), connected_at - LOOKED_AT_SECONDS)
        oldest = f"{since:.6f}"
        found = 0
        for channel in await self._channels():
            for message in await self._messages("conversations.history", channel, oldest=oldest):
                found += await self._take(message, channel)
        for thread, message_id in recent[:THREADS]:
            place, newest = Place.of(thread), _ts_of(message_id)
            oldest = f"{min(float(newest or since), since):.6f}"
            messages = await self._messages(
                "conversations.replies", place.channel, ts=place.thread_ts, oldest=oldest, inclusive=True
            )
            for message in messages:
                if message.get("ts") != newest:
                    found += await self._take(message, place.channel)
            is_fresh = newest and float(newest) > connected_at - LOOKED_AT_SECONDS
            if newest and is_fresh and _is_gone(newest, messages):
                await self.receiving.forget(place, message_id.partition("@")[0])
        log.info("slack.caught_up", messages=found)
        return found

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

    async def _messages(self, method: str, channel: str, **args: Any) -> Sequence[Json]:
        """Oldest first. None where Slack does not let us look."""
        answer: Json = {}
        with suppress(SlackRefused):
            answer = await self._ask(method, channel=channel, limit=MESSAGES, **args)
        return sorted(answer.get("messages") or [], key=lambda each: float(each.get("ts", 0)))

    async def _take(self, message: Json, channel: str) -> bool:
        connection = self.receiving.connection
        kind = "im" if channel.startswith("D") else "channel"
        event = {**message, "channel": channel, "channel_type": kind}
        result = happened(event, connection.us)
        if not isinstance(result, Said) or result.is_stop:
            return False
        age = connection.web.clock.wall() - float(message["ts"])
        if age <= ANSWERED_SECONDS:
            await self.receiving.take(event)
        elif await self._deserves_a_word(result):
            await self._apologise(result.incoming.place, result.incoming.visit, result.incoming.message.id)
        return True

    async def _deserves_a_word(self, said: Said) -> bool:
        receiver = self.receiving.receiver
        if not await self.receiving.is_meant(said.incoming, said.meant):
            return False
        # With the replies of a thread Slack gives its first message, however old.
        if await receiver.has_heard(said.incoming.message.id):
            return False
        visit = await self.receiving.connection.people.meet(said.incoming.visit)
        return await receiver.refusal(visit) is None

    async def _apologise(self, place: Place, visit: Visit, message_id: str) -> None:
        connection = self.receiving.connection
        locale = (await connection.people.author(visit.author.id)).locale
        text = say(locale, "slack_away")
        uploading = Uploading(connection.web, connection.http, connection.journal, place)
        posting = Posting(connection.web, connection.journal, place, connection.us, uploading, locale)
        await posting.post([Part(text, (Form(text),))], f"{message_id}:away", ())

    async def _ask(self, method: str, **args: Any) -> Json:
        return await self.receiving.connection.web.ask(method, **args)


def _ts_of(message_id: str) -> str | None:
    """The message's timestamp; None for a question that was no message."""
    ts = message_id.rpartition(":")[2].partition("@")[0]
    return ts if ts.replace(".", "", 1).isdigit() else None


def _is_gone(ts: str, messages: Sequence[Json]) -> bool:
    """Whether somebody has deleted it. Where nothing is shown, or not all, nobody knows."""
    there = {each.get("ts") for each in messages if each.get("subtype") != "tombstone"}
    return 0 < len(messages) < MESSAGES and ts not in there
