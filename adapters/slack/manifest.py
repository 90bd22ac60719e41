"""The description of the app from which Slack makes one: only what is switched on, and why it is asked for. Pure.

https://docs.slack.dev/reference/app-manifest
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ASK_SHORTCUT, ANALYZE_SHORTCUT = "new_analysis", "analyze_message"
COMMAND = "/plotline"


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    """As the operator switches it off with."""
    does: str
    scopes: tuple[str, ...]
    events: tuple[str, ...] = ()
    without: str = ""
    """What is lost; empty where nothing works without it."""

    @property
    def is_needed(self) -> bool:
        return not self.without


FEATURES = (
    Feature(
        "mentions",
        "answers where it is mentioned",
        ("app_mentions:read", "chat:write"),
        ("app_mention", "app_uninstalled", "tokens_revoked"),
    ),
    Feature("direct-messages", "answers in direct messages", ("im:history",), ("message.im", "app_home_opened")),
    Feature(
        "agent",
        "shows that it works, with Slack's own Stop button, streams its steps, suggests prompts",
        ("assistant:write",),
        ("agent_session_stopped", "agent_session_title_changed", "app_context_changed"),
        "an emoji on the question says that it works, a message is updated instead of streamed",
    ),
    Feature(
        "files-in",
        "reads the files that people attach",
        ("files:read",),
        ("file_deleted",),
        "attached files are named as not readable; forms take none",
    ),
    Feature(
        "files-out",
        "shares charts and files in the thread",
        ("files:write",),
        (),
        "answers come as text only, and say which permission is missing",
    ),
    Feature(
        "channels",
        "goes on in threads of public channels without a mention, reads what was said above, catches up",
        ("channels:history", "channels:read"),
        ("message.channels", "member_joined_channel", "channel_deleted"),
        "each message in a public channel has to mention it, and it knows nothing of what was said above",
    ),
    Feature(
        "private-channels",
        "the same in private channels",
        ("groups:history", "groups:read"),
        ("message.groups", "group_deleted"),
        "each message in a private channel has to mention it",
    ),
    Feature(
        "group-messages",
        "the same in group direct messages",
        ("mpim:history", "mpim:read"),
        ("message.mpim",),
        "it hears nothing in group direct messages",
    ),
    Feature(
        "people",
        "knows names, languages and time zones of those who ask, and who is a guest",
        ("users:read",),
        (),
        "guests cannot be told from members, people are called by their ids, fixed sentences are English, times UTC",
    ),
    Feature(
        "user-groups",
        "knows who is in which user group, where only some of them may ask",
        ("usergroups:read",),
        (),
        "who may ask cannot be said by user groups",
    ),
    Feature(
        "private-answers",
        "writes to somebody directly where it may not write in the channel, and for forms",
        ("im:write", "im:read"),
        (),
        "an answer that a channel does not take is lost to the log",
    ),
    Feature(
        "reactions",
        "puts 👀 on a question where Slack cannot show that it works otherwise",
        ("reactions:write",),
        (),
        "nothing shows that it works in a Slack without agents",
    ),
    Feature(
        "command",
        f"{COMMAND}, and the shortcuts",
        ("commands",),
        (),
        f"there is no {COMMAND}, no form, and no \"Analyze with Plotline\" on messages",
    ),
)  # fmt: skip


OPTIONAL = tuple(feature.name for feature in FEATURES if not feature.is_needed)

WHEN = {
    "agent_session_stopped": "somebody presses Slack's own Stop button",
    "agent_session_title_changed": "Slack tells agents of new titles; nothing is done with it",
    "app_context_changed": "Slack tells agents what somebody looks at; nothing is done with it",
    "app_home_opened": "somebody opens its Home tab, which shows what they have used",
    "app_mention": "somebody mentions it",
    "app_uninstalled": "it is removed, and deletes what it holds of the workspace",
    "channel_deleted": "a public channel is deleted, and what was said in it has to go here too",
    "file_deleted": "somebody deletes a file, and its copy has to go too",
    "group_deleted": "the same of a private channel",
    "member_joined_channel": "it is invited into a channel, and introduces itself",
    "message.channels": "somebody writes, edits or deletes a message in a public channel that it is in",
    "message.groups": "the same in a private channel",
    "message.im": "somebody writes to it directly",
    "message.mpim": "the same in a group direct message",
    "tokens_revoked": "its token ends, as when it is removed",
}
"""What an event tells it. Of messages that are not for it nothing is kept."""


def manifest(without: Collection[str] = (), url: str | None = None) -> Json:
    """For all features but those named. Events come over Socket Mode, or to `url` where there is one."""
    features = [feature for feature in FEATURES if feature.is_needed or feature.name not in without]
    names = {feature.name for feature in features}
    shown: Json = {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "plotline", "always_online": True},
    }
    if "agent" in names:
        shown["agent_view"] = _AGENT
    if "command" in names:
        shown |= _commands(url)
    interactivity: Json = {"is_enabled": True}
    subscriptions: Json = {"bot_events": sorted(event for each in features for event in each.events)}
    if url:
        interactivity["request_url"] = subscriptions["request_url"] = url
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Plotline",
            "description": "Answers questions about your data by running Python, in the thread.",
            "background_color": "#1f2937",
        },
        "features": shown,
        "oauth_config": {"scopes": {"bot": sorted(scope for each in features for scope in each.scopes)}},
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def explanation() -> list[tuple[str, str, str, str]]:
    """Scope, the feature that wants it, what that does, and what is lost without it."""
    return [
        (scope, feature.name, feature.does, feature.without or "nothing works")
        for feature in FEATURES
        for scope in feature.scopes
    ]


def reasons() -> str:
    """Why each permission and each event is asked for, for a terminal."""
    return "\n\n".join(_reason(feature) for feature in FEATURES)


def permissions_table() -> str:
    """Markdown, for docs/slack.md."""
    rows = [f"| `{scope}` | {does} | {without} |" for scope, _, does, without in explanation()]
    return "\n".join(["| Permission | With it, it | Without it |", "|---|---|---|", *rows])


def missing(granted: Collection[str]) -> list[tuple[str, Feature]]:
    """Scopes that an installation does not have, of all features."""
    return [(scope, feature) for feature in FEATURES for scope in feature.scopes if scope not in granted]


def _reason(feature: Feature) -> str:
    lines = [f"{feature.name}: it {feature.does}"]
    lines += [f"  permission {scope}" for scope in feature.scopes]
    lines += [f"  event {event}: {WHEN[event]}" for event in feature.events]
    lines += [f"  without them: {feature.without or 'nothing works'}"]
    return "\n".join(lines)


def _commands(url: str | None) -> Json:
    command = {
        "command": COMMAND,
        "description": "Ask about data in this channel",
        "usage_hint": "[question | help | usage]",
        "should_escape": True,
        **({"url": url} if url else {}),
    }
    return {
        "slash_commands": [command],
        "shortcuts": [
            {
                "name": "Analyze with Plotline",
                "type": "message",
                "callback_id": ANALYZE_SHORTCUT,
                "description": "Look into this message and its files",
            },
            {
                "name": "Ask Plotline",
                "type": "global",
                "callback_id": ASK_SHORTCUT,
                "description": "A form for a question and files",
            },
        ],
    }


_AGENT: Json = {
    "agent_description": "Ask a question, add a spreadsheet, a CSV or a picture: I run Python in a locked-down "
    "container and answer in the thread, with charts and files.",
    "suggested_prompts": [
        {"title": "Analyze a file", "message": "I attach a file. Look into it and tell me what stands out."},
        {"title": "Make a chart", "message": "Plot the data that I attach, and explain the trend."},
        {"title": "What can you do?", "message": "What can you do, and what are your limits?"},
    ],
}
