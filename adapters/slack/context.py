"""What was said in a thread before the bot was called into it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from adapters.slack.errors import SlackRefused
from adapters.slack.inbound import SAID, Incoming, Us, to_incoming
from adapters.slack.people import People
from adapters.slack.places import Place
from adapters.slack.web import Web
from bot.errors import PlatformUnavailable
from bot.messages import Above, Message
from bot.sentences import say
from bot.visits import Visit

Json = dict[str, Any]

How = Literal["all", "files", "none"]
"""Which part of the talk above is read."""
MESSAGES = 200
PAGE = 100


@dataclass(frozen=True, slots=True)
class Context:
    web: Web
    people: People
    place: Place
    us: Us
    refusal: Callable[[Visit], Awaitable[str | None]]
    how: How = "all"

    async def above(self, ts: str, locale: str) -> Above:
        """Before the message of that timestamp, without what the bot itself said, and what those said whom it may not
        serve."""
        if self.how == "none" or self.place.thread_ts == ts:
            return Above()
        try:
            found, is_whole = await self._read(ts)
        except SlackRefused as error:
            scope = error.facts.get("scope") or "channels:history"
            return Above(is_whole=False, said=say(locale, "slack_context_refused", scope=scope))
        except PlatformUnavailable:
            return Above(is_whole=False, said=say(locale, "slack_context_unread"))
        readable = await self._readable(found)
        is_whole = is_whole and len(readable) == len(found)
        messages = [await self.people.introduce(message) for message in readable]
        files = sum(len(message.attachments) for message in messages)
        said = say(locale, "slack_context", messages=len(messages), files=files) if messages else ""
        if self.how == "files":
            messages = [replace(message, text="") for message in messages if message.attachments]
            said = say(locale, "files_above", files=files) if messages else ""
        return Above(tuple(messages), is_whole, said)

    async def _readable(self, found: Sequence[Incoming]) -> list[Message]:
        """What other apps post is read like what people say."""
        refused: dict[str, bool] = {}
        for visit in {each.visit.author.id: each.visit for each in found if not each.visit.is_bot}.values():
            known = await self.people.meet(visit)
            refused[visit.author.id] = await self.refusal(known) is not None
        return [each.message for each in found if not refused.get(each.visit.author.id, False)]

    async def _read(self, ts: str) -> tuple[list[Incoming], bool]:
        found: list[Incoming] = []
        cursor: str | None = None
        for _ in range(MESSAGES // PAGE):
            # Some apps may ask this once a minute: https://docs.slack.dev/apis/web-api/rate-limits.
            answer = await self.web.once(
                "conversations.replies",
                channel=self.place.channel,
                ts=self.place.thread_ts,
                latest=ts,
                limit=PAGE,
                cursor=cursor,
            )
            for message in answer.get("messages") or []:
                if self._is_talk(message, ts):
                    found.append(to_incoming({**message, "channel": self.place.channel}, self.us))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return found, True
        return found, False

    def _is_talk(self, message: Json, ts: str) -> bool:
        ours = message.get("user") == self.us.user or message.get("bot_id") == self.us.bot
        return message.get("subtype") in SAID and message.get("ts") != ts and not ours and "user" in message
