"""Meanings of C-STORE statuses in one table (PS3.4 Table B.2-1, PS3.7 Annex C)."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Outcome of an instance that was to be stored at a peer."""

    STORED = "stored"
    WARNING = "warning"
    """Stored, but with elements changed, discarded or questioned by the peer."""
    REFUSED = "refused"
    OUT_OF_RESOURCES = "out of resources"
    DUPLICATE = "duplicate"
    """Refused because the peer holds an instance with this UID."""
    FAILED = "failed"
    """The peer failed to process it, which may pass, such as a collision of two requests."""
    NOT_ACCEPTED = "not accepted"
    """The peer accepts no presentation context for it."""
    NOT_SENT = "not sent"
    """No status was received: the instance was not sent, or not answered."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    first: int
    last: int
    state: State
    words: str


_MEANINGS = (
    # PS3.4 Table B.2-1: Storage Service Class
    _Meaning(0x0000, 0x0000, State.STORED, "Success"),
    _Meaning(0xA700, 0xA7FF, State.OUT_OF_RESOURCES, "Refused: out of resources"),
    _Meaning(0xA900, 0xA9FF, State.REFUSED, "Error: data set does not match SOP class"),
    _Meaning(0xB000, 0xB000, State.WARNING, "Warning: coercion of data elements"),
    _Meaning(0xB006, 0xB006, State.WARNING, "Warning: elements discarded"),
    _Meaning(0xB007, 0xB007, State.WARNING, "Warning: data set does not match SOP class"),
    _Meaning(0xB000, 0xBFFF, State.WARNING, "Warning"),
    _Meaning(0xC000, 0xCFFF, State.REFUSED, "Error: cannot understand"),
    # PS3.7 section 9.1.1.1.9 and Annex C: general statuses
    _Meaning(0x0001, 0x0001, State.WARNING, "Warning: optional attributes not supported"),
    _Meaning(0x0105, 0x0105, State.REFUSED, "Error: no such attribute"),
    _Meaning(0x0106, 0x0106, State.REFUSED, "Error: invalid attribute value"),
    _Meaning(0x0107, 0x0107, State.WARNING, "Warning: attribute list error"),
    _Meaning(0x0110, 0x0110, State.FAILED, "Error: processing failure"),
    _Meaning(0x0111, 0x0111, State.DUPLICATE, "Error: duplicate SOP instance"),
    _Meaning(0x0112, 0x0112, State.REFUSED, "Error: no such SOP instance"),
    _Meaning(0x0113, 0x0113, State.REFUSED, "Error: no such event type"),
    _Meaning(0x0114, 0x0114, State.REFUSED, "Error: no such argument"),
    _Meaning(0x0115, 0x0115, State.REFUSED, "Error: invalid argument value"),
    _Meaning(0x0116, 0x0116, State.WARNING, "Warning: attribute value out of range"),
    _Meaning(0x0117, 0x0117, State.REFUSED, "Error: invalid SOP instance"),
    _Meaning(0x0118, 0x0118, State.REFUSED, "Error: no such SOP class"),
    _Meaning(0x0119, 0x0119, State.REFUSED, "Error: class-instance conflict"),
    _Meaning(0x0120, 0x0120, State.REFUSED, "Error: missing attribute"),
    _Meaning(0x0121, 0x0121, State.REFUSED, "Error: missing attribute value"),
    _Meaning(0x0122, 0x0122, State.REFUSED, "Refused: SOP class not supported"),
    _Meaning(0x0123, 0x0123, State.REFUSED, "Error: no such action"),
    _Meaning(0x0124, 0x0124, State.REFUSED, "Refused: not authorized"),
    _Meaning(0x0210, 0x0210, State.FAILED, "Error: duplicate invocation"),
    _Meaning(0x0211, 0x0211, State.REFUSED, "Error: unrecognized operation"),
    _Meaning(0x0212, 0x0212, State.REFUSED, "Error: mistyped argument"),
    _Meaning(0x0213, 0x0213, State.OUT_OF_RESOURCES, "Error: resource limitation"),
    _Meaning(0xFE00, 0xFE00, State.REFUSED, "Cancelled by the peer"),
    _Meaning(0xFF00, 0xFF01, State.REFUSED, "Error: pending, which ends no C-STORE"),
)


def state_of(status: int) -> State:
    """Outcome that a status stands for; a status that no table names counts as refused.

    Every status of class B000 is a warning (PS3.7 Annex C.4), whoever defines it.
    """
    meaning = _meaning_of(status)
    return State.REFUSED if meaning is None else meaning.state


def words_of(status: int, comment: str = "") -> str:
    """Status in words, with its code and the peer's ErrorComment if there is one."""
    meaning = _meaning_of(status)
    words = "Error: status unknown to the standard" if meaning is None else meaning.words
    comment = comment.strip()
    return f"{words} (0x{status:04X})" + (f": {comment}" if comment else "")


def _meaning_of(status: int) -> _Meaning | None:
    """The first meaning that fits, so that single statuses come before their class."""
    return next((one for one in _MEANINGS if one.first <= status <= one.last), None)
