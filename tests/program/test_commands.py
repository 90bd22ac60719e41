"""Commands, forms, menus and direct messages: what only one of the platforms has."""

import pytest

from adapters.slack.manifest import ANALYZE_SHORTCUT, ASK_SHORTCUT
from tests.discord.conftest import shown_text
from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import DiscordTown, SlackTown, Talk
from tests.program.waiting import until

on_slack = pytest.mark.parametrize("town", ["slack"], indirect=True)
on_discord = pytest.mark.parametrize("town", ["discord"], indirect=True)
SALES = ("sales.csv", b"revenue\n40\n", "text/csv")


def said_in(town: SlackTown, channel: str) -> str:
    return "\n".join(str(each) for each in town.slack.posts(channel))


@on_slack
async def test_a_direct_message_with_a_file_is_answered(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)

        await town.slack.says("What is in it?", channel="D1", files=[town.slack.add_file(*SALES[:2])])

        await until(lambda: "Fine." in said_in(town, "D1"))
        assert "revenue" in text_of(model.bodies[-1])


@on_slack
async def test_a_command_is_answered_in_a_thread_of_the_channel(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)

        await town.slack.commands("How many were there?")

        await until(lambda: "Fine." in said_in(town, "C1"))
        (first, *_) = town.slack.posts("C1")
        assert "Fine." in "\n".join(town.read(Talk(first)))


@pytest.mark.chaos
@on_slack
async def test_a_form_takes_a_question_and_a_file(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)
        await town.slack.uses_shortcut(ASK_SHORTCUT)
        (view,) = await until(lambda: town.slack.workspace.views)

        file = town.slack.workspace.file_object(town.slack.add_file(*SALES[:2]), town.slack.url)
        values = {
            "question": {"question": {"value": "What is in it?"}},
            "files": {"files": {"files": [file]}},
            "channel": {"channel": {"selected_conversation": "C1"}},
        }
        await town.slack.submits(view, values)

        await until(lambda: "Fine." in said_in(town, "C1"))
        assert "revenue" in text_of(model.bodies[-1])


@on_slack
async def test_any_message_can_be_analyzed(town: SlackTown, serving: Serving, model: OpenAIServer) -> None:
    async with serving.here():
        await until(town.is_listening)
        message = await town.overhears("Here are the sales", SALES[:2])
        assert model.received == []

        await town.slack.uses_message_shortcut(ANALYZE_SHORTCUT, message)

        await until(lambda: any("Fine." in each for each in town.read(Talk(message))))
        assert "revenue" in text_of(model.bodies[-1])


@pytest.mark.chaos
@on_slack
async def test_the_home_tab_tells_what_somebody_has_used(
    town: SlackTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(town.is_listening)
        talk = await town.ask("How many?")
        await until(lambda: any("Fine." in each for each in town.read(talk)))

        await town.slack.deliver({"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"})

        await until(lambda: "Questions today: 1 of" in str(town.slack.workspace.homes))


@on_discord
async def test_ask_with_a_file_is_answered_in_a_thread(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        people, here = town.discord.people, town.discord.general

        asked = await people.command(
            town.people["anna"], here, "ask", {"question": "What is in it?"}, {"file1": SALES}
        )

        await until(lambda: asked.original)
        talk = Talk(asked.original)
        await until(lambda: any("Fine." in each for each in town.read(talk)))
        assert "revenue" in text_of(model.bodies[-1])


@on_discord
async def test_a_command_gets_its_own_answer_while_another_question_is_worked_on(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [
        Says("", (Calls("import time; time.sleep(2)"),)),
        Says("The first."),
        Says("The second."),
    ]
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        people = town.discord.people
        talk = await town.ask("Wait a moment")
        await until(lambda: serving.logged("model.replied"))
        thread = town.discord.world.channels[talk.first["id"]]

        asked = await people.command(town.people["bert"], thread, "ask", {"question": "And this?"})

        await until(lambda: asked.original and "The second." in shown_text(asked.shown[0]))
        assert any("The first." in each for each in town.read(talk))


@pytest.mark.chaos
@on_discord
async def test_a_private_answer_is_for_the_asker_alone(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("", (Calls("print(6 * 7)"),)), Says("It is 42.")]
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        people, here = town.discord.people, town.discord.general

        await people.command(town.people["anna"], here, "ask", {"question": "What is it?", "private": True})

        await until(lambda: any("It is 42." in each for each in town.whispers()))
        others = [each for each in town.discord.in_channel(here) if not each["flags"] & 64]
        assert not any("It is 42." in shown_text(each) for each in others)


@pytest.mark.chaos
@on_discord
async def test_a_message_is_analyzed_and_its_thread_shows_files_and_notebook(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("", (Calls("print(6 * 7)"),)), Says("It is 42.")]
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        people, anna = town.discord.people, town.people["anna"]
        message = await people.say(anna, town.discord.general, "Here are the sales", [SALES])

        asked = await people.use_on(anna, "Analyze", message)

        await until(lambda: asked.original)
        talk = Talk(asked.original)
        await until(lambda: any("It is 42." in each for each in town.read(talk)))
        thread = town.discord.world.channels[asked.original["id"]]  # type: ignore[index]  # it is there
        await people.command(anna, thread, "files")
        await until(lambda: any("sales.csv" in each for each in town.whispers()))
        await people.command(anna, thread, "notebook")
        await until(lambda: "notebook.ipynb" in town.handed(talk))


@pytest.mark.chaos
@on_discord
async def test_own_code_runs_where_that_is_allowed(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["ALLOW__DISCORD_RUN"] = "true"
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        people, anna = town.discord.people, town.people["anna"]

        opened = await people.command(anna, town.discord.general, "run")
        await until(lambda: opened.modal)
        ran = await people.submit(opened, {"code": "print(6 * 7)"})

        await until(lambda: any("42" in shown_text(each) for each in ran.shown))
        assert model.received == []


@on_discord
async def test_managers_close_a_channel_to_the_bot(
    town: DiscordTown, serving: Serving, model: OpenAIServer
) -> None:
    async with serving.here():
        await until(lambda: town.discord.rest.commands)
        discord, bert = town.discord, town.people["bert"]
        town.people["owner"] = discord.world.users[discord.guild["owner_id"]]
        closed = {"channel": discord.general, "allowed": False}

        await discord.people.command(bert, discord.general, "settings", closed)
        await until(lambda: town.whispers("bert"))
        talk = await town.ask("How many?", who="bert")
        await until(lambda: any("Fine." in each for each in town.read(talk)))

        await discord.people.command(town.people["owner"], discord.general, "settings", closed)
        await until(lambda: any("✗" in each for each in town.whispers("owner")))
        later = await town.ask("How many?", who="bert")

        await until(lambda: town.refused(later))
        assert len(model.received) == 1
