"""Slack's events → what happened, in our own terms. Pure: no event is too odd to be looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.attachments import to_attachment
from adapters.slack.places import PLATFORM, Place, at, message_id
from bot.messages import Attachment, Author, Message
from bot.visits import Visit, Wish

Json = dict[str, Any]

SAID = {None, "file_share", "thread_broadcast", "me_message"}
"""Subtypes of messages in which somebody says something."""
SLACK_ITSELF = {"USLACK", "USLACKBOT"}
STOP_WORDS = {"stop", "cancel", "abort", "stopp", "halt", "abbrechen", "abbruch", "anhalten"}


@dataclass(frozen=True, slots=True)
class Us:
    """Who the bot is in this team."""

    team: str
    user: str
    bot: str
    name: str = "plotline"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, who wrote it and where."""

    message: Message
    visit: Visit
    place: Place
    ts: str
    """Its own; empty for a question that is no message, as one from a form."""
    begins_thread: bool
    """Otherwise the bot was called into talk that is there already, or this goes on from before."""


class Meant(StrEnum):
    """Whether a message is for the bot."""

    SURELY = auto()
    PERHAPS = auto()
    """Said in a thread without a mention: it is if the bot holds the thread from its root. Else nobody keeps it."""

    @property
    def is_sure(self) -> bool:
        return self is Meant.SURELY


@dataclass(frozen=True, slots=True)
class Said:
    incoming: Incoming
    meant: Meant
    is_stop: bool
    """Somebody typed that the bot should stop, and nothing else."""


@dataclass(frozen=True, slots=True)
class Edited:
    incoming: Incoming
    meant: Meant
    """Before or now."""
    files_gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    place: Place
    source: str
    files_gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilesGone:
    files: tuple[str, ...]


Happened = Said | Edited | Deleted | FilesGone


def happened(event: Json, us: Us) -> Happened | None:
    """What a `message` or `app_mention` event tells; None for what is not for us to know."""
    match event.get("subtype"):
        case "message_changed":
            return _changed(event, us)
        case "message_deleted":
            return _deleted(event, us)
        case subtype if subtype in SAID or (subtype == "bot_message" and mentions(event, us)):
            return _said(event, us)
    return None


def mentions(event: Json, us: Us) -> bool:
    return event.get("type") == "app_mention" or f"<@{us.user}" in str(event.get("text") or "")


def to_incoming(event: Json, us: Us) -> Incoming:
    """A message as Slack tells of it, in an event, a history or a shortcut; `channel` has to be there."""
    ts, channel = str(event["ts"]), str(event["channel"])
    place = Place(us.team, channel, str(event.get("thread_ts") or ts))
    edited = (event.get("edited") or {}).get("ts")
    visit = _visit(event, us, place)
    message = Message(
        id=message_id(us.team, channel, ts, edited),
        author=visit.author,
        text=text_of(event, us),
        sent_at=at(ts),
        attachments=attachments_of(event),
    )
    return Incoming(message, visit, place, ts, begins_thread=place.thread_ts == ts)


def text_of(event: Json, us: Us) -> str:
    """Markdown, with forwarded messages as quotations and without the mention of the bot."""
    rich = mrkdwn.rich_text_to_markdown(event.get("blocks") or [])
    text = mrkdwn.to_markdown(str(event.get("text") or "")) if rich is None else rich
    text = _without_mention(text, us)
    forwarded = [_quoted(each) for each in event.get("attachments") or [] if each.get("is_share")]
    return "\n\n".join(part for part in [text, *forwarded] if part)


def attachments_of(event: Json) -> tuple[Attachment, ...]:
    """Files on the message, and on messages that are forwarded with it."""
    forwarded = [each for each in event.get("attachments") or [] if each.get("is_share")]
    files = [*(event.get("files") or []), *(file for each in forwarded for file in each.get("files") or [])]
    return tuple(to_attachment(file) for file in files)


def is_stop(text: str) -> bool:
    return text.strip(" \t\n.!…").lower() in STOP_WORDS


def _said(event: Json, us: Us) -> Happened | None:
    if not event.get("channel") or not event.get("ts") or _is_ours(event, us):
        return None
    meant = _meant(event, us)
    if meant is None:
        return None
    incoming = to_incoming(event, us)
    alone = not incoming.message.attachments and (incoming.place.is_dm or not incoming.begins_thread)
    return Said(incoming, meant, alone and is_stop(incoming.message.text))


def _meant(event: Json, us: Us) -> Meant | None:
    if event.get("channel_type") == "im" or str(event["channel"]).startswith("D") or mentions(event, us):
        return Meant.SURELY
    begins_thread = event.get("thread_ts") in {None, event["ts"]}
    # Other bots have to mention us, and whoever begins with another's name talks to them.
    if begins_thread or event.get("bot_id") or _begins_with_another(event, us):
        return None
    return Meant.SURELY if event.get("parent_user_id") == us.user else Meant.PERHAPS


def _changed(event: Json, us: Us) -> Happened | None:
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    now = {**now, "channel": event.get("channel"), "channel_type": event.get("channel_type")}
    if now.get("subtype") == "tombstone":
        # A deleted message that has replies: the mark is Slack's, what was there is not.
        return _deleted({**event, "deleted_ts": now.get("ts")}, us)
    if not now.get("ts") or _is_ours(now, us):
        return None
    gone = _files_gone(now, before)
    if now.get("edited") == before.get("edited") or now.get("subtype") not in SAID:
        # Slack added a preview, or a file is gone.
        return FilesGone(gone) if gone else None
    if now.get("text") == before.get("text") and _file_ids(now) == _file_ids(before):
        return None
    both = {_meant(now, us), _meant({**before, "channel": now["channel"], "ts": now["ts"]}, us)}
    if both == {None}:
        return None
    return Edited(to_incoming(now, us), Meant.SURELY if Meant.SURELY in both else Meant.PERHAPS, gone)


def _deleted(event: Json, us: Us) -> Happened | None:
    before = dict(event.get("previous_message") or {})
    ts = event.get("deleted_ts") or before.get("ts")
    if not ts or (before and _is_ours(before, us)):
        return None
    return _gone({**before, "ts": ts, "channel": event.get("channel")}, us)


def _gone(before: Json, us: Us) -> Deleted:
    ts, channel = str(before["ts"]), str(before["channel"])
    place = Place(us.team, channel, str(before.get("thread_ts") or ts))
    return Deleted(place, message_id(us.team, channel, ts), tuple(sorted(_file_ids(before))))


def _is_ours(event: Json, us: Us) -> bool:
    """Said by the bot, or by Slack."""
    return (
        event.get("user") in {us.user, *SLACK_ITSELF}
        or event.get("bot_id") == us.bot
        or not (event.get("user") or event.get("bot_id"))
    )


def _visit(event: Json, us: Us, place: Place) -> Visit:
    team = str(event.get("user_team") or event.get("source_team") or event.get("team") or us.team)
    id = str(event.get("user") or event.get("bot_id"))  # noqa: A001  # as Slack calls it
    return Visit(
        wish=Wish.ASK,
        author=Author(id, id),
        platform=PLATFORM,
        team=us.team,
        channel=place.channel,
        asker_team=team if team != us.team else "",
        is_external=team != us.team,
        is_bot=bool(event.get("bot_id")),
        in_dm=place.is_dm,
        looking_at=_looking_at(event),
    )


def _begins_with_another(event: Json, us: Us) -> bool:
    first = re.match(r"\s*<@(\w+)", str(event.get("text") or ""))
    return bool(first and first[1] != us.user)


def _without_mention(text: str, us: Us) -> str:
    """A mention at either end says nothing more; one in the middle is the bot's name."""
    mention = rf"@(?:{re.escape(us.user)}\b|{re.escape(us.name)}(?![\w-]))"
    text = re.sub(rf"\A\s*(?:{mention}[\s,:]*)+|(?:\s*{mention})+\s*\Z", "", text)
    return re.sub(rf"@{re.escape(us.user)}\b", us.name, text).strip()


def _quoted(forwarded: Json) -> str:
    text = mrkdwn.to_markdown(str(forwarded.get("text") or forwarded.get("fallback") or ""))
    who = str(forwarded.get("author_name") or forwarded.get("author_subname") or "")
    lines = f"{who}: {text}" if who else text
    return "\n".join(f"> {line}" for line in lines.split("\n")) if text else ""


def _file_ids(message: Json) -> set[str]:
    return {str(file.get("id")) for file in message.get("files") or [] if file.get("mode") != "tombstone"}


def _files_gone(now: Json, before: Json) -> tuple[str, ...]:
    return tuple(sorted(_file_ids(before) - _file_ids(now)))


def _looking_at(event: Json) -> str | None:
    entities: Sequence[Json] = (event.get("app_context") or {}).get("entities") or []
    for entity in entities:
        if str(entity.get("type")).endswith("channel_id") and isinstance(entity.get("value"), str):
            return str(entity["value"])
    return None
