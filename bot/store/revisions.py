"""Ids of turns: `KEY`, or `KEY@EDITED` of a message that was edited, by the platform's clock."""


def key_of(turn: str) -> str:
    return turn.partition("@")[0]


def revision_of(turn: str) -> float:
    """Of the same key, what was edited later has a higher one; 0 before any edit."""
    return float(turn.partition("@")[2] or 0)
