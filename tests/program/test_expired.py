"""A thread that nobody has written in for so long that it was emptied, and what is still there of it."""

import sqlite3
from contextlib import closing

from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import Town
from tests.program.waiting import until

FILE = ("sales.csv", b"region,sum\nNorth,4711\n")


async def test_files_are_taken_again_from_the_platform_and_go_with_their_message(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    # The bot's own clock is the one on the wall.
    await town.days_pass(-91)
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("What is in it?", FILE)
        await until(lambda: serving.logged("turn.ended"))
    await town.days_pass(91)
    asked(serving, "UPDATE threads SET used_at = used_at - 91 * 86400")

    async with serving.here():
        await until(town.is_listening)
        await until(lambda: asked(serving, "SELECT id FROM threads WHERE expired_at IS NOT NULL"))
        assert asked(serving, "SELECT thread FROM files") == []
        model.answers = [Says("", (Calls("print(open('sales.csv').read())"),)), Says("Still 4711.")]
        await town.follow_up(talk, "And the sum?")
        (said,) = await until(lambda: [each for each in town.read(talk) if "Still 4711." in each])
        held = asked(serving, "SELECT DISTINCT name FROM files WHERE kind = 'upload'")

        await town.delete(talk)
        await until(lambda: not asked(serving, "SELECT name FROM files WHERE name = 'sales.csv'"))

    assert held == [("sales.csv",)]
    assert "since nobody had written for 90 days" in said
    assert "I took 1 files from above" in said or "I read 1 messages and 1 files above" in said
    assert "North,4711" in text_of(model.bodies[-1])


def asked(serving: Serving, statement: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(serving.folder / "data" / "plotline.db", isolation_level=None)) as store:
        return store.execute(statement).fetchall()
