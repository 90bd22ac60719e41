"""Everything that is held of a person, to be handed out to them."""

import json
from dataclasses import asdict
from pathlib import Path

from bot.attachments import unique_name
from bot.exporting import codes_of
from bot.store.store import Store

EVERY = 2**31 - 1


async def everything_of(store: Store, team: str, user: str) -> dict[str, bytes | str | Path]:
    """All that is held of a person: `person.json`, and their files with those that were made for them."""
    asked = await store.reports.turns(team=team, user=user, limit=EVERY)
    spent = await store.reports.usage("day", team=team, user=user)
    held = {each.file.sha256: each for each in await store.files.held(team=team, user=user)}
    names: list[str] = []
    files: dict[str, bytes | str | Path] = {}
    listed = []
    for each in held.values():
        path = await store.blobs.local(team, each.file.sha256)
        names.append(unique_name(each.file.name.replace("/", "_") or each.file.sha256, names))
        if path.exists():
            files[f"files/{names[-1]}"] = path
        listed.append(
            {
                "name": names[-1],
                "kind": each.file.kind,
                "thread": each.thread,
                "sha256": each.file.sha256,
                "size_bytes": each.file.size_bytes,
                "is_kept": path.exists(),
            }
        )
    facts = {
        "team": team,
        "user": user,
        "turns": [asdict(row) | {"cells": await codes_of(store, row.id)} for row in asked],
        "usage_by_day": [asdict(row) for row in spent],
        "ratings": [asdict(each) for each in await store.feedback.of(user=user)],
        "audit": [asdict(each) for each in await store.audit.entries(team=team, user=user, limit=EVERY)],
        "files": listed,
    }
    return {"person.json": json.dumps(facts, ensure_ascii=False, indent=1), **files}
