"""Messages on their way to the core: only those that are meant for the bot, whatever order events come in."""

from dataclasses import dataclass, replace
from typing import Any

import structlog

from adapters import taken_along
from adapters.slack.addresses import Address
from adapters.slack.answers import Answers
from adapters.slack.connection import Connection
from adapters.slack.errors import SlackRefused
from adapters.slack.inbound import Deleted, Edited, FilesGone, Happened, Incoming, Meant, Said, happened
from adapters.slack.places import PLATFORM, Place
from adapters.slack.thread import SlackThread
from bot.errors import PlatformUnavailable
from bot.messages import ThreadId
from bot.reception import ROOT, Receiver
from bot.sentences import say
from bot.visits import Visit, Wish

log = structlog.get_logger()

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receiving:
    connection: Connection
    receiver: Receiver

    async def take(self, event: Json) -> None:
        """A `message` or `app_mention` event. What is not for the bot leaves no trace."""
        if result := happened(event, self.connection.us):
            await self.hear(result)

    async def hear(self, result: Happened) -> None:
        match result:
            case Said(incoming, meant, is_stop):
                if not await self.is_meant(incoming, meant):
                    return
                if is_stop:
                    visit = replace(self.connection.people.recognise(incoming.visit), wish=Wish.CHANGE)
                    await self.stop(visit, incoming.place)
                else:
                    await self.ask(incoming)
            case Edited(incoming, meant, files_gone):
                await self._forget_files(files_gone)
                if await self.is_meant(incoming, meant):
                    visit = self.connection.people.recognise(incoming.visit)
                    await self.receiver.on_edit(incoming.message, (), visit, self.thread(incoming))
            case Deleted(place, source, files_gone):
                await self._forget_files(files_gone)
                await self.forget(place, source)
            case FilesGone(files):
                await self._forget_files(files)

    async def ask(self, incoming: Incoming) -> None:
        if incoming.begins_thread:
            await self.hold(incoming.place)
        visit = self.connection.people.recognise(incoming.visit)
        await self.receiver.on_message(incoming.message, visit, self.thread(incoming))

    async def forget(self, place: Place, source: str) -> None:
        """A message is gone, and with it what was asked about it."""
        await self.receiver.on_delete(source, place.id)
        for turn, thread in await taken_along.recall(self.connection.journal, source):
            await self.receiver.on_delete(turn, thread)

    async def hold(self, place: Place) -> None:
        """What follows in this thread is for the bot."""
        await self.connection.journal.note(_root(place), "held")

    async def holds(self, place: Place) -> bool:
        return await self.connection.journal.recall(_root(place)) is not None

    async def is_meant(self, incoming: Incoming, meant: Meant) -> bool:
        return meant is Meant.SURELY or await self.holds(incoming.place)

    async def stop(self, visit: Visit, place: Place) -> bool:
        """What runs in that thread; in a DM outside of any, what ran there last. Whether anything did."""
        if await self.receiver.on_stop(visit, place.id):
            return True
        if place.is_dm and not await self._is_known(place):
            for thread in await self._threads_in(place):
                if await self.receiver.on_stop(visit, thread):
                    return True
        if await self._stops_as_manager(visit, place):
            return True
        await self._say_nothing_runs(visit, place)
        return False

    async def _stops_as_manager(self, visit: Visit, place: Place) -> bool:
        """What others have asked for. Slack is asked about whoever stops only here, since that takes a while."""
        if place.is_dm or visit.is_manager:
            return False
        if not await self.connection.people.is_manager(visit.author.id, place.channel):
            return False
        return await self.receiver.on_stop(replace(visit, is_manager=True), place.id)

    def thread(self, incoming: Incoming) -> SlackThread:
        message, place = incoming.message, incoming.place
        address = Address(
            team=place.team,
            channel=place.channel,
            thread_ts=place.thread_ts,
            turn=message.id,
            question_ts=incoming.ts,
            asker="" if incoming.visit.is_bot else message.author.id,
            asker_team=incoming.visit.asker_team or place.team,
        )
        title = message.text.strip().split("\n", maxsplit=1)[0]
        return SlackThread(self.connection, address, title)

    async def _is_known(self, place: Place) -> bool:
        return any(place.id == thread for thread in await self._threads_in(place))

    async def _threads_in(self, place: Place) -> list[ThreadId]:
        recent = await self.receiver.recent(PLATFORM, place.team)
        return [thread for thread, _ in recent if Place.of(thread).channel == place.channel]

    async def _forget_files(self, files: tuple[str, ...]) -> None:
        for file in files:
            await self.receiver.on_file_deleted(PLATFORM, self.connection.us.team, file)

    async def _say_nothing_runs(self, visit: Visit, place: Place) -> None:
        """To whoever wanted something stopped; and Slack must not go on saying that something runs."""
        web, people = self.connection.web, self.connection.people
        try:
            locale = (await people.author(visit.author.id)).locale
            sentence = say(locale, "slack_nothing_runs")
            await Answers(self.connection).whisper(visit.author.id, place, sentence, is_urgent=False)
            await web.once(
                "agents.sessions.setStatus",
                channel_id=place.channel,
                thread_ts=place.thread_ts,
                status="active",
            )
        except SlackRefused as error:
            log.info("slack.not_said", code=error.code)
        except PlatformUnavailable:
            log.info("slack.not_said")


def _root(place: Place) -> str:
    return f"{place.id}{ROOT}"
