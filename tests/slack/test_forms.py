"""Forms, the Home tab and suggested prompts fit what Slack takes, in each language."""

import pytest

from adapters.slack import forms
from adapters.slack.forms import About
from tests.fakes.slack.rules import check_view

LOCALES = ["en", "de"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_view_is_taken(locale: str) -> None:
    about = About("slack:T1:C1:1790000000.000100", "C1", "1790000000.000100")
    check_view(forms.ask_form(locale))
    for code in ("", "x = 1", "x = 1\n" * 1000):
        check_view(forms.code_form(code, about, locale))
    check_view(forms.home("help " * 1000, "usage " * 1000, "introduction " * 1000, locale))


@pytest.mark.parametrize("locale", LOCALES)
def test_as_many_prompts_are_suggested_as_slack_takes(locale: str) -> None:
    assert 1 <= len(forms.prompts(locale)) <= 4
    assert all(each["title"] and each["message"] for each in forms.prompts(locale))
