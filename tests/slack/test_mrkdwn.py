"""What people write in Slack, as Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.mrkdwn import Json, escape, from_markdown, rich_text_to_markdown, to_markdown, unescape


@pytest.mark.parametrize(
    ("mrkdwn", "markdown"),
    [
        ("plain", "plain"),
        ("*bold* and _slanted_ and ~gone~", "**bold** and _slanted_ and ~~gone~~"),
        ("2*3*4 and a_b_c", "2*3*4 and a_b_c"),
        ("x &lt; y &amp;&amp; y &gt; z", "x < y && y > z"),
        ("&amp;lt;", "&lt;"),
        ("<https://example.com/a_b_c?x=*y*|the *source*>", "[the *source*](https://example.com/a_b_c?x=*y*)"),
        ("<https://example.com?a=1&amp;b=2>", "https://example.com?a=1&b=2"),
        ("<http://example.com|http://example.com>", "http://example.com"),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("<@U2|bertram> in <#C1|general> and <#C2>", "@bertram in #general and #C2"),
        ("<!here> <!channel|channel> <!subteam^S1|@team>", "@here channel @team"),
        ("<!date^1392734382^{date}|Feb 18, 2014>", "Feb 18, 2014"),
        ("• one\n• two", "- one\n- two"),
        ("`a * b * c` and *b*", "`a * b * c` and **b**"),
        ("see ```x = 1\nif x &lt; 2: *p*``` end", "see \n```\nx = 1\nif x < 2: *p*\n```\n end"),
        ("`<https://example.com|example.com>`", "`example.com`"),
    ],
)
def test_mrkdwn_becomes_markdown(mrkdwn: str, markdown: str) -> None:
    assert to_markdown(mrkdwn) == markdown


@given(st.text())
def test_escaped_text_is_only_text(text: str) -> None:
    escaped = escape(text)

    assert "<" not in escaped
    assert unescape(escaped) == text


@given(st.text("<>|@#!*_~`&;lt\n x:/.0\0"))
def test_nothing_is_too_odd(text: str) -> None:
    to_markdown(text)


def rich(*elements: Json) -> list[Json]:
    return [{"type": "rich_text", "elements": list(elements)}]


def section(*elements: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(text: str, **style: bool) -> Json:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def test_rich_text_becomes_markdown() -> None:
    blocks = rich(
        section(text("Sum "), text("all ", bold=True), text("of"), text("a`b", code=True), text(":\n")),
        {"type": "rich_text_list", "style": "ordered", "elements": [section(text("one")), section(text("two"))]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section(text("inner"))]},
        {"type": "rich_text_preformatted", "elements": [text("x = 1\nif x < 2: pass")]},
        {"type": "rich_text_quote", "elements": [text("said\nso")]},
        section({"type": "user", "user_id": "U2"}, text(" "), {"type": "link", "url": "https://example.com"}),
    )  # fmt: skip

    assert rich_text_to_markdown(blocks) == (
        "Sum **all** of``a`b``:\n1. one\n2. two\n    - inner\n```\nx = 1\nif x < 2: pass\n```\n> said\n> so\n\n"
        "@U2 https://example.com"
    )


def test_an_emoji_is_itself_where_it_has_a_character() -> None:
    emoji = {"type": "emoji", "name": "thumbsup", "unicode": "1f44d-1f3fd"}

    assert rich_text_to_markdown(rich(section(emoji))) == "👍🏽"
    assert rich_text_to_markdown(rich(section({"type": "emoji", "name": "ours"}))) == ":ours:"


def test_other_blocks_are_left_to_the_text() -> None:
    assert rich_text_to_markdown([*rich(section(text("x"))), {"type": "image"}]) is None
    assert rich_text_to_markdown([]) is None


def test_our_own_markdown_can_be_shown_in_forms() -> None:
    markdown = "## Help\n\n- **Ask** [here](https://example.com/a) & `a * b`\n\n```python\nx < 1\n```"

    assert from_markdown(markdown) == (
        "*Help*\n\n• *Ask* <https://example.com/a|here> &amp; `a * b`\n\n```\nx &lt; 1\n```"
    )
