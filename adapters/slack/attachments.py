"""Files on Slack's messages → `Attachment`, and back to what Slack needs to give them out. Pure."""

import re
from typing import Any
from urllib.parse import urlsplit

from bot.messages import Attachment

Json = dict[str, Any]

SCHEME = "slack-file:"
"""For files of which an event has no address: `slack-file:F1`, or `slack-file:F1/tombstone` where it says why."""
WITHOUT_BYTES = {
    "tombstone": "slack_file_deleted",
    "hidden_by_limit": "slack_file_hidden",
    "external": "slack_file_external",
    "quip": "slack_file_external",
}
"""Mode → the sentence for people."""


def to_attachment(file: Json) -> Attachment:
    """Any file of an event. One that cannot be had becomes an attachment too: fetching it tells why."""
    id, mode = str(file.get("id", "")), str(file.get("mode", ""))  # noqa: A001  # as Slack calls it
    name = str(file.get("name") or file.get("title") or id)
    media_type = str(file.get("mimetype") or "")
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if mode in WITHOUT_BYTES or file.get("is_external"):
        return Attachment(
            name, f"{SCHEME}{id}/{mode if mode in WITHOUT_BYTES else 'external'}", None, media_type
        )
    if not url or file.get("file_access") == "check_file_info":
        # Over Slack Connect an event has only the id: https://docs.slack.dev/apis/slack-connect/#files.
        return Attachment(name, f"{SCHEME}{id}", None, media_type)
    size = file.get("size")
    return Attachment(name, f"{url}#{id}", size if isinstance(size, int) else None, media_type)


def file_id(attachment: Attachment) -> str:
    """Slack's id of it, empty for a file of another origin."""
    if attachment.url.startswith(SCHEME):
        return attachment.url.removeprefix(SCHEME).split("/")[0]
    return urlsplit(attachment.url).fragment


def refusal(attachment: Attachment) -> str | None:
    """The sentence why its bytes cannot be had, where that is known without asking Slack."""
    mode = attachment.url.partition("/")[2] if attachment.url.startswith(SCHEME) else ""
    return WITHOUT_BYTES.get(mode)


def is_deleted(attachment: Attachment) -> bool:
    """Whether it was gone already when the message was read."""
    return refusal(attachment) == WITHOUT_BYTES["tombstone"]


def is_login_page(attachment: Attachment, media_type: str, first_bytes: bytes) -> bool:
    """Whether Slack gave its sign-in page instead of the file, as it does where the scope `files:read` is missing."""
    if media_type != "text/html":
        return False
    says_html = attachment.media_type == "text/html" or attachment.name.lower().endswith((".html", ".htm"))
    title = re.search(rb"<title>[^<]*</title>", first_bytes, re.IGNORECASE)
    return not says_html or bool(title and b"slack" in title[0].lower())
