"""What the operator sets: from the environment, and what is said of a value that cannot be used."""

from pathlib import Path

import pytest

from bot.config import SettingsRefused, load
from bot.rules import BudgetLimits
from bot.sentences import number


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("written", "ids"),
    [("U1,U2", {"U1", "U2"}), (" U1 , U2 ,", {"U1", "U2"}), ("812", {"812"}), ("812 813", {"812", "813"})],
)
def test_ids_stand_apart_by_commas(monkeypatch: pytest.MonkeyPatch, written: str, ids: set[str]) -> None:
    monkeypatch.setenv("ALLOW__SLACK_USERS", written)
    monkeypatch.setenv("ALLOW__SLACK_GUESTS", "true")

    assert load().allow.slack_users == ids
    assert load().allow.slack_guests


def test_ids_are_read_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALLOW__DISCORD_GUILDS=812,813\nBUDGETS__USER_USD_A_DAY=0.5\n")

    assert load().allow.discord_guilds == {"812", "813"}
    assert load().budgets == BudgetLimits(user_usd_a_day=0.5)


def test_a_limit_can_be_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUDGETS__USD_A_MONTH", "none")
    monkeypatch.setenv("BUDGETS__DISCORD_RUNNING", "None")

    budgets = load().budgets

    assert (budgets.most("all", "usd"), budgets.running("discord")) == (None, None)


def test_every_person_and_the_installation_are_bounded_unless_it_is_lifted() -> None:
    for whose in ("user", "all"):
        for what in ("turns", "tokens", "usd", "seconds"):
            assert BudgetLimits().most(whose, what)  # type: ignore[arg-type]  # both are


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BUDGETS__USER_USD_A_DAY", "much", "BUDGETS__USER_USD_A_DAY is 'much'; it should be a number."),
        (
            "BUDGETS__USER_TURNS_A_DAY",
            "-1",
            "BUDGETS__USER_TURNS_A_DAY is '-1'; it should be greater than or",
        ),
        (
            "BUDGETS__USER_USD",
            "1",
            "There is no setting BUDGETS__USER_USD; did you mean BUDGETS__USER_USD_A_DAY?",
        ),
        (
            "ALLOW__SLACK_USER",
            "U1",
            "There is no setting ALLOW__SLACK_USER; did you mean ALLOW__SLACK_USERS?",
        ),
        ("ALLOW__SLACK_GUESTS", "perhaps", "ALLOW__SLACK_GUESTS is 'perhaps'; "),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsRefused) as refused:
        load()

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (0, "0", "0"),
        (100, "100", "100"),
        (0.5, "0.5", "0,5"),
        (2_000_000, "2,000,000", "2.000.000"),
        (1234.56, "1,234.56", "1.234,56"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: float, en: str, de: str) -> None:
    assert number("en", value) == en
    assert number("de-AT", value) == de
