"""What turns cost."""

import pytest

from bot.prices import cost_usd
from bot.transcript import Usage


def test_a_known_model_has_a_price() -> None:
    assert cost_usd(Usage(1_000_000, 0), "gpt-4.1") == pytest.approx(2.0)
    assert cost_usd(Usage(0, 1_000_000), "gpt-4.1") == pytest.approx(8.0)


def test_cached_input_is_cheaper() -> None:
    assert cost_usd(Usage(1_000_000, 0, 1_000_000), "gpt-4.1") == pytest.approx(0.5)


def test_an_endpoint_that_counts_more_cached_than_read_is_not_believed() -> None:
    assert cost_usd(Usage(1_000_000, 0, 2_000_000), "gpt-4.1") == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["gpt-99", "qwen3:8b", "deepseek-r1:7b", "gpt-oss:20b", "script", ""])
def test_an_unknown_model_has_none(name: str) -> None:
    assert cost_usd(Usage(100, 10), name) is None


def test_nothing_costs_nothing() -> None:
    assert cost_usd(Usage(), "gpt-4.1") == 0
