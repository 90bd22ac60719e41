"""What the model writes can neither call people nor send them, or anything, somewhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.slack.safe import hosts_in, quiet, safe

KNOWN = {"example.com"}


@pytest.mark.parametrize(
    "text",
    ["<!channel>", "<!here|here>", "<!everyone>", "<!subteam^S1>", "<@U2>", "<@W2|x>", "<#C1>", "`<!here>`"],
)
def test_mentions_are_broken(text: str) -> None:
    assert quiet(text).replace("\u200b", "") == text
    assert "<!" not in quiet(text)
    assert "<@" not in quiet(text)
    assert "<#" not in quiet(text)


@pytest.mark.parametrize("text", ["@channel look", "@here", "(@everyone)"])
def test_calls_are_broken(text: str) -> None:
    assert "@\u200b" in quiet(text)


@pytest.mark.parametrize(
    "text", ["<!DOCTYPE html>", "a@here.com", "x <- y", "#include <stdio.h>", "@pytest.fixture", "a < b > c"]
)
def test_code_and_addresses_stay(text: str) -> None:
    assert quiet(text) == text


def test_the_asker_may_be_called() -> None:
    assert quiet("<@U1> <@U2>", "U1") == "<@U1> <\u200b@U2>"


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("[ok](https://example.com/a)", "[ok](https://example.com/a)"),
        ("[ok](https://EXAMPLE.com:8080/a)", "[ok](https://EXAMPLE.com:8080/a)"),
        ("see https://example.com/a.", "see https://example.com/a."),
        ("[click](https://evil.test/?d=1)", "click (`https://evil.test/?d=1`)"),
        ("![](https://evil.test/x.png)", "`https://evil.test/x.png`"),
        ("![chart](https://example.com/x.png)", "[chart](https://example.com/x.png)"),
        ("https://evil.test/x_(y)?z.", "`https://evil.test/x_(y)?z`."),
        ("<https://evil.test>", "`https://evil.test`"),
        ("www.evil.test/x", "`www.evil.test/x`"),
        ("[a](https://example.com@evil.test/)", "a (`https://example.com@evil.test/`)"),
        ("evil.test/?q=1 but pd.read_csv and data.csv/x", "`evil.test/?q=1` but pd.read_csv and data.csv/x"),
        ("[a](slack://x)", "a (`slack://x`)"),
        ("[a](javascript:x)", "a (`javascript:x`)"),
        ("[x][1]\n\n[1]: https://evil.test", "[x][1]\n\n[1]: `https://evil.test`"),
        ("`https://evil.test`", "`https://evil.test`"),
        ("```\nhttps://evil.test\n```", "```\nhttps://evil.test\n```"),
    ],
)
def test_only_links_to_named_hosts_are_links(markdown: str, shown: str) -> None:
    assert safe(markdown, KNOWN).replace("\u200b", "") == shown


def test_hosts_are_found_in_what_people_write() -> None:
    text = "look at https://Example.com/x and [this](http://a.test:80/y) and www.b.test/, or `https://c.test`"

    assert hosts_in(text) == {"example.com", "a.test", "www.b.test", "c.test"}


def leads_to(markdown: str) -> list[str]:
    """Addresses outside of code: as links, as pictures, or bare."""
    inline = [child for token in MarkdownIt().parse(markdown) for child in token.children or ()]
    targets = [str(child.attrs.get("href") or child.attrs.get("src") or "") for child in inline]
    bare = [
        word
        for child in inline
        if child.type == "text"
        for word in re.findall(r"https?://|www\.", child.content)
    ]
    return [*(target for target in targets if "evil" in target and "%E2%80%8B" not in target), *bare]


@pytest.mark.parametrize(
    "text",
    [
        "` https://evil.test",
        "`[a](https://evil.test)",
        "\\` https://evil.test \\`",
        "x ` y\nz `https://evil.test` w",
        "` a\n\nhttps://evil.test `",
        "- ` a\n- https://evil.test `",
        "| ` | https://evil.test ` |\n|---|---|",
        "`` a ` https://evil.test ``` b",
        "[[[a]]](https://evil.test)",
        "[a\nb](https://evil.test)",
        "[a](https&#58;//evil.test)",
        "[a](https:\\//evil.test)",
        "[a](//evil.test)",
        "[x]\n\n[x]: https://evil.test",
        "[x]\n\n[x]:\n  <https://evil.test>",
        "```\ncode\n```\n` https://evil.test",
        "HTTPS://EVIL.test/evil",
    ],
)
def test_no_odd_markdown_makes_a_link_of_it(text: str) -> None:
    assert leads_to(safe(text, KNOWN)) == []


@given(
    st.lists(
        st.sampled_from(
            [
                "`",
                "``",
                "\\",
                "\n",
                "\n\n",
                "- ",
                "| ",
                "[a](",
                ")",
                "https://evil.test/x",
                " ",
                "[",
                "]",
                "<",
                ">",
                "```\n",
                "    ",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_no_markdown_at_all_makes_a_link_of_it(text: str) -> None:
    assert leads_to(safe(text, KNOWN)) == []


@given(st.text("<>!@#[]()`\n \\|:/.htpsx~"))
def test_nothing_is_too_odd(text: str) -> None:
    safe(text, KNOWN)


@given(st.text())
def test_nothing_but_links_changes(text: str) -> None:
    if "://" not in text and "www." not in text.lower() and "](" not in text:
        assert safe(text, KNOWN).replace("\u200b", "") == text.replace("\u200b", "")
