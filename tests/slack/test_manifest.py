"""The app's description: what Slack takes, no more than is used, and everything that is used."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # no stubs are installed
import pytest

from adapters.slack.manifest import FEATURES, WHEN, explanation, manifest, missing, permissions_table, reasons
from bot.messages import Message, Output
from bot.reception import DurableThread
from tests.fakes.ports import artifact
from tests.fakes.slack.methods import SCOPES
from tests.fakes.slack.server import FakeSlack
from tests.slack.conftest import Office

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT.parent / "shared" / "specs" / "slack-manifest.schema.json"
OPTIONAL = [feature.name for feature in FEATURES if not feature.is_needed]
EVERY_SCOPE = {scope for feature in FEATURES for scope in feature.scopes}


@pytest.mark.skipif(not SCHEMA.is_file(), reason="Slack's own schema is not here")
@pytest.mark.parametrize("url", [None, "https://example.com/slack/events"])
@pytest.mark.parametrize("without", [[], *([name] for name in OPTIONAL), OPTIONAL])
def test_it_fits_slacks_own_schema(without: list[str], url: str | None) -> None:
    schema = json.loads(SCHEMA.read_text())

    jsonschema.validate(manifest(without, url), schema)


@pytest.mark.skipif(not SCHEMA.is_file(), reason="Slack's own schema is not here")
def test_the_schema_would_complain() -> None:
    broken = manifest()
    broken["display_information"]["name"] = "x" * 100

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json.loads(SCHEMA.read_text()))


def test_the_one_in_deploy_is_this_one() -> None:
    assert json.loads((ROOT / "deploy" / "slack" / "manifest.json").read_text()) == manifest()


def test_only_what_is_switched_on_is_asked_for() -> None:
    described = manifest(OPTIONAL)

    assert described["oauth_config"]["scopes"]["bot"] == ["app_mentions:read", "chat:write", "im:history"]
    assert "slash_commands" not in described["features"]
    assert not described["settings"]["org_deploy_enabled"]


def test_over_http_slack_is_told_where_to_send() -> None:
    url = "https://example.com/slack/events"
    described = manifest(url=url)

    assert json.dumps(described).count(url) == 3
    assert not described["settings"]["socket_mode_enabled"]


def test_every_scope_is_explained() -> None:
    assert {scope for scope, *_ in explanation()} == set(manifest()["oauth_config"]["scopes"]["bot"])
    assert all(all(row) for row in explanation())


def test_for_every_permission_and_event_it_is_said_why() -> None:
    described = manifest()
    events = set(described["settings"]["event_subscriptions"]["bot_events"])
    told = reasons()

    assert set(WHEN) == events
    assert all(f"  event {event}: {WHEN[event]}\n" in told for event in events)
    assert all(f"  permission {scope}\n" in told for scope in described["oauth_config"]["scopes"]["bot"])


def test_the_page_lists_them_all() -> None:
    page = (ROOT / "docs" / "slack.md").read_text()

    assert (
        page.split("<!-- permissions: begin -->\n")[1].split("\n<!-- permissions: end -->")[0]
        == permissions_table()
    )


def test_every_scope_that_calls_need_is_asked_for() -> None:
    assert set(SCOPES.values()) <= EVERY_SCOPE


def test_every_event_that_is_listened_to_is_subscribed_to() -> None:
    source = (ROOT / "adapters" / "slack" / "listeners.py").read_text()
    listened = set(re.findall(r'@app\.event\("(\w+)"\)', source)) - {"message"}
    subscribed = set(manifest()["settings"]["event_subscriptions"]["bot_events"])

    assert listened == {event for event in subscribed if not event.startswith("message.")}


def test_what_slack_has_closed_to_new_apps_or_tells_twice_is_not_asked_for() -> None:
    assert "assistant_view" not in manifest()["features"]
    # A file's message tells of it too, with its text and thread.
    assert "file_shared" not in manifest()["settings"]["event_subscriptions"]["bot_events"]


def test_missing_scopes_are_found_with_what_they_are_for() -> None:
    assert [(scope, feature.name) for scope, feature in missing(EVERY_SCOPE - {"files:read"})] == [
        ("files:read", "files-in")
    ]


@pytest.mark.parametrize(
    "scope", sorted({scope for each in FEATURES if not each.is_needed for scope in each.scopes})
)
async def test_without_an_optional_scope_the_rest_still_works(
    slack: FakeSlack, office: Office, tmp_path: Path, scope: str
) -> None:
    """With a file in, talk above, a picture out, a restart and a click."""
    path = tmp_path / "chart"
    path.write_bytes(b"content")
    fetched: list[str] = []

    async def turn(message: Message, thread: DurableThread) -> None:
        async with thread.working():
            message = await thread.introduce(message)
            above = await thread.above(message, was_emptied=False)
            for attachment in message.attachments:
                try:
                    await thread.fetch(attachment, tmp_path / "in", 1000)
                    fetched.append(attachment.name)
                except Exception as error:
                    fetched.append(getattr(error, "sentence", repr(error)))
            chart = replace(artifact("chart.png"), path=path)
            await thread.post(Output(f"Read {len(above.messages)}.", (chart,)), f"{message.id}:answer")

    slack.scopes = EVERY_SCOPE - {scope}
    slack.methods.is_agent = scope != "assistant:write"
    office.receiver.turn = turn
    async with office.opened():
        root = await slack.says("talk", user="U2")
        await slack.says("<@UBOT> plot", thread_ts=root["ts"], files=[slack.add_file("a.csv", b"a")])
        await office.receiver.settle()
    async with office.opened():
        answer = next(each for each in slack.posts() if "Read" in repr(each))
        await slack.clicks(answer, "delete_answer")

    facts: dict[str, Any] = {
        "answered": len(office.receiver.messages) == 1,
        "fetched": fetched,
        "deleted": bool(office.receiver.actions),
    }
    assert facts == {
        "answered": True,
        "fetched": ["slack_file_scope" if scope == "files:read" else "a.csv"],
        "deleted": True,
    }
