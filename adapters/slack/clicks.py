"""Buttons under answers and questions: who clicked what, whether they may, and what comes of it."""

from dataclasses import dataclass, replace
from typing import Any

from adapters.slack import blocks, forms
from adapters.slack.answers import Answers
from adapters.slack.forms import About
from adapters.slack.inbound import Us
from adapters.slack.people import People
from adapters.slack.places import PLATFORM, Place
from adapters.slack.receiving import Receiving
from adapters.slack.render import DELETE, DISLIKE, EDIT, FEEDBACK, LIKE, NOTEBOOK, SHOW_CODE
from adapters.slack.safe import quiet
from adapters.slack.steps import STOP
from adapters.slack.taking_back import Posted, take_back
from adapters.slack.thread import ALLOW_ONCE, ALLOW_THREAD, DENY, REVOKE
from adapters.slack.web import Web
from bot.messages import Author, Output
from bot.reception import Act, Action, Decided
from bot.sentences import say
from bot.visits import Visit, Wish

Json = dict[str, Any]

_DECISIONS = (ALLOW_ONCE, ALLOW_THREAD, DENY, REVOKE)
ACTIONS = (SHOW_CODE, EDIT, NOTEBOOK, DELETE, LIKE, DISLIKE, FEEDBACK, STOP, *_DECISIONS)
"""Of buttons in messages. That of the Home tab is `forms.FORGET`."""
_ACTS = {
    SHOW_CODE: Act.SHOW_CODE,
    NOTEBOOK: Act.NOTEBOOK,
    DELETE: Act.DELETE,
    LIKE: Act.LIKE,
    DISLIKE: Act.DISLIKE,
    ALLOW_ONCE: Act.ALLOW_ONCE,
    ALLOW_THREAD: Act.ALLOW_THREAD,
    DENY: Act.DENY,
    REVOKE: Act.REVOKE,
}
_LOOKS = {SHOW_CODE, NOTEBOOK}


@dataclass(frozen=True, slots=True)
class Click:
    """Of one button, as Slack tells it."""

    id: str
    action: str
    value: str
    user: str
    place: Place
    message_ts: str
    trigger: str
    visit: Visit


def to_click(body: Json, us: Us) -> Click:
    """https://docs.slack.dev/reference/interaction-payloads/block_actions-payload. Pure."""
    action, user = body["actions"][0], body["user"]
    container, message = body.get("container") or {}, body.get("message") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    message_ts = str(container.get("message_ts") or message.get("ts") or "")
    thread_ts = str(container.get("thread_ts") or message.get("thread_ts") or message_ts)
    name, value = str(action["action_id"]), str(action.get("value") or "")
    if name == FEEDBACK:
        name, _, value = value.partition(" ")
    team = str(user.get("team_id") or us.team)
    place = Place(us.team, channel, thread_ts)
    visit = Visit(
        wish=Wish.LOOK if name in _LOOKS else Wish.RUN if name == EDIT else Wish.CHANGE,
        author=Author(str(user["id"]), str(user["id"])),
        platform=PLATFORM,
        team=us.team,
        channel=channel,
        asker_team=team if team != us.team else "",
        is_external=team != us.team,
        in_dm=place.is_dm,
        changes_answer=name == EDIT,
    )
    return Click(
        id=str(body.get("trigger_id") or action.get("action_ts")),
        action=name,
        value=value,
        user=str(user["id"]),
        place=place,
        message_ts=message_ts,
        trigger=str(body.get("trigger_id") or ""),
        visit=visit,
    )


@dataclass(frozen=True, slots=True)
class Clicks:
    receiving: Receiving
    answers: Answers

    async def edit(self, click: Click) -> None:
        """Opens the form for it. At once: Slack lets forms be opened for three seconds only."""
        click = await self._met(click)
        locale = click.visit.author.locale
        refusal = await self._refusal(click, locale)
        code = "" if refusal else await self.receiving.receiver.code(click.value)
        if not code:
            await self.answers.whisper(click.user, click.place, refusal or say(locale, "slack_no_code"))
            return
        about = About(click.value, click.place.channel, click.place.thread_ts)
        await self._web.once(
            "views.open", trigger_id=click.trigger, view=forms.code_form(code, about, locale)
        )

    async def do(self, click: Click) -> None:
        """All other buttons."""
        click = await self._met(click)
        locale = click.visit.author.locale
        if refusal := await self._refusal(click, locale):
            await self.answers.whisper(click.user, click.place, refusal)
            return
        if click.action == STOP:
            # Whoever is no manager is the asker: see `_refusal`.
            if await self.receiving.stop(replace(click.visit, is_manager=True), click.place):
                await self.answers.whisper(click.user, click.place, say(locale, "slack_stopping"))
            return
        if click.action == DELETE:
            await self._delete_posts(click)
        action = Action(click.id, _ACTS[click.action], click.visit, click.place.id, click.value)
        if click.action in _DECISIONS:
            await self._show(await self.receiving.receiver.on_decision(action), click)
            return
        output = await self.receiving.receiver.on_action(action)
        if output != Output():
            await self.answers.show(click.user, click.place, output, click.id)

    async def _refusal(self, click: Click, locale: str) -> str | None:
        """By the policy, or because it is another's: everyone may look, only the asker may change."""
        refusal = await self.receiving.receiver.refusal(click.visit)
        if refusal or click.action not in {EDIT, DELETE, STOP}:
            return refusal
        asker = await self.receiving.receiver.asker(click.value)
        if click.user == asker or await self._people.is_manager(click.user, click.place.channel):
            return None
        name = (await self._people.author(asker)).name if asker else say(locale, "operator")
        return say(locale, "slack_not_yours", name=name)

    async def _delete_posts(self, click: Click) -> None:
        """The answer's messages, and the files that came with it."""
        connection = self.receiving.connection
        posted = await Posted.recall(connection.journal, click.value)
        await take_back(connection, click.place.channel, posted, also=[click.message_ts])

    async def _show(self, decided: Decided, click: Click) -> None:
        """In place of the question and its buttons, for everyone."""
        if not decided.is_for_all:
            await self.answers.whisper(click.user, click.place, decided.text)
            return
        text = quiet(decided.text)
        label = say(click.visit.author.locale, "host_revoke")
        buttons = [blocks.button(label, REVOKE, click.value)] if decided.can_be_revoked else []
        await self._web.ask(
            "chat.update",
            channel=click.place.channel,
            ts=click.message_ts,
            text=text[: blocks.TEXT_CHARACTERS],
            blocks=[
                blocks.markdown(text[: blocks.MARKDOWN_CHARACTERS]),
                *([blocks.actions(buttons)] if buttons else []),
            ],
        )

    async def _met(self, click: Click) -> Click:
        return replace(click, visit=await self._people.meet(click.visit))

    @property
    def _web(self) -> Web:
        return self.receiving.connection.web

    @property
    def _people(self) -> People:
        return self.receiving.connection.people


def of_home(body: Json, us: Us) -> Action:
    """The button on the Home tab."""
    click = to_click(body, us)
    return Action(click.id, Act.FORGET, replace(click.visit, in_dm=True), None)
