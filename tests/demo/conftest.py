"""The core's thread, session and asker serve here too."""

from tests.core.conftest import chat

__all__ = ["chat"]
