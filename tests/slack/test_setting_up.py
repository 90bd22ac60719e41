"""From no app to a first reply, with somebody who types."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from adapters.slack.installation import Options
from adapters.slack.manifest import FEATURES, manifest
from adapters.slack.setting_up import new_app_url, set_up
from tests.fakes.slack.server import APP_TOKEN, BOT_TOKEN, FakeSlack
from tests.slack.conftest import until


@dataclass
class Typist:
    answers: Sequence[str]
    said: list[str] = field(default_factory=list[str])
    questions: list[str] = field(default_factory=list[str])
    kept: list[Options] = field(default_factory=list[Options])

    def say(self, text: str) -> None:
        self.said.append(text)

    async def secret(self, question: str) -> str:
        self.questions.append(question)
        return self.answers[len(self.questions) - 1]

    def keep(self, options: Options) -> None:
        self.kept.append(options)


def test_the_address_fills_in_slacks_form() -> None:
    given = parse_qs(urlsplit(new_app_url()).query)["manifest_json"][0]

    assert json.loads(given) == manifest()


async def test_it_leads_to_a_first_reply(slack: FakeSlack) -> None:
    slack.scopes = {scope for feature in FEATURES for scope in feature.scopes}
    typist = Typist(["xoxb-mistyped", BOT_TOKEN, "xapp-mistyped", f" {APP_TOKEN} "])
    setting_up = asyncio.ensure_future(set_up(typist, slack.api_url))
    await until(lambda: slack.sockets.pings or setting_up.done())
    await slack.says("hello?", channel="D1")
    options = await setting_up

    assert typist.kept == [options]
    assert options
    assert (options.bot_token, options.app_token) == (BOT_TOKEN, APP_TOKEN)
    (reply,) = slack.posts("D1")
    assert "everything is set up" in repr(reply)
    told = "\n".join(typist.said)
    assert "Slack refuses SLACK_BOT_TOKEN" in told
    assert "Slack refuses SLACK_APP_TOKEN" in told
    assert "mistyped" not in told


async def test_whoever_gives_up_is_let_go(slack: FakeSlack) -> None:
    slack.scopes = {scope for feature in FEATURES for scope in feature.scopes}

    assert await set_up(Typist([""]), slack.api_url) is None
    assert await set_up(Typist([BOT_TOKEN, ""]), slack.api_url) is None
