"""What pieces of text in tables stand for: numbers and dates of many ways of writing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest.jobs.profiles.dates import date_text, read_dates
from sandbox.guest.jobs.profiles.numbers import (
    KNOWN_MARKS,
    PLAIN,
    Marks,
    allowed_marks,
    has_leading_zero,
    number_text,
    parse_number,
    read_numbers,
)
from sandbox.guest.jobs.profiles.values import is_missing
from tests.guest.reports import written

AMOUNTS = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30, unique=True)
DAYS = st.lists(st.dates(date(1970, 1, 1), date(2068, 12, 31)), min_size=1, max_size=40, unique=True)


@given(AMOUNTS, st.sampled_from(KNOWN_MARKS))
def test_numbers_written_with_cents_are_read_back_whatever_the_marks(cents: list[int], marks: Marks) -> None:
    texts = [written(each, marks) for each in cents]

    numbers = read_numbers(texts)

    assert numbers is not None
    assert numbers.misfits == ()
    assert numbers.other is None
    assert [parse_number(text, numbers.marks) for text in texts] == [each / 100 for each in cents]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, unique=True))
def test_whole_numbers_are_plain(numbers: list[int]) -> None:
    found = read_numbers(map(str, numbers))

    assert found is not None
    assert (found.marks, found.other) == (PLAIN, None)


@pytest.mark.parametrize(
    ("text", "marks", "value"),
    [
        ("1.234,56", Marks(",", "."), 1234.56),
        ("1,234.56", Marks(".", ","), 1234.56),
        ("12,34,567.50", Marks(".", ","), 1234567.5),
        ("1 234,56", Marks(",", " "), 1234.56),
        ("1\u202f234,56", Marks(",", " "), 1234.56),
        ("1’234.56", Marks(".", "'"), 1234.56),
        ("€ 1.234,56", Marks(",", "."), 1234.56),
        ("1.234,56 EUR", Marks(",", "."), 1234.56),
        ("Fr. 12.50", PLAIN, 12.5),
        ("12,5 %", Marks(",", ""), 12.5),
        ("(1,234.50)", Marks(".", ","), -1234.5),
        ("12.50-", PLAIN, -12.5),
        ("−4.25", PLAIN, -4.25),
        ("$-5", PLAIN, -5),
        (".5", PLAIN, 0.5),
        ("1.5e3", PLAIN, 1500),
    ],
)
def test_a_number_is_read(text: str, marks: Marks, value: float) -> None:
    assert marks in allowed_marks(text)
    assert parse_number(text, marks) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1.2.3",
        "192.168.0.1",
        "12 apples",
        "1-2",
        "03.04.2026",
        "--5",
        "1,23,4",
        "+49 351 123456",
        "(5",
    ],
)
def test_other_texts_are_no_numbers(text: str) -> None:
    assert allowed_marks(text) == ()


def test_thousands_that_could_be_decimals_are_told() -> None:
    numbers = read_numbers(["1.234", "5.678"])

    assert numbers is not None
    assert numbers.other == Marks(",", ".")


def test_one_telling_value_settles_a_column() -> None:
    numbers = read_numbers(["1.234", "5.678", "9,5"])

    assert numbers is not None
    assert (numbers.marks, numbers.other) == (Marks(",", "."), None)


def test_a_zero_before_the_mark_makes_it_a_decimal_one() -> None:
    numbers = read_numbers(["0,125", "3,250"])

    assert numbers is not None
    assert (numbers.marks, numbers.other) == (Marks(",", ""), None)


def test_numbers_in_two_ways_of_writing_are_told() -> None:
    numbers = read_numbers(["1,234.50", "2,000.25", "3.100,75"])

    assert numbers is not None
    assert numbers.misfits == ("3.100,75",)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading(text: str) -> None:
    for marks in allowed_marks(text):
        assert parse_number(text, marks) is not None
    number_text(text)
    date_text(text)
    is_missing(text)
    has_leading_zero(text)


@given(
    DAYS,
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d", "%d %b %Y", "%b %d, %Y", "%d-%B-%Y"]),
)
def test_dates_that_leave_no_doubt_are_read_back(days: list[date], form: str) -> None:
    texts = [day.strftime(form) for day in days]

    dates = read_dates(texts)

    assert dates is not None
    assert dates.misfits == ()
    assert dates.other is None
    # May is a short and a long name at once.
    assert dates.format.replace("%B", "%b") == form.replace("%B", "%b")


@given(DAYS, st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"]))
def test_the_order_of_day_and_month_is_known_or_said_to_be_unknown(days: list[date], form: str) -> None:
    dates = read_dates(day.strftime(form) for day in days)

    assert dates is not None
    assert dates.misfits == ()
    assert form in {dates.format, dates.other}
    if any(day.day > 12 for day in days):
        assert (dates.format, dates.other) == (form, None)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-03-04T12:30:00Z", "%Y-%m-%dT%H:%M:%S%z"),
        ("2026-03-04 12:30:00.125", "%Y-%m-%d %H:%M:%S.%f"),
        ("31/12/2026 11:59 PM", "%d/%m/%Y %I:%M %p"),
        ("31.12.2026 23:59", "%d.%m.%Y %H:%M"),
    ],
)
def test_times_belong_to_the_format(text: str, form: str) -> None:
    found = date_text(text)

    assert found is not None
    assert found.formats == (form,)


@pytest.mark.parametrize(
    "text", ["2026-13-01", "31.02.2026", "99/99/2026", "1.2.3", "2026", "Mar 2026", "3 Foo 2026"]
)
def test_what_is_on_no_calendar_is_no_date(text: str) -> None:
    assert date_text(text) is None


@pytest.mark.parametrize(
    ("text", "code"), [("01067", True), ("0", False), ("0.5", False), ("10", False), ("00", True)]
)
def test_codes_are_known_by_their_zero(text: str, code: bool) -> None:
    assert has_leading_zero(text) is code
