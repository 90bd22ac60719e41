"""The methods of the Web API, each on the workspace's state. What they refuse is raised as `Refusal`."""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.slack.rules import (
    STATUSES,
    Json,
    Refusal,
    check_blocks,
    check_chunks,
    check_message,
    check_metadata,
    check_view,
    types_in,
    weight,
)
from tests.fakes.slack.state import (
    BOT_ID,
    BOT_NAME,
    BOT_USER,
    STATUS_SECONDS,
    STREAM_BYTES,
    STREAM_SECONDS,
    TEAM,
    Channel,
    File,
    Status,
    Stream,
    Workspace,
)

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "agents.sessions.setStatus": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "assistant.threads.setTitle": "assistant:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "files.info": "files:read",
    "files.delete": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "users.info": "users:read",
    "users.conversations": "channels:read",
    "usergroups.list": "usergroups:read",
    "conversations.info": "channels:read",
    "conversations.members": "channels:read",
    "conversations.open": "im:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
}
"""What each method needs; for private channels and DMs the word before the colon differs."""

TRIGGER_SECONDS = 3

KIND_SCOPES = {"im": "im", "mpim": "mpim", "group": "groups", "channel": "channels"}


class Methods:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.url = ""
        self.refused_blocks: set[str] = set()
        """Types of blocks that this workspace does not know."""
        self.streams_in_channels = True
        self.is_agent = True
        self.has_stop_event = True
        self.most_on_page = 1000
        """Messages: 15 for apps that are distributed outside of Slack's marketplace."""
        self.triggers: dict[str, float] = {}
        """When each was given out."""

    def call(self, method: str, args: Json) -> Json:
        handler: Callable[[Json], Json] | None = _HANDLERS.get(method)
        if handler is None:
            raise Refusal("unknown_method")
        return handler.__get__(self)(args)  # type: ignore[no-any-return]  # a method of this class

    def scope_for(self, method: str, args: Json) -> str | None:
        scope = SCOPES.get(method)
        channel = self._workspace.channels.get(str(args.get("channel") or args.get("channel_id")))
        if scope and scope.startswith("channels:") and channel:
            return f"{KIND_SCOPES[channel.kind]}:{scope.split(':')[1]}"
        return scope

    # Messages

    def _post_message(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        check_message(args, text_limit=None)
        self._check_types(args)
        if args.get("thread_ts"):
            self._check_thread(channel, args["thread_ts"])
        message = self._workspace.add_message(channel, self._own(args))
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        if args.get("user") not in channel.members:
            raise Refusal("user_not_in_channel")
        check_message(args, text_limit=None)
        self._check_types(args)
        self._workspace.ephemerals.append(args)
        return {"message_ts": self._workspace.new_ts()}

    def _update(self, args: Json) -> Json:
        channel = self._workspace.channel(args.get("channel"))
        message = channel.message(str(args.get("ts")))
        if message.get("bot_id") != BOT_ID:
            raise Refusal("cant_update_message")
        stream = self._workspace.streams.get(message["ts"])
        if stream and stream.is_open and self._workspace.clock.now - stream.started < STREAM_SECONDS:
            raise Refusal("streaming_state_conflict")
        check_message(args, text_limit=4000)
        self._check_types(args)
        for name in ("text", "blocks", "metadata", "markdown_text"):
            if name in args:
                message[name] = args[name]
        if stream:
            message.pop("chunks", None)
        return {"channel": channel.id, "ts": message["ts"], "text": message.get("text", "")}

    def _delete(self, args: Json) -> Json:
        channel = self._workspace.channel(args.get("channel"))
        message = channel.message(str(args.get("ts")))
        if message.get("bot_id") != BOT_ID:
            raise Refusal("cant_delete_message")
        channel.messages.remove(message)
        return {"channel": channel.id, "ts": message["ts"]}

    def _permalink(self, args: Json) -> Json:
        channel = self._workspace.channel(args.get("channel"))
        message = channel.message(str(args.get("message_ts")))
        place = message["ts"].replace(".", "")
        return {"permalink": f"https://team.slack.com/archives/{channel.id}/p{place}"}

    # Streams

    def _start_stream(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        if not args.get("thread_ts"):
            raise Refusal("invalid_arguments", "thread_ts")
        self._check_thread(channel, args["thread_ts"])
        if not channel.id.startswith("D"):
            if not self.streams_in_channels:
                raise Refusal("channel_type_not_supported")
            for name in ("recipient_team_id", "recipient_user_id"):
                if not args.get(name):
                    raise Refusal(f"missing_{name}")
        check_chunks(args)
        chunks = self._chunks(args)
        message = self._workspace.add_message(
            channel, {**self._own({}), "thread_ts": args["thread_ts"], "chunks": chunks, "text": ""}
        )
        self._workspace.streams[message["ts"]] = Stream(self._workspace.clock.now, chunks)
        self._check_weight(chunks)
        return {"channel": channel.id, "ts": message["ts"]}

    def _append_stream(self, args: Json) -> Json:
        stream = self._open_stream(args)
        check_chunks(args)
        chunks = self._chunks(args)
        self._check_weight([*stream.chunks, *chunks])
        stream.chunks.extend(chunks)
        return {"channel": args["channel"], "ts": args["ts"]}

    def _stop_stream(self, args: Json) -> Json:
        stream = self._open_stream(args)
        check_chunks(args)
        check_blocks(args.get("blocks") or [])
        check_metadata(args.get("metadata"))
        chunks = self._chunks(args)
        self._check_weight([*stream.chunks, *chunks])
        stream.chunks.extend(chunks)
        stream.is_open = False
        channel = self._workspace.channel(args["channel"])
        message = channel.message(args["ts"])
        message |= {name: args[name] for name in ("blocks", "metadata") if args.get(name)}
        if args.get("session_status"):
            self._workspace.sessions[channel.id, message["thread_ts"]] = args["session_status"]
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _open_stream(self, args: Json) -> Stream:
        self._workspace.channel(args.get("channel")).message(str(args.get("ts")))
        stream = self._workspace.streams.get(str(args.get("ts")))
        if stream is None:
            raise Refusal("message_not_in_streaming_state")
        if stream.stopped_by_user:
            raise Refusal("stopped_by_user")
        if not stream.is_open or self._workspace.clock.now - stream.started >= STREAM_SECONDS:
            raise Refusal("message_not_in_streaming_state")
        return stream

    def _chunks(self, args: Json) -> list[Json]:
        if args.get("markdown_text"):
            return [{"type": "markdown_text", "text": args["markdown_text"]}]
        return list(args.get("chunks") or [])

    def _check_weight(self, chunks: list[Json]) -> None:
        if any(chunk["type"] == "markdown_text" for chunk in chunks) and weight(chunks) > STREAM_BYTES:
            raise Refusal("msg_too_long")

    # Signs of life

    def _set_session_status(self, args: Json) -> Json:
        if not self.is_agent:
            raise Refusal("not_agent_app")
        channel = self._joined(args.get("channel_id"))
        if args.get("status") not in STATUSES or not args.get("thread_ts"):
            raise Refusal("invalid_arguments")
        if len(args.get("title") or "") > 200:
            raise Refusal("invalid_arguments", "title")
        self._check_thread(channel, args["thread_ts"])
        place = channel.id, args["thread_ts"]
        if args.get("title") and place not in self._workspace.sessions:
            self._workspace.titles[place] = args["title"]
        self._workspace.sessions[place] = args["status"]
        if args["status"] == "processing" and not self.has_stop_event:
            return {"warning": "missing_agent_session_stopped_event_subscription"}
        return {"status": args["status"]}

    def _set_thread_status(self, args: Json) -> Json:
        channel = self._joined(args.get("channel_id"))
        messages = args.get("loading_messages") or []
        if "status" not in args or not args.get("thread_ts"):
            raise Refusal("invalid_arguments")
        if len(messages) > 10 or any(len(each) > 50 for each in messages):
            raise Refusal("invalid_arguments", "loading_messages")
        self._check_thread(channel, args["thread_ts"])
        until = self._workspace.clock.now + STATUS_SECONDS
        self._workspace.statuses[channel.id, args["thread_ts"]] = Status(args["status"], until, messages)
        return {}

    def _set_title(self, args: Json) -> Json:
        if not self.is_agent:
            raise Refusal("not_agent_app")
        self._workspace.titles[args["channel_id"], args["thread_ts"]] = args["title"]
        return {}

    def _set_prompts(self, args: Json) -> Json:
        if not self.is_agent:
            raise Refusal("not_agent_app")
        channel = self._workspace.channel(args.get("channel_id"))
        prompts = args.get("prompts") or []
        if not 1 <= len(prompts) <= 4 or any(not (each["title"] and each["message"]) for each in prompts):
            raise Refusal("invalid_arguments")
        self._workspace.prompts[channel.id] = prompts
        return {}

    def _add_reaction(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        reactions = self._workspace.reactions.setdefault((channel.id, str(args.get("timestamp"))), set())
        channel.message(str(args.get("timestamp")))
        if args["name"] in reactions:
            raise Refusal("already_reacted")
        reactions.add(args["name"])
        return {}

    def _remove_reaction(self, args: Json) -> Json:
        channel = self._workspace.channel(args.get("channel"))
        reactions = self._workspace.reactions.setdefault((channel.id, str(args.get("timestamp"))), set())
        if args["name"] not in reactions:
            raise Refusal("no_reaction")
        reactions.remove(args["name"])
        return {}

    # Files

    def _upload_url(self, args: Json) -> Json:
        length = int(args.get("length") or 0)
        if not args.get("filename") or length <= 0:
            raise Refusal("invalid_arguments", "length must be > 0")
        if len(args.get("alt_txt") or "") > 1000:
            raise Refusal("alt_txt_too_large")
        file = File(
            id=f"F{self._workspace.next()}",
            name=args["filename"],
            content=b"",
            media_type="",
            by=BOT_USER,
            alt_text=args.get("alt_txt") or "",
            is_complete=False,
            declared_size=length,
        )
        self._workspace.files[file.id] = file
        return {"upload_url": f"{self.url}/upload/{file.id}", "file_id": file.id}

    def _complete_upload(self, args: Json) -> Json:
        given = args.get("files")
        listed: list[Json] = (json.loads(given) if isinstance(given, str) else given) or []
        files = [self._file(each["id"]) for each in listed]
        if not files:
            raise Refusal("invalid_arguments")
        if any(len(file.content) != file.declared_size for file in files):
            raise Refusal("file_not_found", "nothing was uploaded")
        channel_id = args.get("channel_id")
        if channel_id and channel_id[0] not in "CGD":
            raise Refusal("invalid_arguments", "channel_id")
        for file, each in zip(files, listed, strict=True):
            file.title = each.get("title") or file.name
        if channel_id:
            channel = self._joined(channel_id)
            if args.get("thread_ts"):
                self._check_thread(channel, args["thread_ts"])
            message = self._workspace.add_message(
                channel,
                {
                    **self._own({"text": args.get("initial_comment") or ""}),
                    "subtype": "file_share",
                    **({"thread_ts": args["thread_ts"]} if args.get("thread_ts") else {}),
                },
            )
            for file in files:
                file.shares.setdefault(channel.id, []).append(message["ts"])
            message["files"] = [self._workspace.file_object(file, self.url) for file in files]
        for file in files:
            file.is_complete = True
        return {"files": [{"id": file.id, "title": file.title} for file in files]}

    def _file_info(self, args: Json) -> Json:
        return {"file": self._workspace.file_object(self._file(args.get("file")), self.url)}

    def _delete_file(self, args: Json) -> Json:
        file = self._file(args.get("file"))
        if file.by != BOT_USER:
            raise Refusal("cant_delete_file")
        del self._workspace.files[file.id]
        return {}

    def _file(self, id: Any) -> File:  # noqa: A002  # as Slack calls it
        if id not in self._workspace.files:
            raise Refusal("file_not_found")
        return self._workspace.files[id]

    # Places and people

    def _auth_test(self, args: Json) -> Json:
        return {
            "url": "https://team.slack.com/",
            "team": "Team",
            "team_id": TEAM,
            "user": BOT_NAME,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def _bot_info(self, args: Json) -> Json:
        return {"bot": {"id": BOT_ID, "app_id": "A1", "user_id": BOT_USER, "name": BOT_NAME}}

    def _user_info(self, args: Json) -> Json:
        user = self._workspace.users.get(str(args.get("user")))
        if user is None:
            raise Refusal("user_not_found")
        shown = dict(user)
        if not args.get("include_locale"):
            shown.pop("locale", None)
        return {"user": shown}

    def _user_groups(self, args: Json) -> Json:
        with_users = args.get("include_users") in {True, "1", "true"}
        groups = [{"id": group, "users": sorted(users)} for group, users in self._workspace.groups.items()]
        if not with_users:
            groups = [{"id": group["id"]} for group in groups]
        return {"usergroups": groups}

    def _user_conversations(self, args: Json) -> Json:
        channels = [each for each in self._workspace.channels.values() if BOT_USER in each.members]
        return {"channels": [{"id": each.id, "name": each.name} for each in channels]}

    def _conversation_info(self, args: Json) -> Json:
        channel = self._workspace.channel(args.get("channel"))
        return {
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "creator": channel.creator,
                "is_archived": channel.is_archived,
                "is_private": channel.is_private,
                "is_member": BOT_USER in channel.members,
                "is_im": channel.kind == "im",
            }
        }

    def _conversation_members(self, args: Json) -> Json:
        return {"members": sorted(self._workspace.channel(args.get("channel")).members)}

    def _open_conversation(self, args: Json) -> Json:
        user = str(args.get("users"))
        if user not in self._workspace.users:
            raise Refusal("user_not_found")
        channel = Channel(f"D{user}", "", {user, BOT_USER})
        self._workspace.channels.setdefault(channel.id, channel)
        return {"channel": {"id": channel.id}}

    def _history(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        top = [each for each in channel.messages if each.get("thread_ts", each["ts"]) == each["ts"]]
        return self._page(args, list(reversed(top)))

    def _replies(self, args: Json) -> Json:
        channel = self._joined(args.get("channel"))
        thread = channel.thread(str(args.get("ts")))
        if not thread:
            raise Refusal("thread_not_found")
        answer = self._page(args, thread)
        if not args.get("cursor") and thread[0]["ts"] not in {each["ts"] for each in answer["messages"]}:
            # The root comes along, however old.
            answer["messages"].insert(0, dict(thread[0]))
        return answer

    def _page(self, args: Json, messages: list[Json]) -> Json:
        oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999.9")
        inclusive = args.get("inclusive") in {True, "1", "true"}
        within = [
            each
            for each in messages
            if float(oldest) < float(each["ts"]) < float(latest)
            or (inclusive and each["ts"] in {oldest, latest})
        ]
        limit, start = min(int(args.get("limit") or 100), self.most_on_page), int(args.get("cursor") or 0)
        shown = [dict(each) for each in within[start : start + limit]]
        if args.get("include_all_metadata") not in {True, "1", "true"}:
            for each in shown:
                each.pop("metadata", None)
        more = start + limit < len(within)
        cursor = str(start + limit) if more else ""
        return {"messages": shown, "has_more": more, "response_metadata": {"next_cursor": cursor}}

    # Views

    def _open_view(self, args: Json) -> Json:
        given = self.triggers.pop(str(args.get("trigger_id")), None)
        if given is None:
            raise Refusal("invalid_trigger_id")
        if self._workspace.clock.now - given > TRIGGER_SECONDS:
            raise Refusal("expired_trigger_id")
        return self._show_view(args)

    def _show_view(self, args: Json) -> Json:
        view = self._view(args)
        check_view(view)
        self._check_types(view)
        shown = {**view, "id": args.get("view_id") or f"V{self._workspace.next()}", "hash": "1"}
        self._workspace.views.append(shown)
        return {"view": shown}

    def _publish_view(self, args: Json) -> Json:
        view = self._view(args)
        check_view(view)
        self._workspace.homes[str(args.get("user_id"))] = view
        return {"view": view}

    def _view(self, args: Json) -> Json:
        view = args.get("view")
        parsed: Json = json.loads(view) if isinstance(view, str) else view or {}
        return parsed

    # Of all

    def _joined(self, channel_id: Any) -> Channel:
        channel = self._workspace.channel(channel_id)
        if BOT_USER not in channel.members:
            raise Refusal("not_in_channel")
        if channel.is_archived:
            raise Refusal("is_archived")
        return channel

    def _check_thread(self, channel: Channel, thread_ts: str) -> None:
        if not any(each["ts"] == thread_ts for each in channel.messages):
            raise Refusal("thread_not_found")

    def _check_types(self, args: Json) -> None:
        unknown = types_in(args.get("blocks") or []) & self.refused_blocks
        if unknown:
            raise Refusal("invalid_blocks", f"unsupported type: {sorted(unknown)}")

    def _own(self, args: Json) -> Json:
        kept: Json = {
            name: args[name]
            for name in ("text", "blocks", "thread_ts", "metadata", "markdown_text")
            if name in args
        }
        if "text" in kept:
            kept["text"] = kept["text"][:40_000]
        return {"user": BOT_USER, "bot_id": BOT_ID, "app_id": "A1", "team": TEAM, **kept}


_HANDLERS: dict[str, Any] = {
    "auth.test": Methods._auth_test,
    "bots.info": Methods._bot_info,
    "chat.postMessage": Methods._post_message,
    "chat.postEphemeral": Methods._post_ephemeral,
    "chat.update": Methods._update,
    "chat.delete": Methods._delete,
    "chat.getPermalink": Methods._permalink,
    "chat.startStream": Methods._start_stream,
    "chat.appendStream": Methods._append_stream,
    "chat.stopStream": Methods._stop_stream,
    "agents.sessions.setStatus": Methods._set_session_status,
    "assistant.threads.setStatus": Methods._set_thread_status,
    "assistant.threads.setTitle": Methods._set_title,
    "assistant.threads.setSuggestedPrompts": Methods._set_prompts,
    "reactions.add": Methods._add_reaction,
    "reactions.remove": Methods._remove_reaction,
    "files.getUploadURLExternal": Methods._upload_url,
    "files.completeUploadExternal": Methods._complete_upload,
    "files.info": Methods._file_info,
    "files.delete": Methods._delete_file,
    "users.info": Methods._user_info,
    "users.conversations": Methods._user_conversations,
    "usergroups.list": Methods._user_groups,
    "conversations.info": Methods._conversation_info,
    "conversations.members": Methods._conversation_members,
    "conversations.open": Methods._open_conversation,
    "conversations.history": Methods._history,
    "conversations.replies": Methods._replies,
    "views.open": Methods._open_view,
    "views.push": Methods._open_view,
    "views.update": Methods._show_view,
    "views.publish": Methods._publish_view,
}
