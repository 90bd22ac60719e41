"""What the model reads of a cell."""

from dataclasses import replace

from bot.execution import CellError, Execution, Outcome
from bot.results import TEXT_CHARACTERS, for_model
from tests.fakes.ports import artifact, failed, printed


def test_a_result_says_how_the_cell_ended_what_it_printed_and_what_it_left() -> None:
    execution = replace(
        printed("3.5\n"),
        artifacts=(artifact("sales.png", alt_text="Line chart of sales"),),
        changed_files=("out.csv",),
        notes=("Two processes were ended.",),
    )

    text = for_model("x", execution, "full")

    assert text == (
        "[ok, 0.1 s]\n3.5\nTwo processes were ended.\nFiles written: out.csv\n"
        "People get with your answer: sales.png (7 bytes): Line chart of sales"
    )


def test_every_outcome_reads_differently() -> None:
    texts = {for_model("x", Execution(outcome, "", 1.0), "full") for outcome in Outcome}

    assert len(texts) == len(Outcome)


def test_lost_variables_are_named() -> None:
    execution = replace(printed(""), lost_variables=("df", "total"))

    assert "gone: df, total." in for_model("x", execution, "full")


def test_long_output_keeps_head_and_tail_and_what_comes_after_it() -> None:
    execution = replace(printed("a" * 50_000 + "the end"), changed_files=("out.csv",))

    text = for_model("x", execution, "full")

    assert len(text) <= TEXT_CHARACTERS
    assert "characters left out" in text
    assert "the end" in text
    assert "Files written: out.csv" in text


def test_thousands_of_files_do_not_push_the_output_out() -> None:
    execution = replace(
        printed("result"), changed_files=tuple(f"part-{number}.csv" for number in range(5000))
    )

    text = for_model("x", execution, "full")

    assert len(text) <= TEXT_CHARACTERS
    assert "\nresult\n" in text


def test_under_schema_no_value_gets_through() -> None:
    traceback = "Cell In[1], line 3\nKeyError: 'CANARY'"
    execution = Execution(
        Outcome.RAISED,
        "CANARY\n[12 rows x 3 columns]",
        0.2,
        error=CellError("KeyError", "'CANARY'", traceback),
        artifacts=(artifact("CANARY.png", alt_text="CANARY"), artifact("all.png")),
        notes=("CANARY.bin did not fit.",),
        changed_files=("CANARY.csv", "all.csv"),
        removed_files=("CANARY.txt",),
        lost_variables=("CANARY",),
    )

    text = for_model("save('all.csv'); plot('all.png')", execution, "schema")

    assert "CANARY" not in text
    assert "KeyError in line 3" in text
    assert "12 rows x 3 columns" in text
    assert "all.csv" in text
    assert "all.png" in text


def test_under_schema_an_exception_cannot_carry_a_sentence_in_its_name() -> None:
    execution = failed("the customer is CANARY")

    assert "CANARY" not in for_model("x", execution, "schema")
