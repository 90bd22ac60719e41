"""What people see of the bot, from what they wrote to what they read."""

import signal

from tests.fakes.openai_answers import Says
from tests.fakes.openai_server import OpenAIServer
from tests.program.console import ConsoleTown
from tests.program.serving import Serving
from tests.program.towns import Anywhere, DiscordTown, Town
from tests.program.waiting import until

SALES = ("sales.csv", b"month,revenue\nJan,40\nFeb,2\n")
PNG = b"\x89PNG\r\n\x1a\n"


async def test_a_file_and_a_question_become_an_answer_with_a_chart(town: Anywhere, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("What is the total revenue?", SALES)

        await until(lambda: any("All together it is" in each and "42" in each for each in town.read(talk)))
        (chart,) = await until(lambda: list(town.files(talk).values()))
        assert chart.startswith(PNG)


async def test_a_follow_up_uses_the_variables_of_the_question(town: Anywhere, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("What is the total revenue?", SALES)
        await until(lambda: any("42" in each for each in town.read(talk)))

        await town.follow_up(talk, "And twice that?")

        await until(lambda: any("Twice that is 84" in each for each in town.read(talk)))


async def test_two_threads_do_not_mix(town: Anywhere, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)

        one = await town.ask("What is the total revenue?", SALES)
        other = await town.ask("And twice that?", who="bert")

        await until(lambda: any("42" in each for each in town.read(one)))
        await until(lambda: any("did not print" in each for each in town.read(other)))
        assert not any("is 84" in each for each in town.read(other))


async def test_two_people_share_a_thread(town: Town, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("What is the total revenue?", SALES, who="anna")
        await until(lambda: any("42" in each for each in town.read(talk)))

        await town.follow_up(talk, "And twice that?", who="bert")

        await until(lambda: any("is 84" in each for each in town.read(talk)))


async def test_a_plain_question_gets_an_answer_and_no_code(town: Anywhere, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("hello")

        await until(lambda: any("Hello to you, too." in each for each in town.read(talk)))
        assert town.files(talk) == {}


async def test_stop_ends_a_cell_that_runs_and_says_so(town: Anywhere, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("Do it slowly")
        await serving.until_code_runs()

        await town.stop(talk)

        await until(lambda: any("topped" in each for each in town.read(talk)), seconds=10)
        assert not any("It was slow" in each for each in town.read(talk))


async def test_an_edited_question_is_answered_anew(town: Town, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("Do it slowly")
        await serving.until_code_runs()

        await town.edit(talk, "hello")

        await until(lambda: any("Hello to you, too." in each for each in town.read(talk)), seconds=20)


async def test_a_question_that_is_deleted_gets_no_answer(town: Town, serving: Serving) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("patiently, please")
        await serving.until_code_runs()

        await town.delete(talk)

        await until(lambda: serving.logged("turn.ended"))
        assert not any("It ran" in each for each in town.read(talk))


async def test_killed_in_mid_turn_it_goes_on_where_it_was_and_runs_nothing_twice(
    town: Town, serving: Serving
) -> None:
    async with serving.running() as process:
        await until(town.is_listening)
        talk = await town.ask("patiently, please")
        await serving.until_code_runs()
        process.kill()
        await process.wait()
    async with serving.running():
        await until(lambda: any("It ran" in each for each in town.read(talk)))

        answers = [each for each in town.read(talk) if "It ran" in each]
        assert len(answers) == 1
        assert "It ran 1 time(s)" in answers[0]


async def test_at_a_terminal_what_was_killed_in_mid_turn_does_not_stand_in_the_way(
    town: ConsoleTown, serving: Serving
) -> None:
    talk = await town.ask("What is the total revenue?", SALES)
    await until(lambda: any("42" in each for each in town.read(talk)))
    await town.follow_up(talk, "Do it slowly")
    await until(lambda: serving.log.read_text("utf-8").count("event=model.replied") == 3)

    await town.kill(talk)
    await town.follow_up(talk, "And twice that?")

    await until(lambda: any("Twice that is 84" in each for each in town.read(talk)))
    assert not any("It was slow" in each for each in town.read(talk))


async def test_what_is_said_while_nobody_listens_is_answered_after_the_start(
    town: Town, serving: Serving
) -> None:
    async with serving.running():
        await until(town.is_listening)
        talk = await town.ask("hello")
        await until(lambda: any("Hello to you, too." in each for each in town.read(talk)))
    later = await town.ask("What is the total revenue?", SALES, heard=False)

    async with serving.running():
        await until(lambda: any("42" in each for each in town.read(later)))


async def test_what_is_edited_while_nobody_listens_is_answered_anew_after_the_start(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("It is 40."), Says("It is 42.")]
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: any("It is 40." in each for each in town.read(talk)))
    await town.edit(talk, "How many with February?")

    async with serving.here():
        await until(lambda: town.read(talk) == ["It is 42."])


async def test_told_to_end_it_finishes_what_it_is_at(town: Town, serving: Serving) -> None:
    async with serving.running() as process:
        await until(town.is_listening)
        talk = await town.ask("patiently, please")
        await serving.until_code_runs()

        process.send_signal(signal.SIGTERM)

        assert await process.wait() == 0
        assert any("It ran 1 time(s)" in each for each in town.read(talk))
