"""Questions that are no messages: a command, forms, "Analyze with Plotline"; and the Home tab."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapters import taken_along
from adapters.slack import forms
from adapters.slack.answers import Answers, plain
from adapters.slack.errors import SlackRefused
from adapters.slack.forms import About, Question
from adapters.slack.inbound import Incoming, Us, to_incoming
from adapters.slack.mrkdwn import escape, from_markdown, to_markdown
from adapters.slack.places import PLATFORM, Place, message_id
from adapters.slack.receiving import Receiving
from adapters.slack.safe import quiet
from bot.errors import PlatformUnavailable
from bot.messages import Attachment, Author, Message, Output
from bot.reception import Act, Action
from bot.sentences import say
from bot.visits import Visit, Wish

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    receiving: Receiving
    answers: Answers

    async def command(self, body: Json) -> Json | None:
        """What is answered at once, to the asker alone; None where nothing is."""
        text, user = str(body.get("text") or "").strip(), str(body["user_id"])
        visit = await self._visit(user, str(body.get("channel_id") or ""))
        locale = await self._locale(user)
        if text.lower() in {"", "help"}:
            return {**plain(""), "text": await self._help(locale)}
        if refusal := await self.receiving.receiver.refusal(visit):
            return plain(refusal)
        id = f"{PLATFORM}:{self._us.team}:command:{body.get('trigger_id') or secrets.token_hex(8)}"  # noqa: A001  # as in Message
        question = Question(to_markdown(text), (), visit.channel)
        try:
            await self._ask(question, id, visit)
        except SlackRefused as error:
            return plain(self._explain(error, locale))
        except PlatformUnavailable:
            return plain(say(locale, "slack_unavailable_now"))
        return None

    async def usage(self, body: Json) -> None:
        user = str(body["user_id"])
        visit = replace(await self._visit(user, str(body.get("channel_id") or "")), wish=Wish.LOOK)
        output = await self.receiving.receiver.on_action(
            Action(str(body.get("trigger_id")), Act.USAGE, visit, None)
        )
        await self.answers.respond(str(body["response_url"]), output, await self._locale(user))

    async def open_form(self, body: Json) -> None:
        """The global shortcut."""
        locale = await self._locale(str(body["user"]["id"]))
        await self._web.once("views.open", trigger_id=str(body["trigger_id"]), view=forms.ask_form(locale))

    async def submit_question(self, body: Json) -> Json | None:
        """What is wrong with the form; None where all is well."""
        user, view = str(body["user"]["id"]), body["view"]
        question, locale = forms.question_in(view), await self._locale(user)
        if not question.text and not question.attachments:
            return forms.error("question", say(locale, "slack_nothing_filled_in"))
        try:
            channel = question.channel or await self._dm(user)
            visit = await self._visit(user, channel)
            if refusal := await self.receiving.receiver.refusal(visit):
                return forms.error("question", refusal)
            id = f"{PLATFORM}:{self._us.team}:view:{view['id']}"  # noqa: A001  # as in Message
            await self._ask(replace(question, channel=channel), id, visit)
        except SlackRefused as error:
            return forms.error("channel", self._explain(error, locale))
        except PlatformUnavailable:
            return forms.error("question", say(locale, "slack_unavailable_now"))
        return None

    async def submit_code(self, body: Json) -> Json | None:
        user, view = str(body["user"]["id"]), body["view"]
        about, locale = About.of(view["private_metadata"]), await self._locale(user)
        code, files = forms.code_in(view)
        if not code.strip() and not files:
            return forms.error("code", say(locale, "slack_nothing_filled_in"))
        visit = replace(await self._visit(user, about.channel), wish=Wish.RUN, changes_answer=True)
        if refusal := await self.receiving.receiver.refusal(visit):
            return forms.error("code", refusal)
        id = f"{PLATFORM}:{self._us.team}:view:{view['id']}"  # noqa: A001  # as in Message
        place = Place(self._us.team, about.channel, about.thread_ts)
        incoming = _incoming(id, "", files, visit, place)
        thread = self.receiving.thread(incoming)
        await self.receiving.receiver.on_run(incoming.message, (code,) if code else (), visit, thread)
        return None

    async def analyze(self, body: Json) -> None:
        """The shortcut on a message: whoever used it asks, in that message's thread."""
        user, channel = str(body["user"]["id"]), str(body["channel"]["id"])
        locale = await self._locale(user)
        about = to_incoming({"user": user, **body["message"], "channel": channel}, self._us)
        visit = await self._visit(user, channel)
        if refusal := await self.receiving.receiver.refusal(visit):
            await self.answers.respond(str(body["response_url"]), Output(refusal), locale)
            return
        quoted = (
            "\n".join(f"> {line}" for line in about.message.text.split("\n")) if about.message.text else ""
        )
        text = f"{say(locale, 'slack_analyze')}\n\n{quoted}".strip()
        id = f"{PLATFORM}:{self._us.team}:shortcut:{body.get('trigger_id')}"  # noqa: A001  # as in Message
        incoming = _incoming(id, text, about.message.attachments, visit, about.place)
        journal, source = self.receiving.connection.journal, message_id(self._us.team, channel, about.ts)
        await taken_along.remember(journal, source, (id, about.place.id))
        await self.receiving.receiver.on_message(incoming.message, visit, self.receiving.thread(incoming))

    async def show_home(self, user: str) -> None:
        locale = await self._locale(user)
        visit = replace(await self._visit(user, ""), wish=Wish.LOOK, in_dm=True)
        receiver = self.receiving.receiver
        usage = await receiver.on_action(Action(f"home:{user}", Act.USAGE, visit, None))
        view = forms.home(say(locale, "slack_help"), usage.text, await receiver.introduction(locale), locale)
        await self._web.ask("views.publish", user_id=user, view=view)

    async def forget(self, action: Action) -> None:
        """From the Home tab: where nothing can be said, the tab itself tells."""
        user = action.visit.author.id
        output = await self.receiving.receiver.on_action(action)
        if output.text:
            await self.tell(user, output.text)
        await self.show_home(user)

    async def tell(self, user: str, text: str) -> None:
        """In a direct message."""
        channel = await self._dm(user)
        await self._web.ask(
            "chat.postMessage", channel=channel, text=quiet(text), unfurl_links=False, unfurl_media=False
        )

    async def suggest(self, channel: str, user: str) -> None:
        """Prompts for somebody who has opened the conversation."""
        locale = await self._locale(user)
        await self._web.once(
            "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=forms.prompts(locale)
        )

    async def introduce(self, channel: str, inviter: str) -> None:
        """On joining a channel: what it can do, and who gets to read what."""
        locale = await self._locale(inviter)
        await self._web.ask(
            "chat.postMessage",
            channel=channel,
            text=await self._help(locale),
            unfurl_links=False,
            unfurl_media=False,
        )

    async def _help(self, locale: str) -> str:
        """mrkdwn."""
        introduction = await self.receiving.receiver.introduction(locale)
        return from_markdown(quiet(f"{say(locale, 'slack_help')}\n\n{introduction}"))

    async def _ask(self, question: Question, id: str, visit: Visit) -> None:  # noqa: A002  # as in Message
        """A thread for it, which begins with the question as a message of ours; then the question."""
        name = f"<@{visit.author.id}>"
        locale = await self._locale(visit.author.id)
        files = len(question.attachments)
        shown = say(locale, "slack_asks", name=name, question=escape(question.text))
        if not question.text:
            shown = say(locale, "slack_asks_files", name=name, files=files)
        answer = await self._web.once(
            "chat.postMessage",
            channel=visit.channel,
            text=quiet(shown, visit.author.id)[:3000],
            unfurl_links=False,
            unfurl_media=False,
        )
        place = Place(visit.team, str(answer.get("channel") or visit.channel), str(answer["ts"]))
        visit = replace(visit, channel=place.channel, in_dm=place.is_dm)
        await self.receiving.ask(_incoming(id, question.text, question.attachments, visit, place))

    async def _dm(self, user: str) -> str:
        answer = await self._web.once("conversations.open", users=user)
        return str(answer["channel"]["id"])

    def _explain(self, error: SlackRefused, locale: str) -> str:
        """Why nothing can be asked there."""
        if error.closes_place:
            key = "slack_invite" if error.sentence == "slack_not_in_channel" else "slack_not_here"
            return say(locale, key, bot=self._us.name)
        return say(locale, error.sentence, **{"contact": say(locale, "operator"), **error.facts})

    async def _visit(self, user: str, channel: str) -> Visit:
        in_dm = channel.startswith("D")
        visit = Visit(Wish.ASK, Author(user, user), PLATFORM, self._us.team, channel, in_dm=in_dm)
        return await self.receiving.connection.people.meet(visit)

    async def _locale(self, user: str) -> str:
        return (await self.receiving.connection.people.author(user)).locale

    @property
    def _us(self) -> Us:
        return self.receiving.connection.us

    @property
    def _web(self) -> Any:
        return self.receiving.connection.web


def _incoming(
    id: str,  # noqa: A002  # as in Message
    text: str,
    attachments: tuple[Attachment, ...],
    visit: Visit,
    place: Place,
) -> Incoming:
    message = Message(id, visit.author, text, datetime.now(UTC), attachments)
    return Incoming(message, visit, place, ts="", begins_thread=True)
