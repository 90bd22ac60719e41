"""Every fixed sentence that people read, one TOML file a language."""

import tomllib
from functools import cache
from importlib import resources

from bot.errors import BotError

FALLBACK = "en"
STEP = 1024
"""Between units: what everyone calls a megabyte is 1024² bytes here."""


def say(locale: str, key: str, /, **facts: str | int | float) -> str:
    """The sentence in the language of `locale` (BCP 47), or in English where we don't speak it."""
    sentence = _sentences(_language(locale))[key]
    return sentence.format_map(_Facts(facts))


def explain(locale: str, error: BotError, /, *, contact: str, **facts: str | int | float) -> str:
    """What people read when `error` ends their turn. `contact` is who runs this bot, "" if nobody said."""
    who = contact or say(locale, "operator")
    return say(locale, error.sentence, **{"contact": who, **facts, **error.facts})


def size(locale: str, size_bytes: int) -> str:
    """As people write it: `61 MB`, `1.5 GB`, in German `1,5 GB`. Rounded up, so that 50.01 is more than 50."""
    amount, units = float(size_bytes), ["B", "KB", "MB", "GB"]
    while amount >= STEP and len(units) > 1:
        amount /= STEP
        units.pop(0)
    tenths = int(-(-amount * 10 // 1))
    number = f"{tenths // 10}.{tenths % 10}".removesuffix(".0")
    return f"{number.replace('.', say(locale, 'decimal_mark'))} {units[0]}"


def number(locale: str, value: float) -> str:
    """As people write it: `2,000,000`, `4.5`; in German `2.000.000`, `4,5`. At most two decimals."""
    written = f"{value:,.2f}".rstrip("0").removesuffix(".")
    if say(locale, "decimal_mark") == ",":
        written = written.translate({ord(","): ".", ord("."): ","})
    return written


@cache
def languages() -> tuple[str, ...]:
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


class _Facts(dict[str, str | int | float]):
    def __missing__(self, key: str) -> str:
        # A fact that somebody forgot must not cost people the sentence.
        return "…"


def _language(locale: str) -> str:
    language = locale.replace("_", "-").split("-")[0].lower()
    return language if language in languages() else FALLBACK


@cache
def _sentences(language: str) -> dict[str, str]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text("utf-8"))
