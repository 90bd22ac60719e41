"""Text that is shown while it is written: at no moment does it call anybody, or lead anywhere."""

import re

from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.safe import quiet
from adapters.slack.written import closing_fence, opening_fence, showable, weight
from tests.slack.test_safe import leads_to

PIECES = [
    "word ",
    "<!channel> ",
    "<@U2> ",
    "@here ",
    "[label](https://evil.test/?q=1) ",
    "![a b](https://evil.test/x.png)",
    "https://evil.test/a ",
    "<https://evil.test|x> ",
    "`code with space` ",
    "`",
    "[",
    "](",
    "\n",
    "```\n",
    "www.evil.test ",
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def streamed(text: str, steps: list[int]) -> str:
    """What stands there in the end, when it was appended to in these steps."""
    there = ""
    for end in [*sorted(min(step, len(text)) for step in steps), len(text)]:
        shown = showable(text[:end], is_whole=end == len(text))
        if shown.startswith(there):
            there = shown
    return there


@given(texts, st.lists(st.integers(0, 300), max_size=30))
def test_nobody_is_called(text: str, steps: list[int]) -> None:
    there = streamed(text, steps)

    assert quiet(there) == there


@given(texts, st.lists(st.integers(0, 300), max_size=30))
def test_nothing_is_a_link(text: str, steps: list[int]) -> None:
    assert leads_to(streamed(text, steps)) == []


@given(st.text(), st.lists(st.integers(0, 300), max_size=30))
def test_plain_words_all_appear(text: str, steps: list[int]) -> None:
    plain = re.sub(r"[<>@\[\]()`~:/]|www\.", "", text, flags=re.IGNORECASE)

    assert streamed(plain, steps) == plain


def test_a_word_appears_once_it_is_whole() -> None:
    assert showable("The sum is 5", is_whole=False) == "The sum is "
    assert showable("The sum is 5", is_whole=True) == "The sum is 5"


def test_code_is_closed_and_opened_again() -> None:
    text = "Here:\n```python title=x\nprint(1)\n"

    assert closing_fence(text) == "```"
    assert opening_fence(text) == "```python title=x"
    assert closing_fence("Here.") == opening_fence("Here.") == ""


def test_what_cards_say_counts_double() -> None:
    card = {"type": "task_update", "id": "1", "title": "ab", "status": "complete", "output": "ä"}

    assert weight([{"type": "markdown_text", "text": "äb"}, card]) == 3 + 2 * 4
