"""Files that people send to the bot and get from it."""

import pytest

from tests.fakes.openai_answers import Calls, Says
from tests.fakes.openai_rules import text_of
from tests.fakes.openai_server import OpenAIServer
from tests.program.serving import Serving
from tests.program.towns import Anywhere, Town
from tests.program.waiting import until

MIB = 1024**2
JANUARY, FEBRUARY = ("sales.csv", b"revenue\n40\n"), ("sales.csv", b"revenue\n2\n")
BOTH = """\
import glob
print(sorted((name, open(name).read().split()[1]) for name in glob.glob("*.csv")))"""
NOISE = """\
import numpy as np
from PIL import Image
Image.fromarray(np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), dtype="uint8")).save("noise.png")"""


async def test_two_files_of_one_name_are_both_there(
    town: Anywhere, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("I look.", (Calls(BOTH),)), Says("Two files.")]
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("What is in them?", JANUARY, FEBRUARY)

        await until(lambda: any("Two files." in each for each in town.read(talk)))
        assert "[('sales (2).csv', '2'), ('sales.csv', '40')]" in text_of(model.bodies[-1])


async def test_a_file_without_a_word_is_looked_into(
    town: Anywhere, serving: Serving, model: OpenAIServer
) -> None:
    model.otherwise = Says("It has one column.")
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("", JANUARY)

        await until(lambda: any("It has one column." in each for each in town.read(talk)))
        assert "revenue" in text_of(model.bodies[-1])


async def test_a_file_over_the_limit_is_refused_by_name_and_size(
    town: Anywhere, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["LIMITS__ATTACHMENT_BYTES"] = "2000"
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("What is in it?", ("large.csv", b"x\n" * 2000))

        await until(lambda: any("large.csv is 4" in each for each in town.read(talk)))
        assert any("the limit here is 2" in each for each in town.read(talk))
        assert model.received == []


@pytest.mark.chaos
async def test_of_several_files_those_within_the_limit_are_looked_into(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    serving.env["LIMITS__ATTACHMENT_BYTES"] = "2000"
    model.otherwise = Says("Only one of them.")
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("What is in them?", ("large.csv", b"x\n" * 2000), JANUARY)

        await until(lambda: any("Only one of them." in each for each in town.read(talk)))
        assert any("large.csv is 4" in each for each in town.read(talk))
        assert "revenue" in text_of(model.bodies[-1])


async def test_a_right_that_the_bot_lacks_is_named(town: Town, serving: Serving, model: OpenAIServer) -> None:
    model.answers = [Says("", (Calls('open("left.csv", "w").write("a\\n1\\n")'),)), Says("Here it is.")]
    async with serving.here():
        await until(town.is_listening)
        right = town.lacks_files()

        talk = await town.ask("What is in it? Make another.", JANUARY)

        await until(lambda: any(right in each for each in town.read(talk)))


@pytest.mark.parametrize("town", ["discord"], indirect=True)
async def test_a_picture_over_the_limit_of_the_guild_comes_smaller(
    town: Town, serving: Serving, model: OpenAIServer
) -> None:
    model.answers = [Says("", (Calls(NOISE),)), Says("Here it is.")]
    async with serving.here():
        await until(town.is_listening)

        talk = await town.ask("Draw noise")

        files = await until(lambda: town.files(talk))
        ((name, content),) = files.items()
        assert (name, content[:3]) == ("noise.jpg", b"\xff\xd8\xff")
        assert len(content) <= 10 * MIB
