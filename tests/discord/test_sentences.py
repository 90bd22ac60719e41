"""Each sentence that the adapter says is there, and each that is there is said."""

import re
import tomllib
from pathlib import Path

import pytest

from adapters.discord import buttons
from bot.messages import ThreadId
from bot.sentences import say

LABEL = 45
"""Characters; https://discord.com/developers/docs/components/reference#label."""
BUTTON = 80
"""https://discord.com/developers/docs/components/reference#button."""
ROOT = Path(__file__).parents[2]


def test_sentences_and_code_know_the_same() -> None:
    code = "\n".join(file.read_text("utf-8") for file in (ROOT / "adapters" / "discord").glob("*.py"))
    table = tomllib.loads((ROOT / "bot" / "sentences" / "en.toml").read_text("utf-8"))
    said = set(re.findall(r"[\"'](discord_\w+)[\"']", code))

    assert said == {key for key in table if key.startswith("discord_")}


@pytest.mark.parametrize("language", ["en", "de"])
def test_labels_fit_in_every_language(language: str) -> None:
    thread = ThreadId("discord:1/2")
    made = [
        *buttons.under_answer("discord:1", thread, language, has_code=True),
        *buttons.under_question("q", thread, language),
        buttons.revoke("q", language, own=False),
        buttons.stop(1, thread, language),
    ]
    fields = [say(language, key) for key in ("discord_form_code", "discord_form_file")]

    assert all(len(each.label) <= BUTTON for each in made)
    assert all(len(each) <= LABEL for each in fields)
