"""Kinds of events, in the words in which they are stored: a word never changes."""

from enum import StrEnum

PERSON = "person: "
"""Begins the kinds of what people ask."""


class EventKind(StrEnum):
    """What happened; an event's own words say why and with what."""

    # came
    ASSOCIATION = "association"
    FOLDER = "folder"
    REFUSED = "refused"
    """An instance, by the node."""
    REJECTED = "rejected"
    """An association."""
    BOUND = "bound"
    """A peer went beyond a bound, and its connection was ended."""

    # completion
    WAITING = "waiting"
    COUNT = "count"
    WHOLE = "whole"
    PROCESSING = "processing"
    HELD = "held"
    KEPT = "kept"
    NOT_DONE = "not done"
    NO_DESTINATION = "no destination"

    # jobs
    DONE = "done"
    WARNING = "warning"
    FAILED = "failed"
    WORKER_DIED = "worker died"

    # delivery and proof
    DELIVERED = "delivered"
    NOT_DELIVERED = "not delivered"
    DEAD_LETTER = "dead letter"
    PROOF_CONFIRMED = "proof confirmed"
    PROOF_SENT_AGAIN = "proof sent again"
    PROOF_MISSING = "proof missing"
    PROOF_NOT_OFFERED = "proof not offered"
    PROOF_GIVEN_UP = "proof given up"
    COMMITMENT = "commitment"
    COMMITMENT_GIVEN_UP = "commitment given up"

    # the node
    REMOVED = "removed"
    """Files, by retention."""
    WEBHOOK = "webhook"
    """Its receiver could not be told."""
    DISK = "disk"
    CLOCK = "clock"

    # people
    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    WRONG_PASSWORD = "wrong password"  # noqa: S105, says what happened
    PERSON_JOB = "person: job"
    PERSON_RELEASE = "person: release"
    PERSON_TAKE_NEWEST = "person: take-newest"
    PERSON_TAKE_FIRST = "person: take-first"
    PERSON_RETRY = "person: retry"
    PERSON_RESEND = "person: resend"
    PERSON_CANCEL = "person: cancel"
    PERSON_ECHO = "person: echo"
    PERSON_DOWNLOAD = "person: download"


def asked_by_person(verb: str) -> EventKind:
    """Kind of the event that a person asked for `verb`, such as `release`."""
    return EventKind(f"{PERSON}{verb}")
