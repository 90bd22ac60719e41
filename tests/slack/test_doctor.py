"""What is wrong with a Slack that is not set up, and what mends it."""

from adapters.slack.doctor import checks, of_scopes
from adapters.slack.manifest import FEATURES
from bot.checks import Check
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack

EVERY_SCOPE = [scope for feature in FEATURES for scope in feature.scopes]


async def found(
    slack: FakeSlack, bot_token: str = BOT_TOKEN, app_token: str = APP_TOKEN, secret: str = ""
) -> list[Check]:
    return [check async for check in checks(bot_token, app_token, secret, slack.api_url)]


async def test_all_is_well(slack: FakeSlack) -> None:
    slack.scopes = {*EVERY_SCOPE, "connections:write"}
    made = await found(slack)

    assert [check.ok for check in made] == [True, True, True]
    assert made[0].detail == "The token is that of plotline in Team."
    assert "hello" in made[2].detail
    assert slack.posts() == []


async def test_a_wrong_token_is_named_with_its_place(slack: FakeSlack) -> None:
    (check,) = await found(slack, bot_token="xoxb-wrong")

    assert not check.ok
    assert check.detail == "Slack refuses SLACK_BOT_TOKEN: invalid_auth."
    assert "OAuth & Permissions" in check.mend
    assert "wrong" not in check.detail + check.mend


async def test_a_wrong_app_token_is_named_with_its_place(slack: FakeSlack) -> None:
    *_, check = await found(slack, app_token="xapp-wrong")

    assert not check.ok
    assert "SLACK_APP_TOKEN" in check.mend


async def test_a_bot_that_cannot_hear_is_told(slack: FakeSlack) -> None:
    *_, check = await found(slack, app_token="")

    assert not check.ok
    assert "SLACK_APP_TOKEN" in check.mend
    assert "SLACK_SIGNING_SECRET" in check.mend
    assert all(each.ok or each != check for each in await found(slack, app_token="", secret="s"))


async def test_a_slack_that_cannot_be_reached_is_told(slack: FakeSlack) -> None:
    slack.is_down = True
    (check,) = await found(slack)

    assert not check.ok
    assert check.detail == "Slack cannot be reached."


async def found_in(slack: FakeSlack, channel: str) -> Check:
    slack.scopes = {*EVERY_SCOPE, "connections:write"}
    *_, check = [each async for each in checks(BOT_TOKEN, APP_TOKEN, "", slack.api_url, channel)]
    return check


async def test_a_channel_that_it_is_in_is_named(slack: FakeSlack) -> None:
    check = await found_in(slack, "C1")

    assert (check.ok, check.detail) == (True, "It is in #general.")


async def test_a_channel_that_it_is_not_in_comes_with_the_words_that_invite_it(slack: FakeSlack) -> None:
    check = await found_in(slack, "C2")

    assert (check.ok, check.detail) == (False, "It is not in #elsewhere.")
    assert check.mend == 'type "/invite @plotline" in #elsewhere'


async def test_a_channel_that_is_archived_is_told(slack: FakeSlack) -> None:
    slack.channel("C1").is_archived = True

    check = await found_in(slack, "C1")

    assert (check.ok, check.detail) == (False, "#general is archived.")


async def test_a_channel_that_slack_does_not_know_is_told(slack: FakeSlack) -> None:
    check = await found_in(slack, "C9")

    assert not check.ok
    assert "C9" in check.detail
    assert "/invite" in check.mend


def test_a_missing_scope_says_what_is_lost() -> None:
    (check,) = of_scopes([scope for scope in EVERY_SCOPE if scope != "files:write"])

    assert check.ok
    assert "files:write" in check.detail
    assert "text only" in check.detail
    assert "files:write" in check.mend


def test_a_scope_that_nothing_works_without_is_a_fault() -> None:
    assert not any(check.ok for check in of_scopes([scope for scope in EVERY_SCOPE if scope != "chat:write"]))
