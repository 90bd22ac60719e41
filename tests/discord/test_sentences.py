"""Each sentence that the adapter says is there, and each that is there is said."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_sentences_and_code_know_the_same() -> None:
    code = "\n".join(file.read_text("utf-8") for file in (ROOT / "adapters" / "discord").glob("*.py"))
    table = tomllib.loads((ROOT / "bot" / "sentences" / "en.toml").read_text("utf-8"))
    said = set(re.findall(r"[\"'](discord_\w+)[\"']", code))

    assert said == {key for key in table if key.startswith("discord_")}
