"""How results of steps are written down: as JSON, with files left where they are, by their hashes."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import TypeAdapter

from bot.blobs import Blobs
from bot.execution import Artifact, Execution, Picture
from bot.journal import Codec
from bot.messages import Above, Message, Output
from bot.transcript import Reply
from bot.uploads import TakenIn

Ended = tuple[Literal["ok", "error", "cancelled"], Output]
"""How a turn's work ended, and what is posted for it."""

_REPLY = TypeAdapter(Reply)
_EXECUTION = TypeAdapter(Execution)
_TAKEN = TypeAdapter(TakenIn)
_OUTPUT: TypeAdapter[Ended] = TypeAdapter(Ended)
_MESSAGE = TypeAdapter(Message)
_ABOVE = TypeAdapter(Above)


def message_to_json(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = _MESSAGE.dump_python(message, mode="json")
    return written


def message_from_json(written: dict[str, Any]) -> Message:
    return _MESSAGE.validate_python(written)


async def _dump_message(message: Message) -> Any:
    return message_to_json(message)


async def _load_message(written: Any) -> Message:
    return message_from_json(written)


async def _dump_above(above: Above) -> Any:
    return _ABOVE.dump_python(above, mode="json")


async def _load_above(written: Any) -> Above:
    return _ABOVE.validate_python(written)


class Codecs:
    """For one team's turns."""

    def __init__(self, blobs: Blobs, team: str) -> None:
        self._blobs = blobs
        self._team = team
        self.reply: Codec[Reply] = Codec(self._dump_reply, self._load_reply)
        self.execution: Codec[Execution] = Codec(self._dump_execution, self._load_execution)
        self.picture: Codec[Picture | None] = Codec(self._dump_picture, self._load_picture)
        self.message: Codec[Message] = Codec(_dump_message, _load_message)
        self.above: Codec[Above] = Codec(_dump_above, _load_above)
        self.output: Codec[Ended] = Codec(self._dump_output, self._load_output)
        self.prompt: Codec[tuple[str, TakenIn]] = Codec(self._dump_prompt, self._load_prompt)

    async def _dump_reply(self, reply: Reply) -> Any:
        return _REPLY.dump_python(reply, mode="json")

    async def _load_reply(self, written: Any) -> Reply:
        return _REPLY.validate_python(written)

    async def _dump_execution(self, execution: Execution) -> Any:
        return _EXECUTION.dump_python(execution, mode="json")

    async def _load_execution(self, written: Any) -> Execution:
        execution = _EXECUTION.validate_python(written)
        return replace(execution, artifacts=await self._here(execution.artifacts))

    async def _dump_output(self, ended: Ended) -> Any:
        return _OUTPUT.dump_python(ended, mode="json")

    async def _load_output(self, written: Any) -> Ended:
        status, output = _OUTPUT.validate_python(written)
        return status, replace(output, artifacts=await self._here(output.artifacts))

    async def _here(self, artifacts: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        """The machine that wrote it down may have been another one."""
        return tuple(
            [replace(each, path=await self._blobs.local(self._team, each.sha256)) for each in artifacts]
        )

    async def _dump_picture(self, picture: Picture | None) -> Any:
        if picture is None:
            return None
        sha256, _ = await self._blobs.add(self._team, picture.data)
        return {"name": picture.name, "media_type": picture.media_type, "sha256": sha256}

    async def _load_picture(self, written: Any) -> Picture | None:
        if written is None:
            return None
        data = await self._blobs.read(self._team, written["sha256"])
        return Picture(written["name"], written["media_type"], data) if data else None

    async def _dump_prompt(self, value: tuple[str, TakenIn]) -> Any:
        text, taken = value
        pictures = [await self._dump_picture(picture) for picture in taken.pictures]
        return {
            "text": text,
            "taken": _TAKEN.dump_python(replace(taken, pictures=[]), mode="json"),
            "pictures": pictures,
        }

    async def _load_prompt(self, written: Any) -> tuple[str, TakenIn]:
        taken = _TAKEN.validate_python(written["taken"])
        pictures = [await self._load_picture(each) for each in written["pictures"]]
        taken.pictures = [picture for picture in pictures if picture]
        return written["text"], taken
