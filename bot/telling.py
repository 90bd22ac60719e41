"""What people are told on a click or a command: text, in their language. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.budgets import Standing
from bot.composing import fenced
from bot.forgetting import Forgotten
from bot.house import House
from bot.local_time import local
from bot.messages import Author, ThreadId
from bot.policy import Narrowed
from bot.sentences import number, say, size

FILES_LISTED = 50


def introduction(locale: str, house: House) -> str:
    """Which host receives what, how long it is kept, who runs it."""
    contact = house.contact or say(locale, "operator")
    kept = (
        say(locale, "introduction_kept", days=house.retention_days)
        if house.retention_days
        else say(locale, "introduction_kept_for_ever")
    )
    sent = say(locale, f"introduction_{house.data}", endpoint=house.endpoint)
    return "\n".join(
        [say(locale, "introduction"), sent, kept, say(locale, "introduction_contact", contact=contact)]
    )


def code(codes: Sequence[str]) -> str:
    """Empty where nothing was run."""
    return "\n\n".join(fenced(each, "python") for each in codes)


def usage(author: Author, standings: Sequence[Standing]) -> str:
    locale = author.locale
    lines = []
    for each in standings:
        # What all others use is nobody's business.
        if each.whose != "user":
            continue
        used = number(locale, each.used)
        most = say(locale, "usage_unlimited") if each.most is None else number(locale, each.most)
        until = f"{local(author, each.until):%Y-%m-%d %H:%M}"
        lines.append(say(locale, f"usage_{each.what}", used=used, most=most, until=until))
    return "\n".join(lines)


def files(locale: str, lying: Mapping[str, Mapping[str, Any]]) -> str:
    shown = sorted(name for name in lying if not name.startswith("."))
    if not shown:
        return say(locale, "files_none")
    lines = [f"- {name}  {size(locale, int(lying[name]['size_bytes']))}" for name in shown[:FILES_LISTED]]
    more = [f"… {len(shown) - FILES_LISTED}"] if len(shown) > FILES_LISTED else []
    return "\n".join([say(locale, "files_lying"), *lines, *more])


def settings(locale: str, narrowed: Narrowed) -> str:
    """What a team or guild has decided for itself."""
    lines = [
        f"- {kind}: {', '.join(f'{id_} {yes if allowed else no}' for id_, allowed in listed.items())}"
        for kind, listed in (
            (say(locale, "settings_channels"), narrowed.channels),
            (say(locale, "settings_roles"), narrowed.roles),
            (say(locale, "settings_people"), narrowed.users),
        )
        if listed
        for yes, no in [("✓", "✗")]
    ]
    lines += [
        f"- {say(locale, f'settings_{what}')}: {number(locale, amount)}"
        for what, amount in narrowed.a_day.items()
    ]
    return "\n".join([say(locale, "settings_narrowed"), *lines]) if lines else say(locale, "settings_none")


def rating(value: str, thread: ThreadId, turn: str) -> str:
    """For operators: where, and no word of what was said."""
    return f"{'👍' if value == 'good' else '👎'} {turn} ({thread})"


def forgotten(locale: str, what: Forgotten) -> str:
    return say(locale, "forgotten", turns=what.turns, files=what.files)
