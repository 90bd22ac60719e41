"""A model that is good enough for the doctor's questions, with the weaknesses that real ones have."""

import base64
import json
import re
import zlib
from dataclasses import dataclass

from bot.models.colours import COLOURS
from tests.fakes.openai_answers import Answer, Calls, Fails, Json, Says


@dataclass(frozen=True)
class LittleModel:
    """Plays a model for `OpenAIServer.otherwise`."""

    calls_tools: bool = True
    sees_images: bool = True
    """One that doesn't says so, without an error."""
    window_tokens: int = 1_000_000
    refuses_long: bool = False
    """Else it reads the end of what is too long, and says nothing of it."""
    counts: bool = True

    def __call__(self, body: Json) -> Answer:
        words = _read(body).split()
        if len(words) > self.window_tokens and self.refuses_long:
            said = f"the request exceeds the available context size ({self.window_tokens} tokens)"
            return Fails(400, said, "exceed_context_size_error")
        read = words[-self.window_tokens :]
        usage = (len(read), 5, 0) if self.counts else None
        return Says(**self._says(body, " ".join(read)), usage=usage)  # type: ignore[arg-type]  # its fields

    def _says(self, body: Json, read: str) -> Json:
        if colours := _colours(body):
            return {"text": " over ".join(colours) if self.sees_images else "I see no picture."}
        if "number.txt" in read:
            if printed := re.search(r"\[ok, 0\.0 s\]\s+(\d+)", read):
                return {"text": f"It printed {int(printed[1]):,}."}
            if self.calls_tools:
                return {"calls": (Calls("print(open('number.txt').read())", "call_1"),)}
            return {"text": "I would run that."}
        if "The number is" in read:
            return {"text": re.findall(r"The number is (\d+)", read)[0]}
        return {"text": "Fine."}


def _read(body: Json) -> str:
    """All texts of the request."""
    entries = body.get("messages") or body.get("input")
    return "\n".join(_texts(entries)).replace("\\n", "\n")


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [] if value.startswith("data:") else [value]
        case list():
            return [text for each in value for text in _texts(each)]
        case dict():
            return [text for each in value.values() for text in _texts(each)]
        case _:
            return []


def _colours(body: Json) -> list[str]:
    """Of the first and the last pixel."""
    found = re.search(r"data:image/png;base64,([\w+/=]+)", json.dumps(body))
    if not found:
        return []
    data = base64.b64decode(found[1])
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    rows = zlib.decompress(data[start + 4 : start + 4 + length])
    names = {rgb: name for name, rgb in COLOURS.items()}
    return [names[tuple(rows[1:4])], names[tuple(rows[-3:])]]  # type: ignore[index]  # three of them
