"""How an association ended: the cause, and what of a message had been received by then."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why an association ended."""

    RELEASE = "release"
    HALF = "half"
    """The peer released it within a message."""
    ABORT = "abort"
    """The peer aborted it."""
    LOST = "lost"
    """The connection ended without a release or an abort."""
    IDLE = "idle"
    """The peer sent nothing for too long."""
    BOUND = "bound"
    """The peer exceeded a bound or broke the protocol."""
    STOP = "stop"
    """This side was stopped."""
    STORAGE = "storage"
    """A release could not be recorded."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one association."""

    cause: Cause
    words: str = ""
    """What happened, if the cause does not say it all."""
    partial: str = ""
    """The message that was received in part, or not answered, in words; empty if there was none."""
    quiet_s: float | None = None
    """Seconds since something was received or answered last."""
