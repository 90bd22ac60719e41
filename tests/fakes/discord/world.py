"""What exists on the fake Discord: guilds, channels, members, messages, files. As payloads, in Discord's own shapes."""

import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from discord import Permissions

from tests.fakes.discord.clock import FakeClock
from tests.fakes.discord.rules import Payload

EPOCH_MS = 1420070400000
TEXT, DM, THREAD, PRIVATE_THREAD, FORUM = 0, 1, 11, 12, 15
EVERYTHING = Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    create_private_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
    use_application_commands=True,
    add_reactions=True,
)
"""What the bot and everybody else may do unless a channel denies it."""
URL_LIFETIME = timedelta(hours=24)
MIB = 2**20


@dataclass(slots=True)
class Blob:
    name: str
    content: bytes
    media_type: str
    expires: datetime


@dataclass(slots=True)
class World:
    clock: FakeClock
    base_url: str = ""
    users: dict[str, Payload] = field(default_factory=dict)
    guilds: dict[str, Payload] = field(default_factory=dict)
    channels: dict[str, Payload] = field(default_factory=dict)
    messages: dict[str, Payload] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    members: dict[str, dict[str, Payload]] = field(default_factory=dict)
    closed_dms: set[str] = field(default_factory=set)
    """Users who take no direct messages."""
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def snowflake(self) -> str:
        milliseconds = int(self.clock.now().timestamp() * 1000) - EPOCH_MS
        return str((milliseconds << 22) | (next(self._numbers) & 0x3FFFFF))

    def now(self) -> str:
        return self.clock.now().isoformat()

    def user(self, name: str, *, bot: bool = False) -> Payload:
        made: Payload = {
            "id": self.snowflake(),
            "username": name.lower(),
            "global_name": name,
            "discriminator": "0",
            "avatar": None,
            "bot": bot,
            "public_flags": 0,
        }
        self.users[made["id"]] = made
        return made

    def guild(self, name: str, *, premium_tier: int = 0) -> Payload:
        id_ = self.snowflake()
        everyone = {
            "id": id_,
            "name": "@everyone",
            "permissions": str(EVERYTHING.value),
            "position": 0,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        owner = self.user(f"{name} owner")
        made: Payload = {
            "id": id_,
            "name": name,
            "icon": None,
            "owner_id": owner["id"],
            "unavailable": False,
            "large": False,
            "joined_at": self.now(),
            "features": [],
            "emojis": [],
            "stickers": [],
            "preferred_locale": "en-US",
            "premium_tier": premium_tier,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "afk_timeout": 300,
            "system_channel_flags": 0,
            "system_channel_id": None,
            "roles": [everyone],
        }
        self.guilds[id_] = made
        self.members[id_] = {}
        return made

    def join(self, guild: Payload, user: Payload) -> None:
        self.members[guild["id"]][user["id"]] = user

    def member(self, guild_id: str, user: Payload, *, with_user: bool = True) -> Payload:
        """As it stands in events: with the permissions of the channel when it is an interaction's."""
        made: Payload = {
            "nick": user.get("nick"),
            "avatar": None,
            "roles": [],
            "joined_at": self.now(),
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
        }
        return made | {"user": user} if with_user else made

    def channel(self, guild: Payload | None, name: str, kind: int = TEXT, **facts: Any) -> Payload:
        made: Payload = {
            "id": self.snowflake(),
            "type": kind,
            "name": name,
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "topic": None,
            "parent_id": None,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
        }
        if guild:
            made["guild_id"] = guild["id"]
        if kind == FORUM:
            made |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
            made |= {"default_forum_layout": 0}
        made |= facts
        self.channels[made["id"]] = made
        return made

    def dm(self, user: Payload) -> Payload:
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user["id"]:
                return channel
        made: Payload = {"id": self.snowflake(), "type": DM, "last_message_id": None, "recipients": [user]}
        self.channels[made["id"]] = made
        return made

    def thread(self, parent: Payload, name: str, owner: str, id_: str | None = None, **facts: Any) -> Payload:
        made: Payload = {
            "id": id_ or self.snowflake(),
            "type": THREAD,
            "guild_id": parent["guild_id"],
            "parent_id": parent["id"],
            "owner_id": owner,
            "name": name,
            "last_message_id": None,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": self.now(),
                "locked": False,
                "create_timestamp": self.now(),
            },
        } | facts
        self.channels[made["id"]] = made
        return made

    def message(self, channel_id: str, author: Payload, content: str = "", **facts: Any) -> Payload:
        mentioned = dict.fromkeys(re.findall(r"<@!?(\d+)>", content))
        made: Payload = {
            "id": self.snowflake(),
            "channel_id": channel_id,
            "author": author,
            "content": content,
            "timestamp": self.now(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mention_roles": [],
            "mentions": [self.users[each] for each in mentioned if each in self.users],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            "components": [],
        } | facts
        self.messages[made["id"]] = made
        if channel_id in self.channels:
            self.channels[channel_id]["last_message_id"] = made["id"]
        return made

    def attachment(
        self, channel_id: str, name: str, content: bytes, media_type: str | None, *, ephemeral: bool = False
    ) -> Payload:
        id_ = self.snowflake()
        self.blobs[id_] = Blob(name, content, media_type or "", self.clock.now() + URL_LIFETIME)
        made: Payload = {"id": id_, "filename": name, "size": len(content), "content_type": media_type}
        made |= {"ephemeral": True} if ephemeral else {}
        return made | self.urls(channel_id, id_, ephemeral=ephemeral)

    def urls(self, channel_id: str, id_: str, *, ephemeral: bool = False) -> Payload:
        """Signed anew: good for a day from now."""
        blob = self.blobs[id_]
        blob.expires = self.clock.now() + URL_LIFETIME
        folder = "ephemeral-attachments" if ephemeral else "attachments"
        signed = f"ex={int(blob.expires.timestamp()):x}&is=0&hm=0"
        url = f"{self.base_url}/cdn/{folder}/{channel_id}/{id_}/{blob.name}?{signed}"
        return {"url": url, "proxy_url": url}

    def permissions(self, channel: Payload, user_id: str) -> Permissions:
        """What somebody may do there: everything that neither guild nor channel denies them."""
        if "guild_id" not in channel:
            return EVERYTHING
        owner = self.channels.get(channel.get("parent_id") or "", channel)
        allowed = Permissions(int(self.guilds[channel["guild_id"]]["roles"][0]["permissions"]))
        for overwrite in owner.get("permission_overwrites", []):
            if overwrite["id"] in {user_id, channel["guild_id"]}:
                allowed = Permissions(allowed.value & ~int(overwrite["deny"]) | int(overwrite["allow"]))
        return allowed

    def set_permissions(self, channel: Payload, user_id: str, **given: bool) -> None:
        allow = Permissions(**{name: True for name, value in given.items() if value})
        deny = Permissions(**{name: True for name, value in given.items() if not value})
        others = [each for each in channel["permission_overwrites"] if each["id"] != user_id]
        overwrite = {"id": user_id, "type": 1, "allow": str(allow.value), "deny": str(deny.value)}
        channel["permission_overwrites"] = [*others, overwrite]
