"""Discord on loopback: REST, gateway and file server, spoken to by the real discord.py.

`world` holds what exists, `rules` what Discord refuses, `rest` and `gateway` are the wire, `people` what members do.
"""

from tests.fakes.discord.clock import FakeClock
from tests.fakes.discord.server import FakeDiscord

__all__ = ["FakeClock", "FakeDiscord"]
