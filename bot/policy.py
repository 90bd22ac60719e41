"""Who may have what, and where. Pure: decided by the visit, the operator's rules, and what is switched just now."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from pydantic import TypeAdapter

from bot.local_time import local
from bot.messages import Author
from bot.rules import Approvers, Rules, What
from bot.sentences import number, say
from bot.visits import Visit, Wish

PAUSE = "pause"
BLOCK = "block:"
SETTINGS = "settings:"


class Rule(StrEnum):
    """Why not. For logs and counts; people read the sentence."""

    PAUSED = auto()
    BLOCKED = auto()
    TEAM = auto()
    CHANNEL = auto()
    DIRECT_MESSAGES = auto()
    RUN = auto()
    BOTS = auto()
    EXTERNALS = auto()
    GUESTS = auto()
    PEOPLE = auto()
    ADMINISTER = auto()
    UNKNOWN = auto()
    """The platform has to be asked first who somebody is: see `Visit.is_guest` and `Visit.roles`."""
    COOLDOWN = auto()
    RUNNING = auto()
    BUDGET = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    rule: Rule
    sentence: str
    facts: Mapping[str, float] = field(default_factory=dict[str, float])
    until: datetime | None = None
    """When it may be asked for again, where that is known."""
    is_silent: bool = False
    """Nobody is to be answered."""

    def said(self, author: Author, contact: str) -> str:
        """What the asker reads. `contact` is who runs this bot, "" if nobody said."""
        who = contact or say(author.locale, "operator")
        return say(author.locale, self.sentence, contact=who, **self.facts_for(author))

    def facts_for(self, author: Author) -> dict[str, str]:
        """As they are written in the asker's language and time zone."""
        facts = {name: number(author.locale, value) for name, value in self.facts.items()}
        if self.until:
            facts["until"] = f"{local(author, self.until):%Y-%m-%d %H:%M %Z}"
        return facts


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What whoever manages a team or guild has decided for it. It only ever narrows what the operator allows."""

    channels: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """Whether the bot may be used there. Once one may, those that are not named may not."""
    roles: Mapping[str, bool] = field(default_factory=dict[str, bool])
    users: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """With the roles: once one may, those that are not named may not. What is said of a user counts more."""
    a_day: Mapping[What, float] = field(default_factory=dict[What, float])
    """For each person."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What is switched at the moment, as far as it concerns one visit."""

    is_paused: bool = False
    answers_while_paused: bool = True
    is_blocked: bool = False
    narrowed: Narrowed = field(default_factory=Narrowed)


def decide(visit: Visit, rules: Rules, switched: Switched) -> Refusal | None:
    """None where it may be."""
    place = _Place(visit, rules, switched.narrowed)
    for rule in ASKED[visit.wish]:
        refusal = _CHECKS[rule](place, switched)
        if refusal:
            return refusal
    return None


def serves(platform: str, team: str, rules: Rules) -> bool:
    """Whether the bot may be in that team or guild at all."""
    return team in rules.discord_guilds if platform == "discord" else platform == "slack"


def may_decide(visit: Visit, asker: str | None, approvers: Approvers) -> bool:
    """Whether they may say that code of `asker`'s question reaches a host."""
    return approvers != "off" and (visit.is_manager or (approvers == "asker" and visit.author.id == asker))


def somebody_may_decide(asking: Visit, approvers: Approvers) -> bool:
    """In direct messages there is nobody but who asks."""
    return may_decide(asking, asking.author.id, approvers) or (approvers == "managers" and not asking.in_dm)


def switches_for(visit: Visit) -> list[str]:
    """Names of all switches that `switched` wants the values of."""
    return [PAUSE, *block_names(visit.place, visit.author.id), settings_name(visit.place)]


def switched(visit: Visit, values: Mapping[str, str]) -> Switched:
    pause = json.loads(values[PAUSE]) if PAUSE in values else None
    return Switched(
        is_paused=pause is not None,
        answers_while_paused=not (pause and pause.get("silent")),
        is_blocked=any(name in values for name in block_names(visit.place, visit.author.id)),
        narrowed=narrowed_from(values.get(settings_name(visit.place))),
    )


def block_names(place: str, user: str) -> list[str]:
    """The switches that block somebody: for everywhere, a platform, or a team or guild."""
    platform, _, team = place.partition(":")
    names = (user, f"{platform}:{user}", f"{team}/{user}", f"{place}/{user}")
    return [f"{BLOCK}{name}" for name in names]


def settings_name(place: str) -> str:
    """The switch of a team or guild: `settings:discord:812`."""
    return f"{SETTINGS}{place}"


def narrowed_from(written: str | None) -> Narrowed:
    return _NARROWED.validate_json(written) if written else Narrowed()


def narrowed_to(narrowed: Narrowed) -> str:
    return _NARROWED.dump_json(narrowed).decode()


def with_change(narrowed: Narrowed, values: Mapping[str, str]) -> Narrowed:
    """`channel`, `role`, `user` (ids) with `allowed` (`yes`, `no`, or `any` to forget them), `turns_a_day`,
    `tokens_a_day`, `usd_a_day`, `seconds_a_day` (numbers, or `any`). Names that are not known change nothing."""
    allowed = {"yes": True, "no": False}.get(values.get("allowed", "yes"))
    for kind in ("channel", "role", "user"):
        if id_ := values.get(kind):
            before: Mapping[str, bool] = getattr(narrowed, f"{kind}s")
            narrowed = replace(narrowed, **{f"{kind}s": _with(before, id_, allowed)})
    for what in _WHATS:
        if given := values.get(f"{what}_a_day"):
            narrowed = replace(narrowed, a_day=_with(narrowed.a_day, what, _amount(given)))
    return narrowed


_NARROWED = TypeAdapter(Narrowed)
_WHATS: tuple[What, ...] = ("turns", "tokens", "usd", "seconds")


def _with(before: Mapping[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    after = {**before, key: value}
    return {each: kept for each, kept in after.items() if kept is not None}


def _amount(given: str) -> float | None:
    """What is no amount lifts the limit again."""
    try:
        return max(0.0, float(given))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    """A visit, beside what its platform's rules say."""

    visit: Visit
    rules: Rules
    narrowed: Narrowed

    def rule(self, name: str) -> Any:
        return getattr(self.rules, f"{self.visit.platform}_{name}")

    @property
    def is_slack(self) -> bool:
        return self.visit.platform == "slack"


_Check = Callable[[_Place, Switched], Refusal | None]


def _blocked(place: _Place, now: Switched) -> Refusal | None:
    return Refusal(Rule.BLOCKED, "policy_blocked") if now.is_blocked else None


def _paused(place: _Place, now: Switched) -> Refusal | None:
    if not now.is_paused:
        return None
    return Refusal(Rule.PAUSED, "policy_paused", is_silent=not now.answers_while_paused)


def _team(place: _Place, now: Switched) -> Refusal | None:
    visit = place.visit
    is_at_home = visit.in_dm or serves(visit.platform, visit.team, place.rules)
    return None if is_at_home and visit.platform in _PLATFORMS else Refusal(Rule.TEAM, "policy_team")


def _direct(place: _Place, now: Switched) -> Refusal | None:
    if place.visit.in_dm and not place.rule("dms"):
        return Refusal(Rule.DIRECT_MESSAGES, "policy_dms")
    return None


def _channel(place: _Place, now: Switched) -> Refusal | None:
    visit = place.visit
    if visit.in_dm or not visit.channel:
        return None
    listed: frozenset[str] = place.rule("channels")
    fits = (not listed or visit.channel in listed) and _fits([visit.channel], place.narrowed.channels)
    return None if fits else Refusal(Rule.CHANNEL, "policy_channel")


def _run(place: _Place, now: Switched) -> Refusal | None:
    if place.visit.wish is Wish.RUN and not (place.rule("run") or place.visit.changes_answer):
        return Refusal(Rule.RUN, "policy_run")
    return None


def _bots(place: _Place, now: Switched) -> Refusal | None:
    is_refused = place.visit.is_bot and not place.rule("bots")
    # Two bots that answer each other never end.
    return Refusal(Rule.BOTS, "policy_bots", is_silent=True) if is_refused else None


def _externals(place: _Place, now: Switched) -> Refusal | None:
    visit = place.visit
    if not place.is_slack or place.rule("externals"):
        return None
    home = visit.asker_team if visit.is_external else visit.asker_team or visit.team
    teams: frozenset[str] = place.rule("teams") or frozenset({visit.team})
    is_one_of_ours = home in teams and not (visit.is_external and home == visit.team)
    return None if is_one_of_ours else Refusal(Rule.EXTERNALS, "policy_externals")


def _guests(place: _Place, now: Switched) -> Refusal | None:
    visit = place.visit
    if not place.is_slack or place.rule("guests") or visit.is_bot:
        return None
    if visit.is_guest is None:
        return Refusal(Rule.UNKNOWN, "policy_unknown")
    return Refusal(Rule.GUESTS, "policy_guests") if visit.is_guest else None


def _people(place: _Place, now: Switched) -> Refusal | None:
    verdicts = {_is_listed(place), _is_welcome_here(place.visit, place.narrowed)}
    if verdicts == {True}:
        return None
    if None in verdicts and False not in verdicts and not place.visit.in_dm:
        return Refusal(Rule.UNKNOWN, "policy_unknown")
    return Refusal(Rule.PEOPLE, "policy_people")


def _is_listed(place: _Place) -> bool | None:
    """By the operator. None where it depends on roles that are not known."""
    users: frozenset[str] = place.rule("users")
    roles: frozenset[str] = place.rule("groups" if place.is_slack else "roles")
    if not (users or roles) or place.visit.author.id in users:
        return True
    if not roles:
        return False
    return None if place.visit.roles is None else not roles.isdisjoint(place.visit.roles)


def _is_welcome_here(visit: Visit, narrowed: Narrowed) -> bool | None:
    """By whoever manages the team or guild. None where it depends on roles that are not known."""
    user = visit.author.id
    if user in narrowed.users:
        return narrowed.users[user]
    if narrowed.roles and visit.roles is None:
        return None
    return _fits(visit.roles or (), narrowed.roles) and (
        not any(narrowed.users.values()) or any(narrowed.roles.get(role) for role in visit.roles or ())
    )


def _administer(place: _Place, now: Switched) -> Refusal | None:
    may = place.visit.is_manager and not place.visit.in_dm
    return None if may else Refusal(Rule.ADMINISTER, "policy_administer")


def _fits(ids: Sequence[str], said: Mapping[str, bool]) -> bool:
    """None of them is forbidden; and where some are allowed, one of them is."""
    if any(said.get(each) is False for each in ids):
        return False
    return not any(said.values()) or any(said.get(each) for each in ids)


_PLATFORMS = frozenset({"slack", "discord"})
_CHECKS: dict[Rule, _Check] = {
    Rule.BLOCKED: _blocked,
    Rule.PAUSED: _paused,
    Rule.TEAM: _team,
    Rule.DIRECT_MESSAGES: _direct,
    Rule.CHANNEL: _channel,
    Rule.RUN: _run,
    Rule.BOTS: _bots,
    Rule.EXTERNALS: _externals,
    Rule.GUESTS: _guests,
    Rule.PEOPLE: _people,
    Rule.ADMINISTER: _administer,
}
_WHERE = (Rule.TEAM, Rule.DIRECT_MESSAGES, Rule.CHANNEL)
_WHO = (Rule.BOTS, Rule.EXTERNALS, Rule.GUESTS, Rule.PEOPLE)
ASKED: dict[Wish, Sequence[Rule]] = {
    Wish.ASK: (Rule.BLOCKED, *_WHERE, *_WHO, Rule.PAUSED),
    Wish.RUN: (Rule.BLOCKED, *_WHERE, Rule.RUN, *_WHO, Rule.PAUSED),
    # Whoever can see a thread may see what it was made with; what runs can be stopped at any time.
    Wish.LOOK: (Rule.BLOCKED, *_WHERE),
    Wish.CHANGE: (Rule.BLOCKED, *_WHERE, *_WHO),
    # From wherever they are: nobody can lock themselves out.
    Wish.ADMINISTER: (Rule.BLOCKED, Rule.TEAM, Rule.ADMINISTER),
}
"""Which rules are asked for what, in this order."""
