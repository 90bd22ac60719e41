"""Settings for one run of the program, and its last words when an error ends it."""

from bot import config, log
from bot.cli.ending import Code, Ended
from bot.config import Settings, SettingsRefused
from bot.errors import BotError, ModelMisconfigured, SandboxNotReady
from bot.sentences import explain

NOT_SET_UP = (SandboxNotReady, ModelMisconfigured)
"""Errors that only installing, starting or configuring something can mend."""


def load() -> Settings:
    """The settings of this process, with its log as they want it."""
    try:
        settings = config.load()
    except SettingsRefused as error:
        raise Ended(Code.USAGE, str(error)) from error
    log.configure(settings.log_level, settings.log_format)
    return settings


def ended(error: BotError, settings: Settings) -> Ended:
    """What the program says of an error, and with which code it ends."""
    sentence = explain(
        settings.locale, error, contact=settings.operator_contact, endpoint=settings.endpoint_host
    )
    return Ended(Code.NOT_SET_UP if isinstance(error, NOT_SET_UP) else Code.FAILED, sentence)
