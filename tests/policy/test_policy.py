"""Who may have what, where: as tables, and as laws."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import policy
from bot.messages import Author
from bot.policy import Narrowed, Rule, Switched, decide, narrowed_from, narrowed_to, with_change
from bot.rules import Rules
from bot.sentences import languages
from bot.visits import Visit, Wish, visit_from_json, visit_to_json
from tests.policy.visitors import DISCORD, GUILD, SLACK, THEIRS

NOBODY = Switched()
DISCORD_HERE = Rules(discord_guilds={GUILD})


def rule(visit: Visit, rules: Rules, switched: Switched = NOBODY) -> Rule | None:
    refusal = decide(visit, rules, switched)
    return refusal.rule if refusal else None


@pytest.mark.parametrize(
    ("facts", "refused_by"),
    [
        ({}, None),
        ({"in_dm": True, "channel": "D1"}, None),
        ({"wish": Wish.RUN}, None),
        ({"is_guest": True}, Rule.GUESTS),
        ({"is_guest": None}, Rule.UNKNOWN),
        ({"is_external": True, "asker_team": "T2"}, Rule.EXTERNALS),
        ({"is_external": True}, Rule.EXTERNALS),
        ({"asker_team": "T2"}, Rule.EXTERNALS),
        ({"asker_team": "T1"}, None),
        ({"is_bot": True}, Rule.BOTS),
        ({"wish": Wish.ADMINISTER}, Rule.ADMINISTER),
        ({"wish": Wish.ADMINISTER, "is_manager": True}, None),
        ({"wish": Wish.LOOK, "is_guest": True, "is_external": True, "asker_team": "T2"}, None),
        ({"wish": Wish.CHANGE, "is_guest": True}, Rule.GUESTS),
        ({"platform": "irc"}, Rule.TEAM),
    ],
)
def test_on_slack_full_members_of_the_own_team_may(facts: dict[str, object], refused_by: Rule | None) -> None:
    assert rule(replace(SLACK, **facts), Rules()) == refused_by  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize("wish", list(Wish))
def test_on_discord_nobody_may_anything_where_no_server_is_listed(wish: Wish) -> None:
    assert rule(replace(DISCORD, wish=wish, is_manager=True), Rules()) is Rule.TEAM


@pytest.mark.parametrize(
    ("facts", "refused_by"),
    [
        ({}, None),
        ({"team": "999"}, Rule.TEAM),
        ({"wish": Wish.RUN}, Rule.RUN),
        ({"wish": Wish.RUN, "changes_answer": True}, None),
        ({"team": "", "channel": "5", "in_dm": True, "roles": None}, Rule.DIRECT_MESSAGES),
        ({"wish": Wish.LOOK, "team": "", "in_dm": True}, Rule.DIRECT_MESSAGES),
        ({"wish": Wish.ADMINISTER, "team": "", "in_dm": True, "is_manager": True}, Rule.ADMINISTER),
        ({"is_bot": True}, Rule.BOTS),
        ({"is_guest": None}, None),
    ],
)
def test_on_discord_members_of_listed_servers_may_ask(
    facts: dict[str, object], refused_by: Rule | None
) -> None:
    assert rule(replace(DISCORD, **facts), DISCORD_HERE) == refused_by  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("rules", "facts", "refused_by"),
    [
        ({"slack_teams": {"T2"}}, {}, Rule.EXTERNALS),
        ({"slack_teams": {"T1", "T2"}}, {"is_external": True, "asker_team": "T2"}, None),
        ({"slack_externals": True}, {"is_external": True, "asker_team": "T9"}, None),
        ({"slack_externals": True}, {"is_external": True, "asker_team": "T9", "is_guest": True}, Rule.GUESTS),
        ({"slack_guests": True}, {"is_guest": True}, None),
        ({"slack_guests": True}, {"is_guest": None}, None),
        ({"slack_bots": True}, {"is_bot": True}, None),
        ({"slack_dms": False}, {"in_dm": True, "channel": "D1"}, Rule.DIRECT_MESSAGES),
        ({"slack_run": False}, {"wish": Wish.RUN}, Rule.RUN),
        ({"slack_channels": {"C9"}}, {}, Rule.CHANNEL),
        ({"slack_channels": {"C9"}}, {"channel": "C9"}, None),
        ({"slack_channels": {"C9"}}, {"in_dm": True, "channel": "D1"}, None),
        ({"slack_channels": {"C9"}}, {"wish": Wish.LOOK, "channel": ""}, None),
        ({"slack_users": {"U9"}}, {}, Rule.PEOPLE),
        ({"slack_users": {"U1"}}, {"roles": None}, None),
        ({"slack_users": {"U9"}, "slack_groups": {"S1"}}, {"roles": ("S1",)}, None),
        ({"slack_groups": {"S1"}}, {"roles": ("S2",)}, Rule.PEOPLE),
        ({"slack_groups": {"S1"}}, {"roles": None}, Rule.UNKNOWN),
        ({"slack_groups": {"S1"}}, {"roles": None, "wish": Wish.LOOK}, None),
    ],
)
def test_the_operator_decides_who_and_where(
    rules: dict[str, object], facts: dict[str, object], refused_by: Rule | None
) -> None:
    visit = replace(SLACK, **facts)  # type: ignore[arg-type]  # any field
    assert rule(visit, Rules.model_validate(rules)) == refused_by


@pytest.mark.parametrize(
    ("rules", "facts", "refused_by"),
    [
        ({"discord_run": True}, {"wish": Wish.RUN}, None),
        ({"discord_dms": True}, {"in_dm": True, "team": "", "roles": None}, None),
        ({"discord_dms": True, "discord_roles": {"7"}}, {"in_dm": True, "roles": None}, Rule.PEOPLE),
        ({"discord_dms": True, "discord_users": {"42"}}, {"in_dm": True, "roles": None}, None),
        ({"discord_roles": {"7"}}, {"roles": ("7",)}, None),
        ({"discord_roles": {"7"}}, {"roles": ("8",)}, Rule.PEOPLE),
        ({"discord_channels": {"6"}}, {}, Rule.CHANNEL),
        ({"discord_bots": True}, {"is_bot": True}, None),
    ],
)
def test_the_same_on_discord(
    rules: dict[str, object], facts: dict[str, object], refused_by: Rule | None
) -> None:
    visit = replace(DISCORD, **facts)  # type: ignore[arg-type]  # any field
    assert rule(visit, Rules.model_validate(rules | {"discord_guilds": {GUILD}})) == refused_by


@pytest.mark.parametrize(
    ("values", "facts", "refused_by"),
    [
        ({"channel": "5", "allowed": "no"}, {}, Rule.CHANNEL),
        ({"channel": "6", "allowed": "no"}, {}, None),
        ({"channel": "6"}, {}, Rule.CHANNEL),
        ({"channel": "5"}, {}, None),
        ({"role": "7", "allowed": "no"}, {"roles": ("7",)}, Rule.PEOPLE),
        ({"role": "7", "allowed": "no"}, {"roles": ("8",)}, None),
        ({"role": "7", "allowed": "no"}, {"roles": None}, Rule.UNKNOWN),
        ({"role": "7"}, {"roles": ("8",)}, Rule.PEOPLE),
        ({"role": "7"}, {"roles": ("7", "8")}, None),
        ({"user": "42", "allowed": "no"}, {"roles": ("7",)}, Rule.PEOPLE),
        ({"user": "43"}, {}, Rule.PEOPLE),
        ({"user": "42"}, {"roles": None}, None),
        ({"user": "43", "allowed": "no"}, {}, None),
        ({"channel": "5", "allowed": "no"}, {"wish": Wish.ADMINISTER, "is_manager": True}, None),
        ({"user": "42", "allowed": "no"}, {"wish": Wish.ADMINISTER, "is_manager": True}, None),
    ],
)
def test_whoever_manages_a_server_can_narrow_it(
    values: dict[str, str], facts: dict[str, object], refused_by: Rule | None
) -> None:
    visit = replace(DISCORD, **facts)  # type: ignore[arg-type]  # any field
    narrowed = Switched(narrowed=with_change(Narrowed(), values))

    assert rule(visit, DISCORD_HERE, narrowed) == refused_by


def test_one_may_of_a_role_or_by_name() -> None:
    narrowed = with_change(with_change(Narrowed(), {"role": "7"}), {"user": "42"})

    assert rule(DISCORD, DISCORD_HERE, Switched(narrowed=narrowed)) is None
    other = replace(DISCORD, author=Author("43", "Ben"))
    assert rule(other, DISCORD_HERE, Switched(narrowed=narrowed)) is Rule.PEOPLE
    assert rule(replace(other, roles=("7",)), DISCORD_HERE, Switched(narrowed=narrowed)) is None


def test_what_was_narrowed_can_be_forgotten_again() -> None:
    values = {"channel": "5", "user": "42", "role": "7", "allowed": "no", "turns_a_day": "3"}
    narrowed = with_change(Narrowed(), values)

    assert narrowed.a_day == {"turns": 3}
    assert narrowed_from(narrowed_to(narrowed)) == narrowed
    assert with_change(narrowed, values | {"allowed": "any", "turns_a_day": "any"}) == Narrowed()


def test_nonsense_narrows_nothing() -> None:
    assert with_change(Narrowed(), {"colour": "blue", "turns_a_day": "many", "allowed": "no"}) == Narrowed()


@pytest.mark.parametrize("answers", [True, False])
def test_while_it_is_paused_nobody_is_served_but_what_runs_can_be_stopped(*, answers: bool) -> None:
    paused = Switched(is_paused=True, answers_while_paused=answers)

    refusal = decide(SLACK, Rules(), paused)

    assert refusal
    assert (refusal.rule, refusal.is_silent) == (Rule.PAUSED, not answers)
    for wish in (Wish.LOOK, Wish.CHANGE):
        assert rule(replace(SLACK, wish=wish), Rules(), paused) is None


@pytest.mark.parametrize(
    ("blocked", "is_refused"),
    [
        ("U1", True),
        ("slack:U1", True),
        ("T1/U1", True),
        ("slack:T1/U1", True),
        ("U2", False),
        ("discord:U1", False),
        ("slack:T2/U1", False),
    ],
)
def test_somebody_is_blocked_for_everywhere_or_for_one_place(blocked: str, *, is_refused: bool) -> None:
    values = {f"{policy.BLOCK}{blocked}": "yes"}

    assert policy.switched(SLACK, values).is_blocked == is_refused
    assert (f"{policy.BLOCK}{blocked}" in policy.switches_for(SLACK)) == is_refused


@given(THEIRS.visits, st.sampled_from(list(Wish)))
def test_whoever_is_blocked_may_nothing(visit: Visit, wish: Wish) -> None:
    everything = Rules(discord_guilds={GUILD, "2"}, discord_dms=True, slack_guests=True, slack_bots=True)

    assert rule(replace(visit, wish=wish), everything, Switched(is_blocked=True)) is Rule.BLOCKED


@given(THEIRS.visits, THEIRS.rules, THEIRS.narrowed)
def test_narrowing_never_widens(visit: Visit, rules: Rules, narrowed: Narrowed) -> None:
    if rule(visit, rules, Switched(narrowed=narrowed)) is None:
        assert rule(visit, rules) is None


@given(THEIRS.visits, THEIRS.rules, THEIRS.narrowed)
def test_whoever_may_ask_may_look_and_stop(visit: Visit, rules: Rules, narrowed: Narrowed) -> None:
    now = Switched(narrowed=narrowed)
    if rule(replace(visit, wish=Wish.ASK), rules, now) is None:
        for wish in (Wish.LOOK, Wish.CHANGE):
            assert rule(replace(visit, wish=wish), rules, now) is None


@given(THEIRS.visits)
def test_the_defaults_let_nobody_in_who_is_not_a_full_member(visit: Visit) -> None:
    if rule(visit, Rules()) is None and visit.wish in (Wish.ASK, Wish.RUN):
        assert visit.platform == "slack"
        assert visit.is_guest is False
        assert not (visit.is_external or visit.is_bot)
        assert visit.asker_team in {"", visit.team}


@given(THEIRS.visits, THEIRS.rules, THEIRS.narrowed, st.sampled_from(languages()))
def test_every_refusal_is_a_whole_sentence(
    visit: Visit, rules: Rules, narrowed: Narrowed, language: str
) -> None:
    refusal = decide(visit, rules, Switched(narrowed=narrowed))
    if refusal:
        said = refusal.said(replace(visit.author, locale=language), "")
        assert said.endswith((".", ":"))
        assert not {"…", "{", "}"} & set(said)


@given(THEIRS.visits)
def test_a_visit_outlives_its_process(visit: Visit) -> None:
    assert visit_from_json(visit_to_json(visit)) == visit


@pytest.mark.parametrize(
    ("platform", "team", "is_served"),
    [("discord", GUILD, True), ("discord", "999", False), ("discord", "", False), ("slack", "T1", True)],
)
def test_only_listed_servers_are_stayed_in(platform: str, team: str, *, is_served: bool) -> None:
    assert policy.serves(platform, team, DISCORD_HERE) == is_served


def test_every_rule_of_a_visit_is_asked_for_something() -> None:
    asked = {rule for rules in policy.ASKED.values() for rule in rules}

    assert asked | {Rule.UNKNOWN, Rule.COOLDOWN, Rule.RUNNING, Rule.BUDGET} == set(Rule)
    assert set(policy.ASKED) == set(Wish)
