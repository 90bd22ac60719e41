"""What of a thread goes into a request."""

from datetime import UTC, datetime
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from bot.compaction import fit, permitted
from bot.execution import Picture
from bot.transcript import (
    Digest,
    Entry,
    Prompt,
    Reply,
    Round,
    ToolCall,
    ToolResult,
    Upload,
    pictures_of,
    tokens_of,
)


def question(text: str, *names: str, pictures: int = 0) -> Round:
    uploads = tuple(Upload(name, "0", datetime(2026, 3, 2, tzinfo=UTC)) for name in names)
    return (Prompt(text, tuple(picture(number) for number in range(pictures)), uploads),)


def answer(text: str) -> Round:
    return (Reply(text),)


def cell(code: str, result: str, pictures: int = 0) -> Round:
    images = tuple(picture(number) for number in range(pictures))
    return (Reply("", (ToolCall("1", "run_python", code),)), ToolResult("1", result, images))


def picture(number: int) -> Picture:
    return Picture(f"chart-{number}.png", "image/png", b"png")


def test_a_short_thread_goes_in_whole() -> None:
    rounds = [question("one?"), answer("One."), question("two?")]

    assert fit(rounds, 1000, pictures=0) == list(chain(*rounds))


def test_the_oldest_rounds_become_one_digest_that_names_questions_answers_and_files() -> None:
    rounds = [
        question("How many?", "a.csv"),
        answer("Seven."),
        *[cell("x", "y" * 900)] * 9,
        question("And now?"),
    ]

    digest, *rest = fit(rounds, 1200, pictures=0)

    assert isinstance(digest, Digest)
    assert "Asked: How many?" in digest.text
    assert "Answered: Seven." in digest.text
    assert "Files from people: a.csv" in digest.text
    assert rest[-1] == Prompt("And now?")


def test_the_question_stays_while_the_cells_run_for_it_are_left_out() -> None:
    rounds = [question("Sum?", "a.csv"), *(cell(f"step({number})", "z" * 2000) for number in range(9))]

    entries = fit(rounds, 2000, pictures=0)

    assert isinstance(entries[0], Digest)
    assert "Ran: step(0)" in entries[0].text
    assert entries[1] == rounds[0][0]
    assert tuple(entries[-2:]) == rounds[-1]


def test_a_result_that_is_too_long_alone_is_shortened_and_its_call_stays() -> None:
    rounds = [question("Sum?"), cell("print(everything)", "z" * 90_000)]

    entries = fit(rounds, 1500, pictures=0)

    assert entries[0] == Prompt("Sum?")
    assert isinstance(entries[1], Reply)
    assert isinstance(entries[2], ToolResult)
    assert "characters left out" in entries[2].text
    assert tokens_of(entries) <= 1500


def test_the_cut_stays_where_it_is_while_the_thread_grows_a_little() -> None:
    rounds = [question(f"{number} " + "q" * 350) for number in range(60)]

    beginnings = {fit(rounds[:length], 2000, pictures=0)[0].text for length in range(40, 60)}

    assert len(beginnings) <= 4


def test_only_the_newest_pictures_are_shown_and_the_others_are_named() -> None:
    rounds = [question("Look", pictures=2), cell("plot()", "done", pictures=2), question("And?")]

    entries = fit(rounds, 100_000, pictures=3)

    assert pictures_of(entries) == 3
    assert isinstance(entries[0], Prompt)
    assert entries[0].text == "Look\n[Not shown any more: chart-0.png]"
    assert [each.name for each in entries[0].pictures] == ["chart-1.png"]


def test_under_schema_nothing_goes_out_that_was_said_while_values_were_allowed() -> None:
    old = [question("secret?"), answer("secret!")]
    new: list[Round] = [(Prompt("types?", data="schema"),), answer("int"), (Prompt("more?", data="schema"),)]

    assert permitted([*old, *new], "schema") == new
    assert permitted([*new[:2], *old, *new[2:]], "schema") == new[2:]
    assert permitted([*old, *new], "full") == [*old, *new]


texts = (
    st.text(max_size=60) | st.integers(0, 30_000).map("x".__mul__) | st.integers(0, 5_000).map("売".__mul__)
)
questions = st.builds(question, texts, pictures=st.integers(0, 4))
cells = st.builds(cell, texts, texts, st.integers(0, 3))
threads = st.builds(
    lambda before, last, after: [*before, last, *after],
    st.lists(questions | cells | st.builds(answer, texts), max_size=12),
    questions,
    st.lists(cells, max_size=6),
)
rooms = st.integers(600, 20_000)


@given(threads, rooms, st.integers(0, 8))
def test_a_request_always_fits(rounds: list[Round], room: int, pictures: int) -> None:
    entries = fit(rounds, room, pictures=pictures)

    assert tokens_of(entries) <= room
    assert pictures_of(entries) <= pictures


@given(threads, rooms)
def test_no_round_is_ever_split(rounds: list[Round], room: int) -> None:
    entries = fit(rounds, room, pictures=8)

    for number, entry in enumerate(entries):
        if isinstance(entry, Reply) and entry.tool_calls:
            assert isinstance(entries[number + 1], ToolResult)
        if isinstance(entry, ToolResult):
            assert isinstance(entries[number - 1], Reply)
    assert sum(isinstance(entry, Digest) for entry in entries) <= 1


@given(threads, rooms)
def test_the_last_question_always_stays(rounds: list[Round], room: int) -> None:
    entries = fit(rounds, room, pictures=8)

    last = [entry for entry in chain(*rounds) if isinstance(entry, Prompt)][-1]
    kept = [entry for entry in entries if isinstance(entry, Prompt)][-1]
    assert kept.text.startswith(last.text[:20])


def test_the_same_rounds_give_the_same_request() -> None:
    rounds: list[Round] = [question("q" * 500), *[cell("c" * 300, "r" * 3000)] * 8]

    def made() -> list[Entry]:
        return fit(rounds, 2500, pictures=4)

    assert made() == made()
