"""Fixed sentences: there in every language, and there for whatever the code wants to say."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot.errors
from bot.errors import AttachmentRefused, BotError, SandboxNotReady
from bot.sentences import explain, languages, say, size

ROOT = Path(__file__).parents[2]
OF_EVERY_ERROR = {"contact", "endpoint"}
OF_ATTACHMENTS = {"name", "limit", "workspace"}


def table(language: str) -> dict[str, str]:
    return tomllib.loads((ROOT / "bot" / "sentences" / f"{language}.toml").read_text("utf-8"))


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", sentence))


def error_classes() -> list[type[BotError]]:
    return [
        each for each in vars(bot.errors).values() if isinstance(each, type) and issubclass(each, BotError)
    ]


def raised_in_code() -> Iterator[tuple[str, str, str, set[str]]]:
    """Place, class, sentence and facts of each error of ours that is made somewhere with a fixed sentence."""
    defaults = {each.__name__: each.default_sentence for each in error_classes()}
    for folder in ("bot", "adapters", "sandbox"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id not in defaults or any(keyword.arg is None for keyword in node.keywords):
                    continue
                facts = {str(keyword.arg): keyword.value for keyword in node.keywords}
                sentence = facts.pop("sentence", ast.Constant(defaults[node.func.id]))
                if isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
                    yield f"{file.name}:{node.lineno}", node.func.id, sentence.value, set(facts)


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_every_language_has_every_sentence_with_the_same_facts(language: str) -> None:
    english = {key: placeholders(sentence) for key, sentence in table("en").items()}

    assert {key: placeholders(sentence) for key, sentence in table(language).items()} == english


def test_there_is_more_than_one_language() -> None:
    assert "de" in languages()


@pytest.mark.parametrize("error", error_classes())
def test_every_error_has_a_sentence(error: type[BotError]) -> None:
    assert error.default_sentence in table("en")


def test_every_sentence_raised_in_the_code_exists_and_gets_its_facts() -> None:
    english = table("en")
    for place, error, key, facts in raised_in_code():
        known = facts | OF_EVERY_ERROR | (OF_ATTACHMENTS if error == "AttachmentRefused" else set())
        assert key in english, f"{place} says {key}"
        assert placeholders(english[key]) <= known, f"{place} says {key} without all its facts"


def test_every_sentence_said_in_the_code_exists() -> None:
    english = table("en")
    said = {
        key
        for file in (ROOT / "bot").rglob("*.py")
        for key in re.findall(r"say\([\w.]+, [\"'](\w+)[\"']", file.read_text("utf-8"))
    }

    assert said
    assert said <= set(english)


def test_a_locale_picks_its_language_and_an_unknown_one_gets_english() -> None:
    assert say("de-AT", "reading", name="a.csv") == "Lese a.csv"
    assert say("de_DE", "reading", name="a.csv") == "Lese a.csv"
    assert say("tlh", "reading", name="a.csv") == "Reading a.csv"


def test_a_forgotten_fact_does_not_cost_the_sentence() -> None:
    assert say("en", "reading") == "Reading …"


def test_a_file_name_with_braces_is_only_a_name() -> None:
    assert say("en", "reading", name="{limit}.csv") == "Reading {limit}.csv"


def test_an_error_is_explained_without_its_details() -> None:
    error = SandboxNotReady("/var/run/docker.sock: permission denied", mend="make image")

    sentence = explain("en", error, contact="")

    assert "make image" in sentence
    assert "docker.sock" not in sentence
    assert "the person who runs this bot" in sentence


def test_facts_of_the_error_win_over_those_of_the_caller() -> None:
    error = AttachmentRefused("x", sentence="attachment_over_limit", limit="5 MB")

    assert (
        explain("en", error, contact="", name="a.csv", limit="50 MB")
        == "a.csv is larger than the limit here, 5 MB."
    )


@pytest.mark.parametrize(
    ("size_bytes", "en", "de"),
    [
        (0, "0 B", "0 B"),
        (1023, "1023 B", "1023 B"),
        (1536, "1.5 KB", "1,5 KB"),
        (61 * 1024**2, "61 MB", "61 MB"),
        (50 * 1024**2 + 1, "50.1 MB", "50,1 MB"),
        (3 * 1024**4, "3072 GB", "3072 GB"),
    ],
)
def test_sizes_are_written_as_people_write_them(size_bytes: int, en: str, de: str) -> None:
    assert size("en", size_bytes) == en
    assert size("de", size_bytes) == de
