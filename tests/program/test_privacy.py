"""What the bot must not hold: looked for in everything that it keeps, logs and sends."""

import json
from collections.abc import Iterator

from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving, contents
from tests.program.towns import DiscordTown, Town
from tests.program.waiting import until

CANARY = "quetzal-41-7c"
FILE = (f"{CANARY}.csv", f"name\n{CANARY}\n".encode())


async def test_nothing_is_held_of_what_a_blocked_person_says(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    await serving.operator("block", town.id_of("bert"))
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask(f"What of {CANARY}?", FILE, who="bert")
        await until(lambda: serving.logged("visit.refused"))
        # Whoever comes after is served: by then nothing of the other is on its way.
        await until(lambda: town.refused(talk))
        other = await town.ask("What of nothing?", ("a.csv", b"a\n1\n"))
        await until(lambda: any("Fine." in each for each in town.read(other)))

        assert places(serving, model) == []
    assert places(serving, model) == []


async def test_nothing_is_held_of_what_people_say_among_themselves(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["DISCORD_READS_ALL"] = "true"
    if isinstance(town, DiscordTown):
        town.discord.rest.application["flags"] = 1 << 18
    async with serving.here():
        await until(town.is_listening)

        await town.overhears(f"Look at {CANARY}", FILE)
        talk = await town.ask("What of nothing?", ("a.csv", b"a\n1\n"))
        await until(lambda: any("Fine." in each for each in town.read(talk)))

        assert places(serving, model) == []
    assert places(serving, model) == []


async def test_nothing_that_was_said_is_logged(town: Town, serving: Serving, model: OpenAIServer) -> None:
    serving.env["LOG_LEVEL"] = "debug"
    model.answers = [Says(CANARY, (Calls(f"print('{CANARY}')\nraise ValueError('{CANARY}')"),)), Says(CANARY)]
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask(f"What of {CANARY}?", FILE)

        await until(lambda: serving.logged("turn.ended"))
        assert any(CANARY in each for each in town.read(talk))
    assert CANARY not in serving.log.read_text("utf-8")


async def test_of_a_deleted_question_nothing_is_left(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("I look.", (Calls(f"open('{CANARY}.txt', 'w').write('{CANARY}')"),)), Says(CANARY)]
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask(f"What of {CANARY}?", FILE)
        await until(lambda: serving.logged("turn.ended"))
        model.received.clear()
        assert places(serving, model) != []

        await town.delete(talk)

        await until(lambda: not places(serving, model))
    assert places(serving, model) == []


async def test_nothing_is_held_of_a_question_that_was_deleted_while_nobody_listened(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask(f"What of {CANARY}?", FILE)
        await until(lambda: serving.logged("turn.ended"))
        model.received.clear()
        assert places(serving, model) != []
    await town.delete(talk)

    async with serving.here():
        await until(lambda: not places(serving, model))


def places(serving: Serving, model: OpenAIServer) -> list[str]:
    """Where the canary is."""
    return [where for where, held in _held(serving, model) if CANARY.encode() in held]


def _held(serving: Serving, model: OpenAIServer) -> Iterator[tuple[str, bytes]]:
    yield "log", serving.log.read_bytes()
    yield "model", json.dumps(model.bodies).encode()
    for each in sorted((serving.folder / "data").rglob("*")):
        yield str(each), str(each.name).encode()
        if each.is_file():
            yield str(each), contents(each)
