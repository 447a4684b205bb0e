"""How associations end: who ends each, why, and what of a message is half here then."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why an association ended."""

    RELEASE = "release"
    HALF = "half"
    """The peer released it in the middle of a message."""
    ABORT = "abort"
    """The peer aborted it."""
    LOST = "lost"
    """The connection ended without a word."""
    IDLE = "idle"
    BOUND = "bound"
    """The peer went beyond a bound, or broke the protocol."""
    STOP = "stop"
    """This side was stopped."""
    STORAGE = "storage"
    """A release could not be recorded."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one association."""

    cause: Cause
    words: str = ""
    """What happened, where the cause does not say all."""
    half: str = ""
    """What of a message was here without the rest or its answer; empty: nothing."""
    quiet_s: float | None = None
    """For how long nothing had come."""
