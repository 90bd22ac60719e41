"""Texts that stand for nothing, for yes or no, or for a time of day. Pure, standard library only."""

import re

MISSING = frozenset(
    {
        "", "-", "--", "---", "–", "—", "?", ".", "..", "...", "n/a", "na", "#n/a", "nan", "null", "none", "nil",
        "n.a.", "k.a.", "k. a.", "n.v.", "leer", "missing", "(blank)", "<na>", "\\n", "n.d.", "s/d", "s.o.",
    }
)  # fmt: skip
"""In lower case."""
PANDAS_MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
        "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html, na_values."""
TRUTHS = frozenset(
    {"true", "false", "yes", "no", "ja", "nein", "wahr", "falsch", "oui", "non", "sí", "vrai", "faux"}
)

_CLOCK = re.compile(r"\d{1,3}:[0-5]\d(:[0-5]\d([.,]\d+)?)?( ?[AaPp][Mm])?")


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def is_truth(text: str) -> bool:
    return text.strip().lower() in TRUTHS


def is_clock(text: str) -> bool:
    return bool(_CLOCK.fullmatch(text.strip()))
