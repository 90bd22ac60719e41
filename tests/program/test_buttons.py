"""Every button under an answer, and what people ask about themselves."""

import json
import sqlite3

import pytest

from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.test_privacy import CANARY, FILE, places
from tests.program.towns import Button, SlackTown, Talk, Town
from tests.program.waiting import until

CODE = 'total = 40 + 2\nopen("total.csv", "w").write(f"total\\n{total}\\n")\nprint(total)'


async def answered(town: Town, serving: Serving, model: OpenAIServer) -> Talk:
    model.answers = [Says("I add.", (Calls(CODE),)), Says("It is 42.")]
    await until(town.is_listening)
    talk = await town.ask("What is the total?", ("a.csv", b"a\n1\n"))
    await until(lambda: serving.logged("turn.ended"))
    return talk


async def test_code_is_shown_to_whoever_wants_to_see_it(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)

        await town.press(talk, Button.SHOW_CODE, who="bert")

        (shown,) = await until(lambda: town.whispers("bert"))
        assert CODE in shown


async def test_the_notebook_was_run_again_before_it_is_handed_out(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)

        await town.press(talk, Button.NOTEBOOK)

        await until(lambda: "notebook.ipynb" in town.handed(talk))
        notebook = json.loads(town.handed(talk)["notebook.ipynb"])
        (code,) = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert "total = 40 + 2" in "".join(code["source"])
        assert "42" in json.dumps(code["outputs"])
        assert await until(lambda: [each for each in town.whispers() if "all 1 cells" in each])


async def test_deleting_an_answer_takes_it_away_with_its_files(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)
        assert list(town.files(talk)) == ["total.csv"]

        await town.press(talk, Button.DELETE)

        await until(lambda: not town.read(talk))
        assert not town.files(talk)


@pytest.mark.chaos
async def test_others_cannot_delete_an_answer(town: Town, serving: Serving, model: OpenAIServer) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)

        await town.press(talk, Button.DELETE, who="bert")

        await until(lambda: town.whispers("bert"))
        assert any("It is 42." in each for each in town.read(talk))


async def test_changed_code_is_run_where_the_other_ran(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)

        shown = await town.rewrite(talk, "print(total * 100 + 7)")

        assert shown == CODE
        await until(lambda: any("4207" in each for each in town.read(talk)))
        assert len(model.received) == 2


async def test_what_people_think_of_an_answer_reaches_operators(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        talk = await answered(town, serving, model)

        await town.press(talk, Button.LIKE, who="bert")
        await until(lambda: ratings(serving) == ["good"])
        await town.press(talk, Button.DISLIKE, who="bert")

        await until(lambda: ratings(serving) == ["bad"])


async def test_usage_and_help_are_told_to_whoever_asks(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await answered(town, serving, model)

        usage, help_ = await town.usage(), await town.help()

        assert "Questions today: 1 of" in usage
        assert "127.0.0.1" in help_
        assert "the lab" in help_


@pytest.mark.chaos
async def test_of_a_person_who_wants_it_nothing_is_left(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("I look.", (Calls(f"open('{CANARY}.txt', 'w').write('{CANARY}')"),)), Says(CANARY)]
    async with serving.here():
        await until(town.is_listening)
        await town.ask(f"What of {CANARY}?", FILE)
        await until(lambda: serving.logged("turn.ended"))
        model.received.clear()
        assert places(serving, model) != []

        if isinstance(town, SlackTown):
            await town.slack.clicks_home("forget_me")
        else:
            # Discord has no place for such a button.
            await serving.operator("forget", "--user", town.id_of("anna").partition(":")[2], "--yes")

        await until(lambda: not places(serving, model))
    assert places(serving, model) == []


def ratings(serving: Serving) -> list[str]:
    with sqlite3.connect(f"file:{serving.folder / 'data' / 'plotline.db'}?mode=ro", uri=True) as store:
        return [value for (value,) in store.execute("SELECT value FROM feedback")]
