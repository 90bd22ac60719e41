"""What members do: they write, edit, delete, use commands, click, fill in forms."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import COMMAND, COMPONENT, MODAL, Interaction
from tests.fakes.discord.rest import UPLOAD_LIMITS, Rest
from tests.fakes.discord.rules import Payload, walk
from tests.fakes.discord.world import EVERYTHING, World

File = tuple[str, bytes, str]
"""Name, content, media type."""


class People:
    def __init__(self, world: World, gateway: Gateway, rest: Rest, bot: Payload) -> None:
        self._world = world
        self._gateway = gateway
        self._rest = rest
        self._bot = bot

    async def say(
        self, author: Payload, channel: Payload, text: str, files: Sequence[File] = (), **facts: Any
    ) -> Payload:
        message = self._world.message(channel["id"], author, text, **facts)
        message["attachments"] = [self._world.attachment(channel["id"], *file) for file in files]
        await self._gateway.emit("MESSAGE_CREATE", self.in_event(message))
        return message

    async def mention(
        self, author: Payload, channel: Payload, text: str, files: Sequence[File] = (), **facts: Any
    ) -> Payload:
        return await self.say(author, channel, f"<@{self._bot['id']}> {text}", files, **facts)

    async def reply(self, author: Payload, to: Payload, text: str) -> Payload:
        """With the ping that Discord's clients put on a reply."""
        reference = {"message_id": to["id"], "channel_id": to["channel_id"]}
        channel = self._world.channels[to["channel_id"]]
        facts = {"type": 19, "message_reference": reference, "referenced_message": to}
        named = [each for each in self._world.users.values() if f"<@{each['id']}>" in text]
        return await self.say(author, channel, text, **facts, mentions=[to["author"], *named])

    async def edit(self, message: Payload, text: str) -> None:
        message |= {"content": text, "edited_timestamp": self._world.now()}
        message["mentions"] = [each for each in self._world.users.values() if f"<@{each['id']}>" in text]
        await self._gateway.emit("MESSAGE_UPDATE", self.in_event(message))

    async def unfurl(self, message: Payload) -> None:
        """What Discord itself does to a message with a link."""
        message["embeds"] = [{"type": "link", "url": "https://example.com"}]
        await self._gateway.emit("MESSAGE_UPDATE", self.in_event(message))

    async def delete(self, message: Payload) -> None:
        self._world.messages.pop(message["id"], None)
        event = self.in_event(message)
        kept = {key: event[key] for key in ("id", "channel_id", "guild_id") if key in event}
        await self._gateway.emit("MESSAGE_DELETE", kept)

    async def add_bot_to(self, guild: Payload) -> None:
        self._world.join(guild, self._bot)
        payload = self._gateway.guild_payload(guild)
        del payload["unavailable"]  # by this clients tell a new guild from one that is there again
        await self._gateway.emit("GUILD_CREATE", payload)

    async def command(
        self,
        user: Payload,
        channel: Payload,
        name: str,
        options: Mapping[str, Any] | None = None,
        files: Mapping[str, File] | None = None,
        **context: Any,
    ) -> Interaction:
        """`/name`, with attachments under their options' names."""
        given, attached = dict(options or {}), dict(files or {})
        command = self._command(name, 1)
        chosen: list[Payload] = []
        resolved: Payload = {"attachments": {}, "channels": {}, "roles": {}, "users": {}}
        for option in command["options"]:
            if option["name"] in attached:
                made = self._world.attachment(channel["id"], *attached[option["name"]], ephemeral=True)
                resolved["attachments"][made["id"]] = made
                chosen.append({"name": option["name"], "type": option["type"], "value": made["id"]})
            elif option["name"] in given:
                value = given[option["name"]]
                if option["type"] == 7:
                    picked = {key: value[key] for key in ("id", "name", "type", "parent_id")}
                    resolved["channels"][value["id"]] = picked | {"permissions": str(EVERYTHING.value)}
                    value = value["id"]
                chosen.append({"name": option["name"], "type": option["type"], "value": value})
        data = {"id": command["id"], "name": name, "type": 1, "options": chosen}
        data["resolved"] = {key: value for key, value in resolved.items() if value}
        return await self._interact(user, channel["id"], COMMAND, data, **context)

    async def use_on(self, user: Payload, name: str, message: Payload, **context: Any) -> Interaction:
        """A command of a message's context menu."""
        command = self._command(name, 3)
        data = {"id": command["id"], "name": name, "type": 3, "target_id": message["id"]}
        data["resolved"] = {"messages": {message["id"]: message}}
        return await self._interact(user, message["channel_id"], COMMAND, data, **context)

    async def click(self, user: Payload, message: Payload, label: str, **context: Any) -> Interaction:
        button = self.button(message, label)
        data = {"component_type": 2, "custom_id": button["custom_id"], "id": button.get("id", 1)}
        return await self._interact(user, message["channel_id"], COMPONENT, data, clicked=message, **context)

    @staticmethod
    def button(message: Payload, label: str) -> Payload:
        for component in walk(message["components"]):
            emoji = (component.get("emoji") or {}).get("name")
            if component["type"] == 2 and label in {component.get("label"), emoji}:
                return component
        raise AssertionError(f"there is no button {label} on {message['components']}")

    async def submit(
        self, opened: Interaction, values: Mapping[str, str], files: Sequence[File] = ()
    ) -> Interaction:
        """The form that `opened` was answered with, filled in; values by the fields' custom ids."""
        assert opened.modal, "no form was shown"
        resolved: Payload = {}
        components: list[Payload] = []
        for number, row in enumerate(opened.modal["components"]):
            inner = row["component"] if row["type"] == 18 else row["components"][0]
            filled: Payload = {"type": inner["type"], "id": 100 + number, "custom_id": inner["custom_id"]}
            if inner["type"] == 19:
                made = [self._world.attachment(opened.channel_id, *file, ephemeral=True) for file in files]
                resolved |= {each["id"]: each for each in made}
                filled["values"] = [each["id"] for each in made]
            else:
                filled["value"] = values.get(inner["custom_id"], inner.get("value", ""))
            components.append({"type": 18, "id": 50 + number, "component": filled})
        data: Payload = {"custom_id": opened.modal["custom_id"], "components": components}
        if resolved:
            data["resolved"] = {"attachments": resolved}
        return await self._interact(opened.user, opened.channel_id, MODAL, data, clicked=opened.message)

    def in_event(self, message: Payload) -> Payload:
        guild_id = self._world.channels[message["channel_id"]].get("guild_id")
        if not guild_id:
            return message
        member = self._world.member(guild_id, message["author"], with_user=False)
        return message | {"guild_id": guild_id, "member": member}

    def _command(self, name: str, kind: int) -> Payload:
        return next(
            command
            for commands in self._rest.commands.values()
            for command in commands
            if command["name"] == name and command["type"] == kind
        )

    async def _interact(
        self,
        user: Payload,
        channel_id: str,
        kind: int,
        data: Payload,
        *,
        clicked: Payload | None = None,
        permissions: int = EVERYTHING.value,
        user_install: bool = False,
        tells_channel: bool = True,
        locale: str = "en-US",
    ) -> Interaction:
        world = self._world
        id_, channel = world.snowflake(), world.channels[channel_id]
        interaction = Interaction(
            id_, f"token{id_}", kind, user, channel_id, world.clock.now(), clicked, user_install
        )
        self._rest.interactions[interaction.token] = interaction
        guild_id = channel.get("guild_id")
        tier = world.guilds[guild_id]["premium_tier"] if guild_id in world.guilds else 0
        payload: Payload = {
            "id": id_,
            "application_id": self._bot["id"],
            "type": kind,
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": channel_id,
            "channel": channel | {"permissions": str(permissions)},
            "locale": locale,
            "app_permissions": str(world.permissions(channel, self._bot["id"]).value),
            "entitlements": [],
            "authorizing_integration_owners": {"1": user["id"]} if user_install else {"0": guild_id or "0"},
            "context": 0 if guild_id else 1,
            "attachment_size_limit": self._rest.upload_limit or UPLOAD_LIMITS[tier],
        }
        if guild_id:
            member = world.member(guild_id, user) | {"permissions": str(permissions)}
            guild = {"id": guild_id, "features": [], "locale": "en-US"}
            payload |= {"guild_id": guild_id, "guild": guild, "member": member, "guild_locale": "en-US"}
        else:
            payload["user"] = user
        if clicked:
            payload["message"] = clicked
        if not tells_channel:
            del payload["channel"]
        interaction.event = payload
        await self._gateway.emit("INTERACTION_CREATE", payload)
        return interaction
