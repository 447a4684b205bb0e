"""Priority of a series: as its sender gave it with C-STORE (PS3.7 9.3.1.1), or a rule does."""

from enum import IntEnum
from typing import Literal

PriorityName = Literal["low", "medium", "high"]
_ON_THE_WIRE = {0x0000: 0, 0x0001: 1, 0x0002: -1}


class Priority(IntEnum):
    """Priority of a job; a greater number goes first."""

    LOW = -1
    MEDIUM = 0
    HIGH = 1

    @classmethod
    def on_the_wire(cls, value: int | None) -> "Priority":
        """Return the meaning of Priority (0000,0700); a missing or unknown one is MEDIUM."""
        return cls(_ON_THE_WIRE.get(0 if value is None else value, 0))

    @classmethod
    def named(cls, name: str) -> "Priority":
        """Return the priority that a rule names, such as `high`."""
        return cls[name.upper()]

    @property
    def words(self) -> str:
        """Name as rules have it, such as `high`."""
        return self.name.lower()
