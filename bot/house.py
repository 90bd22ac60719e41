"""What people are told of this installation."""

from dataclasses import dataclass

from bot.transcript import DataMode


@dataclass(frozen=True, slots=True)
class House:
    endpoint: str
    """Who reads what the model is asked."""
    data: DataMode
    retention_days: int
    """0: for ever."""
    contact: str
    """Who runs it, as people should read it."""
