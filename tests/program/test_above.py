"""Talk that the bot is called into, on Slack: what it reads of it, and what becomes of that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_answers import Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.slack.rules import Json
from tests.program.serving import Serving, contents
from tests.program.towns import SlackTown
from tests.program.waiting import until

CANARY = "axolotl-9-3f"
ON_SLACK = pytest.mark.parametrize("town", ["slack"], indirect=True)


async def called_in(town: SlackTown, talk: Json) -> list[str]:
    """Somebody else wants to know what is to be made of it; what the bot says."""
    slack = town.slack
    await slack.says("<@UBOT> What of it?", user="U1", thread_ts=talk["ts"])

    def said() -> list[str]:
        return [each["text"] for each in slack.posts() if "Fine." in repr(each)]

    return await until(said)


@ON_SLACK
@pytest.mark.parametrize("what", ["message", "file"])
async def test_of_deleted_talk_nothing_is_left(
    town: SlackTown, serving: Serving, model: OpenAIServer, what: str
) -> None:
    async with serving.here():
        await until(town.is_listening)
        file = town.slack.add_file(f"{CANARY}.csv", f"{CANARY}\n1\n".encode())
        talk = await town.slack.says(f"It is {CANARY}", user="U2", files=[file])
        await called_in(town, talk)
        await until(lambda: serving.logged("turn.ended"))
        assert CANARY in text_of(model.bodies[0])
        assert held(serving) != []

        if what == "message":
            await town.slack.deletes(talk)
        else:
            await town.slack.loses_file(talk, file)

        await until(lambda: not held(serving))


@ON_SLACK
async def test_talk_of_a_blocked_person_is_not_read(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    model.otherwise = Says("Fine.")
    await serving.operator("block", town.id_of("bert"))
    async with serving.here():
        await until(town.is_listening)
        talk = await town.slack.says("It is Monday", user="U1")
        file = town.slack.add_file(f"{CANARY}.csv", b"a\n1\n")
        await town.slack.says(f"It is {CANARY}", user="U2", thread_ts=talk["ts"], files=[file])

        await called_in(town, talk)

        assert "It is Monday" in text_of(model.bodies[0])
        assert CANARY not in text_of(model.bodies[0])
    assert held(serving) == []


def held(serving: Serving) -> list[Path]:
    return list(_held(serving.folder / "data"))


def _held(folder: Path) -> Iterator[Path]:
    for each in sorted(folder.rglob("*")):
        if CANARY in each.name or (each.is_file() and CANARY.encode() in contents(each)):
            yield each
