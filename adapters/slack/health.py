"""How the connection to Slack is, measured at the connection."""

from dataclasses import dataclass, field

from adapters.slack.clock import Clock

QUIET_SECONDS = 60
"""Without a pong for so long, a socket is deaf: Slack answers pings at once."""


@dataclass(slots=True)
class Health:
    clock: Clock = field(default_factory=Clock)
    is_connected: bool = False
    last_event: float | None = None
    """On the clock, as all of these."""
    last_pong: float | None = None
    connections: int = 0
    """How many were opened since the start."""
    is_called: bool = False
    """Slack comes to us, over HTTP: that it has not for a while says nothing."""

    @property
    def is_ready(self) -> bool:
        """Whether events would be heard now."""
        if self.is_called:
            return self.is_connected
        heard = [at for at in (self.last_event, self.last_pong) if at is not None]
        return self.is_connected and bool(heard) and self.clock.now() - max(heard) < QUIET_SECONDS

    @property
    def reconnects(self) -> int:
        return max(0, self.connections - 1)

    def connected(self) -> None:
        self.is_connected = True
        self.connections += 1
        self.heard_pong()

    def heard_event(self) -> None:
        self.last_event = self.clock.now()

    def heard_pong(self) -> None:
        self.last_pong = self.clock.now()
