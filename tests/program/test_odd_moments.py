"""What happens at moments that nobody chose: edits after the answer, lost connections, places that are gone."""

import asyncio

import pytest

from tests.fakes.openai_answers import Calls, Fails, Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import Button, Town
from tests.program.waiting import until

pytestmark = pytest.mark.chaos
LIST = "import os\nprint(sorted(os.listdir()))"


async def test_a_question_edited_after_its_answer_is_answered_anew(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("It is 40."), Says("It is 42.")]
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: any("It is 40." in each for each in town.read(talk)))

        await town.edit(talk, "How many with February?")

        await until(lambda: any("It is 42." in each for each in town.read(talk)))
        assert "How many with February?" in text_of(model.bodies[-1])


async def test_what_was_missed_is_answered_although_something_newer_was_heard_before(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        await town.ask("How many?", who="bert")
        await until(lambda: model.received)
        await town.is_cut_off()
        talk = await town.ask("What of February?", heard=False)
        model.going.set()
        await until(town.is_listening)

        other = await town.ask("And where?", who="bert")

        await until(lambda: any("Fine." in each for each in town.read(other)))
        await until(lambda: any("Fine." in each for each in town.read(talk)))


async def test_a_place_that_is_gone_by_then_does_not_cost_the_answer(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.otherwise = Says("It is 42.")
    model.going.clear()
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: model.received)

        town.shuts_out(talk)
        model.going.set()

        await until(lambda: town.read_elsewhere(talk))


async def test_names_of_files_may_be_anything(town: Town, serving: Serving, model: OpenAIServer) -> None:
    model.answers = [Says("I look.", (Calls(LIST),)), Says("That is all.")]
    odd = [
        "größe 2025 (final).csv",
        "..%2F..%2Fetc.csv",
        "a" * 200 + ".csv",
        "$(rm -rf) `x`.csv",
        ".hidden.csv",
    ]
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("What is there?", *((name, b"a\n1\n") for name in odd))

        await until(lambda: any("That is all." in each for each in town.read(talk)))
        assert text_of(model.bodies[-1]).count(".csv'") == len(odd)


async def test_a_mention_without_words_is_asked_back(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("")

        await until(lambda: town.read(talk))
        assert model.received == []


async def test_a_model_that_fails_is_told_of_without_details(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    serving.may_complain = True
    model.otherwise = Fails(401, "Incorrect API key provided: not-for-anyone", "invalid_api_key")
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("How many?")

        (said,) = await until(lambda: town.read(talk))
        await until(lambda: serving.logged("turn.ended"))
        assert "the lab" in said
        assert "not-for-anyone" not in said + serving.log.read_text("utf-8")


async def test_a_newer_file_of_the_same_name_does_not_replace_the_older_one(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("One file."), Says("I look.", (Calls(LIST),)), Says("Two files.")]
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("What is it?", ("sales.csv", b"a\n1\n"))
        await until(lambda: any("One file." in each for each in town.read(talk)))

        await town.follow_up(talk, "And this one?", ("sales.csv", b"a\n2\n"))

        await until(lambda: any("Two files." in each for each in town.read(talk)))
        listed = text_of(model.bodies[-1])
        assert "'sales (uploaded " in listed
        assert "'sales.csv'" in listed


async def test_twenty_questions_at_once_are_answered_each_in_its_place(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    def echo(body: dict[str, object]) -> Says:
        asked = text_of(body).split("number ")[-1][:2]
        return Says(f"This was number {asked}.")

    model.otherwise = echo
    serving.env["BUDGETS__DISCORD_RUNNING"] = "none"
    async with serving.here():
        await until(town.is_listening)

        talks = [
            await town.ask(f"Which is number {number}?", who=("anna", "bert")[number % 2])
            for number in range(10, 30)
        ]

        for number, talk in enumerate(talks, 10):
            await until(lambda talk=talk, number=number: town.read(talk) == [f"This was number {number}."])


@pytest.mark.parametrize("revised", [False, True], ids=["as it was", "edited"])
async def test_a_deleted_answer_does_not_come_back_with_the_next_start(
    town: Town, serving: Serving, model: OpenAIServer, *, revised: bool
) -> None:
    async with serving.here():
        await until(town.is_listening)
        # Something older is there, so that the next start looks for what came after it.
        await town.ask("What came before?")
        await until(lambda: serving.log.read_text("utf-8").count("event=turn.ended") == 1)
        talk = await town.ask("How many?")
        await until(lambda: serving.log.read_text("utf-8").count("event=turn.ended") == 2)
        if revised:
            await town.edit(talk, "How many now?")
            await until(lambda: serving.log.read_text("utf-8").count("event=turn.ended") == 3)
        await town.press(talk, Button.DELETE)
        await until(lambda: not town.read(talk))
    before = len(model.received)

    async with serving.here():
        await until(town.is_listening)
        later = await town.ask("And where?", who="bert")
        await until(lambda: any("Fine." in each for each in town.read(later)))
        await asyncio.sleep(3)

        assert town.read(talk) == []
        assert len(model.received) == before + 1
