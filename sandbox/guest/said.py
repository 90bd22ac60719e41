"""What a kernel says, cut to what may be passed on. Whoever runs in it can say anything, in any form."""

from sandbox.wire import Frame

ID_CHARACTERS = 200
MEDIA_TYPE_CHARACTERS = 100
MOST_PARTS = 8
NAME_CHARACTERS = 200
"""Of a display, an error, a variable."""
PATH_CHARACTERS = 1024
ALT_CHARACTERS = 2000
MESSAGE_CHARACTERS = 2000
TRACEBACK_CHARACTERS = 21_000
MOST_NAMES = 1000


def display(frame: Frame, payload: bytes) -> Frame | None:
    """None where its parts are not what came with it."""
    parts = _parts(frame.get("parts"))
    if sum(size for _, size in parts) != len(payload):
        return None
    return {
        "ev": "display",
        "kind": "update" if frame.get("kind") == "update" else "display",
        "display_id": _text(frame.get("display_id"), ID_CHARACTERS) or None,
        "parts": parts,
        "name": _text(frame.get("name"), NAME_CHARACTERS),
        "alt": _text(frame.get("alt"), ALT_CHARACTERS),
        "saved_as": _text(frame.get("saved_as"), PATH_CHARACTERS) or None,
    }


def error(frame: Frame) -> Frame:
    return {
        "ev": "error",
        "name": _text(frame.get("name"), NAME_CHARACTERS),
        "message": _text(frame.get("message"), MESSAGE_CHARACTERS),
        "traceback": _text(frame.get("traceback"), TRACEBACK_CHARACTERS),
    }


def clear(frame: Frame) -> Frame:
    return {"ev": "clear", "wait": frame.get("wait") is True}


def names(said: object) -> list[str]:
    """Of variables."""
    if not isinstance(said, list):
        return []
    return [_text(name, NAME_CHARACTERS) for name in said if isinstance(name, str)][:MOST_NAMES]


def _parts(said: object) -> list[tuple[str, int]]:
    """Nothing where one of them is no part."""
    found: list[tuple[str, int]] = []
    if not isinstance(said, list) or len(said) > MOST_PARTS:
        return []
    for part in said:
        match part:
            case [str(media_type), int(size)] if type(size) is int and size >= 0:
                found.append((media_type[:MEDIA_TYPE_CHARACTERS], size))
            case _:
                return []
    return found


def _text(said: object, most: int) -> str:
    return said[:most] if isinstance(said, str) else ""
