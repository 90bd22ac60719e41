"""A moment as the asker's clock shows it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.messages import Author


def local(author: Author, at: datetime) -> datetime:
    """`at` in the author's time zone, in UTC where that is not a known one."""
    try:
        return at.astimezone(ZoneInfo(author.time_zone))
    except (KeyError, ValueError, OSError):
        # Platforms pass on what a profile says: a name that is unknown, malformed, or that of a folder ("Europe").
        return at.astimezone(UTC)
