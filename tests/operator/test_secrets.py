"""Secrets lie in files where the environment says so: no process list and no inspection of a container shows them."""

from pathlib import Path

import pytest

from bot.config import SettingsRefused, load


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_secret_is_read_from_its_file_without_its_line_break(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n")
    (tmp_path / "url").write_text("postgresql+psycopg://bot:secret@db/plotline\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))

    settings = load()

    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-from-a-file"
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@db/plotline")
    assert "sk-from-a-file" not in f"{settings!r}"


def test_the_variable_itself_goes_before_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")

    key = load().openai_api_key

    assert key is not None
    assert key.get_secret_value() == "sk-from-the-environment"


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY_FILE", "/run/secrets/none")

    with pytest.raises(SettingsRefused, match="OPENAI_API_KEY_FILE is '/run/secrets/none'"):
        load()


def test_only_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("a-model")
    monkeypatch.setenv("MODEL_NAME_FILE", str(tmp_path / "name"))

    assert load().model_name is None
