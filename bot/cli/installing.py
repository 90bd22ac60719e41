"""What can be typed after `plotline` to bring the bot into Slack and Discord. Imports nothing heavy."""

import argparse
from collections.abc import Callable

COMMANDS = frozenset({"slack", "discord"})

SLACK = """\
examples:
  plotline slack setup
  plotline slack setup --explain
  plotline slack manifest > manifest.json
"""
MANIFEST = """\
At https://api.slack.com/apps, "Create New App", "From a manifest" takes it. `plotline slack setup --explain` names the
features, and what is lost without each.

examples:
  plotline slack manifest
  plotline slack manifest --without private-channels --without group-messages
  plotline slack manifest --url https://bot.example.org/slack/events
"""
SETUP = """\
Leads from no app at all to a first reply. Both tokens are tried out, then written to .env in this directory, which
nobody else may read.

examples:
  plotline slack setup
  plotline slack setup --explain
"""
DISCORD = """\
examples:
  plotline discord invite
  plotline discord invite --application 112233445566778899
"""
INVITE = """\
Whoever opens the link and manages a server adds the bot to it, with the permissions that it needs and no others.

examples:
  plotline discord invite
  plotline discord invite --application 112233445566778899 --json | jq -r .link
"""

Command = Callable[[str, str, str], argparse.ArgumentParser]


def add_slack(command: Command) -> None:
    manifest = command("manifest", "print the description from which Slack makes the app", MANIFEST)
    manifest.add_argument(
        "--without", metavar="FEATURE", action="append", default=[], help="leave it out (again for more)"
    )
    manifest.add_argument("--url", help="send events there over HTTP (default: over a socket of the bot's)")
    setup = command("setup", "make the app, step by step", SETUP)
    setup.add_argument(
        "--explain", action="store_true", help="say why each permission and event is needed, and do nothing"
    )


def add_discord(command: Command) -> None:
    invite = command("invite", "print the link that adds the bot to a server", INVITE)
    invite.add_argument(
        "--application", metavar="ID", type=_id, help="(default: the one that DISCORD_TOKEN belongs to)"
    )
    invite.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _id(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


# What argparse calls this type when it complains of a value.
_id.__name__ = "id"
