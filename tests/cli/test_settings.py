"""Settings: from the environment and .env, and what is said of a bad one."""

from pathlib import Path

import pytest

from bot import settings_page
from bot.config import Settings, SettingsRefused, load
from tests.cli.conftest import ROOT, Program

KEY = "sk-not-for-anyone"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused) as refused:
        load()
    return str(refused.value)


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    settings = load()

    assert not settings.has_endpoint
    assert settings.endpoint_host == "api.openai.com"
    assert settings.data_dir == tmp_path / ".local" / "share" / "plotline"


def test_the_data_home_of_the_desktop_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")

    assert load().data_dir == Path("/srv/data/plotline")


def test_a_dotenv_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\nMODEL_NAME=small\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("MODEL_NAME", "large")

    settings = load()

    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == KEY
    assert settings.model_name == "large"


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_value_counts_as_none(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", empty)
    monkeypatch.setenv("MODEL_CONTEXT_TOKENS", empty)

    assert not load().has_endpoint
    assert load().model_context_tokens is None


def test_a_key_loses_the_line_break_it_was_read_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")

    key = load().openai_api_key

    assert key is not None
    assert key.get_secret_value() == KEY


def test_a_key_is_not_in_what_the_settings_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    assert KEY not in f"{load()} {load()!r}"


def test_one_bound_can_be_set_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load().limits
    monkeypatch.setenv("LIMITS__CELL_SECONDS", "7")

    assert load().limits == before.model_copy(update={"cell_seconds": 7})


def test_closed_sets_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_API", "Chat")
    monkeypatch.setenv("LOG_LEVEL", "INFO")

    assert (load().model_api, load().log_level) == ("chat", "info")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MODEL_API", "foo", "MODEL_API is 'foo'; it should be 'auto', 'responses' or 'chat'."),
        ("MODEL_CONTEXT_TOKENS", "many", "MODEL_CONTEXT_TOKENS is 'many'; it should be a whole number."),
        ("LIMITS__CELLS", "0", "LIMITS__CELLS is '0'; it should be greater than 0."),
        ("LIMITS__CELL", "3", "There is no setting LIMITS__CELL; did you mean LIMITS__CELLS?"),
        ("MODEL_SCRIPT", "/not/there", "MODEL_SCRIPT is '/not/there'; there is no such file."),
    ],
)
def test_a_bad_value_is_answered_with_a_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    assert refusal(monkeypatch, **{name: value}) == said


def test_a_bad_address_is_not_repeated_since_it_may_hold_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, OPENAI_BASE_URL="user:hunter2@host/v1")

    assert said.startswith("OPENAI_BASE_URL cannot be used: it should begin with http:// or https://")
    assert "hunter2" not in said


def test_the_host_of_an_endpoint_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:hunter2@models.example:8000/v1")

    assert load().endpoint_host == "models.example"


def test_a_dotenv_file_that_is_not_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe")

    assert ".env" in refusal(monkeypatch)


@pytest.mark.parametrize(
    ("variable", "value", "locale"),
    [
        ("LANG", "de_AT.UTF-8", "de-AT"),
        ("LC_ALL", "ja_JP", "ja-JP"),
        ("LANG", "C.UTF-8", "en"),
        ("LANG", "", "en"),
    ],
)
def test_the_locale_is_the_systems(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, locale: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert load().locale == locale


def test_the_time_zone_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Vienna")

    assert load().time_zone == "Europe/Vienna"


def test_two_data_directories_do_not_share_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    one = load().deployment
    monkeypatch.setenv("DATA_DIR", "/elsewhere")

    assert load().deployment != one


def test_the_settings_page_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_page.page()


def test_every_setting_and_bound_is_explained() -> None:
    page = settings_page.page()

    assert "|  |\n" not in page


def test_the_program_ends_with_2_and_says_which_setting_is_bad(plotline: Program) -> None:
    plotline.write(".env", "MODEL_DATA=some\nOPENAI_API_KEY=" + KEY)

    done = plotline.run("ask", "Hello?")

    assert done.code == 2
    assert done.stderr == "plotline: MODEL_DATA is 'some'; it should be 'full' or 'schema'.\n"
    assert done.stdout == ""
