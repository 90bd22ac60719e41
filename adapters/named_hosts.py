"""Which hosts people have named in a thread: links to them stay links."""

from collections.abc import Iterable

from bot.messages import ThreadId
from bot.reception import Journal

MOST = 200
"""Of a thread, the newest."""


async def remember(journal: Journal, thread: ThreadId, hosts: Iterable[str]) -> None:
    named = list(hosts)
    if not named:
        return
    known = await recall(journal, thread)
    together = dict.fromkeys([*known, *named])
    if len(together) > len(known):
        await journal.note(f"{thread}:hosts", "\n".join(list(together)[-MOST:]))


async def recall(journal: Journal, thread: ThreadId) -> list[str]:
    return (await journal.recall(f"{thread}:hosts") or "").split()
