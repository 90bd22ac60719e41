"""Who people are: names, languages and time zones, from Slack, remembered for a while."""

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.slack.web import Web
from bot.errors import PlatformUnavailable
from bot.messages import Author, Message
from bot.visits import Visit

Json = dict[str, Any]

REMEMBERED_SECONDS = 3600
UNKNOWN_SECONDS = 60
GROUPS_SECONDS = 600
REMEMBERED = 5000
MENTION = re.compile(r"(?<![\w@])@([UW][A-Z0-9]+)\b")


@dataclass(slots=True)
class People:
    web: Web
    _known: dict[str, tuple[float, Json]] = field(default_factory=dict[str, tuple[float, Json]])
    _members: dict[str, frozenset[str]] | None = None
    """By user group."""
    _groups_until: float = -math.inf

    async def author(self, user: str) -> Author:
        """As far as Slack tells: where it does not, people are called by their id."""
        return _author(user, await self._user(user))

    def known_locale(self, user: str) -> str:
        """Without asking Slack."""
        _, found = self._known.get(user, (0.0, {}))
        return str(found.get("locale") or "en")

    def recognise(self, visit: Visit) -> Visit:
        """The visitor, as far as Slack has told of them already."""
        _, found = self._known.get(visit.author.id, (0.0, {}))
        return _met(visit, found) if found else visit

    async def meet(self, visit: Visit) -> Visit:
        """The visitor, as Slack knows them. Whoever it does not tell of stays unknown."""
        if visit.is_bot:
            return visit
        found = await self._user(visit.author.id)
        return replace(_met(visit, found), roles=await self._groups(visit.author.id)) if found else visit

    async def is_manager(self, user: str, channel: str) -> bool:
        """Whoever runs the workspace or has made the channel."""
        found = await self._user(user)
        if found.get("is_admin") or found.get("is_owner"):
            return True
        with suppress(PlatformUnavailable):
            answer = await self.web.once("conversations.info", channel=channel)
            return (answer.get("channel") or {}).get("creator") == user
        return False

    async def introduce(self, message: Message) -> Message:
        """With its author known, and the people in it called by their names."""
        text = await self.named(message.text)
        return replace(message, author=await self.author(message.author.id), text=text)

    async def named(self, text: str) -> str:
        names = {user: (await self.author(user)).name for user in dict.fromkeys(MENTION.findall(text))}
        return MENTION.sub(lambda match: f"@{names[match[1]]}", text)

    async def _user(self, user: str) -> Json:
        now = self.web.clock.now()
        until, found = self._known.get(user, (0.0, {}))
        if now < until or not user:
            return found
        lasts = REMEMBERED_SECONDS
        try:
            answer = await self.web.once("users.info", user=user, include_locale=True)
            found = answer.get("user") or {}
        except PlatformUnavailable:
            # Without the scope users:read, for an app's user, or with Slack in trouble: better without a name
            # than late.
            found, lasts = {}, UNKNOWN_SECONDS
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[user] = (now + lasts, found)
        return found

    async def _groups(self, user: str) -> tuple[str, ...] | None:
        """Ids of the user groups that they are in; None where Slack does not tell."""
        now = self.web.clock.now()
        if now >= self._groups_until:
            self._groups_until = now + GROUPS_SECONDS
            try:
                answer = await self.web.once("usergroups.list", include_users=True)
                groups = answer.get("usergroups") or []
                self._members = {str(group["id"]): frozenset(group.get("users") or ()) for group in groups}
            except PlatformUnavailable:
                self._members = None
        if self._members is None:
            return None
        return tuple(group for group, members in self._members.items() if user in members)


def _author(user: str, found: Json) -> Author:
    profile = found.get("profile") or {}
    name = profile.get("display_name") or profile.get("real_name") or found.get("name") or user
    return Author(user, str(name), str(found.get("locale") or "en"), str(found.get("tz") or "UTC"))


def _met(visit: Visit, found: Json) -> Visit:
    return replace(
        visit,
        author=_author(visit.author.id, found),
        is_guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
        is_manager=bool(found.get("is_admin") or found.get("is_owner")),
        is_external=visit.is_external or bool(found.get("is_stranger")),
    )
