"""E-mail as a file. Standard library only."""

import email
import email.policy
import re
from email.message import EmailMessage

from sandbox.guest.jobs.profiles.finding import Finding
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import count, plain, size

PART_BYTES = 8 * 1024 * 1024
ATTACHMENTS_SHOWN = 10
BODY_CHARACTERS = 100_000
TEXT_SHOWN = 500


def profile(source: Source) -> Finding:
    message = email.message_from_bytes(
        source.head(PART_BYTES), _class=EmailMessage, policy=email.policy.default
    )
    attached = list(message.iter_attachments())
    top = f"E-mail with {count(len(attached), 'attachment')}"
    heads = [
        f"{key}: {plain(message[key], 160)}" for key in ("From", "To", "Date", "Subject") if message[key]
    ]
    files = [_told(each) for each in attached[:ATTACHMENTS_SHOWN]]
    return Finding("document", (top, *heads, *files, *_beginning(message)), (top,))


def _told(attachment: EmailMessage) -> str:
    content = attachment.get_payload(decode=True)
    attached_bytes = len(content) if isinstance(content, bytes) else 0
    return f"- {plain(attachment.get_filename() or 'without a name', 80)}, {size(attached_bytes)}"


def _beginning(message: EmailMessage) -> list[str]:
    body = message.get_body(("plain", "html"))
    if body is None:
        return []
    words = re.sub(r"<[^<>]*>", " ", str(body.get_content())[:BODY_CHARACTERS])
    return [f"Begins: {plain(words, TEXT_SHOWN)}"]
