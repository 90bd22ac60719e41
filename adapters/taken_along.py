"""Messages that somebody else's question took along, as a quotation or to be analyzed: it goes when they do."""

import json

from bot.messages import ThreadId
from bot.reception import Journal

Question = tuple[str, ThreadId]
"""Its `Message.id` without a revision, and where it was asked."""


async def remember(journal: Journal, message: str, question: Question) -> None:
    """`message` is the platform's own name for what was taken along."""
    known = await recall(journal, message)
    if question not in known:
        await journal.note(_key(message), json.dumps([*known, question]))


async def recall(journal: Journal, message: str) -> list[Question]:
    noted = await journal.recall(_key(message))
    return [(turn, ThreadId(thread)) for turn, thread in json.loads(noted or "[]")]


def _key(message: str) -> str:
    return f"{message}:taken_along"
