"""What people did to a thread while nobody listened: the thread as Slack shows it, beside what is kept of it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.attachments import file_id, is_deleted
from adapters.slack.inbound import SAID, Deleted, Edited, FilesGone, Happened, Meant, Us, to_incoming
from adapters.slack.places import Place, message_id, ts_of
from bot.messages import Message
from bot.reception import Kept

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A stretch of a thread. Of what lies outside of it, nobody knows whether it is there."""

    messages: Mapping[str, Json]
    """By timestamp."""
    since: float
    until: float

    def covers(self, ts: str, place: Place) -> bool:
        # The first message comes along with any stretch.
        return ts == place.thread_ts or self.since <= float(ts) <= self.until

    def is_gone(self, ts: str) -> bool:
        return self.messages.get(ts, _GONE).get("subtype") == "tombstone"


def changes(kept: Sequence[Kept], shown: Shown, place: Place, us: Us) -> Iterator[Happened]:
    """As events would have told of them."""
    # A question may have been read above another one too.
    in_order = sorted(kept, key=lambda each: each.is_question)
    known = {ts: each for each in in_order if (ts := ts_of(each.message.id))}
    for ts, each in known.items():
        if not shown.covers(ts, place):
            continue
        if shown.is_gone(ts):
            yield Deleted(place, message_id(us.team, place.channel, ts), tuple(sorted(_files(each.message))))
        elif change := _changed(each, {**shown.messages[ts], "channel": place.channel}, us):
            yield change
    if place.thread_ts not in known and shown.is_gone(place.thread_ts):
        # The shortcut may have asked about it.
        yield Deleted(place, message_id(us.team, place.channel, place.thread_ts))
    elsewhere = {file for each in kept if not ts_of(each.message.id) for file in _files(each.message)}
    if gone := elsewhere & _deleted_files(shown):
        yield FilesGone(tuple(sorted(gone)))


def _changed(kept: Kept, now: Json, us: Us) -> Happened | None:
    incoming = to_incoming(now, us)
    before, after = _files(kept.message), _files(incoming.message)
    gone = tuple(sorted(before - after))
    # An edit that changes nothing, as that of a preview, leaves its mark too.
    is_other = incoming.message.text != kept.message.text or before != after
    is_newer = bool(now.get("edited")) and incoming.message.id != kept.message.id
    if kept.is_question and is_newer and is_other and now.get("subtype") in SAID:
        return Edited(incoming, Meant.SURELY, gone)
    return FilesGone(gone) if gone else None


def _files(message: Message) -> set[str]:
    return {file_id(each) for each in message.attachments if not is_deleted(each)} - {""}


def _deleted_files(shown: Shown) -> set[str]:
    files = [file for message in shown.messages.values() for file in message.get("files") or []]
    return {str(file.get("id")) for file in files if file.get("mode") == "tombstone"}


_GONE: Json = {"subtype": "tombstone"}
