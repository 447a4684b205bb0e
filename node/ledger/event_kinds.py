"""Kinds of events; the values are stored, and never change."""

from enum import StrEnum

PERSON = "person: "
"""Prefix of the kinds of events that people cause."""


class EventKind(StrEnum):
    """Kind of an event; the event's words give reason and details."""

    # receiving
    ASSOCIATION = "association"
    FOLDER = "folder"
    REFUSED = "refused"
    """The node refused an instance."""
    REJECTED = "rejected"
    """The node rejected an association."""
    BOUND = "bound"
    """A peer exceeded a limit, and its connection was closed."""

    PEER = "peer"
    """A peer ends associations that offer something optional, which is left out from now on."""

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
    """Retention removed files."""
    WEBHOOK = "webhook"
    """An event could not be posted."""
    CONFIGURATION = "configuration"
    """A changed configuration was taken, or refused."""
    DISK = "disk"
    CLOCK = "clock"

    # people
    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    WRONG_PASSWORD = "wrong password"  # noqa: S105, says what happened
    PERSON_JOB = "person: job"
    PERSON_RUN = "person: run"
    PERSON_RELEASE = "person: release"
    PERSON_TAKE_NEWEST = "person: take-newest"
    PERSON_TAKE_FIRST = "person: take-first"
    PERSON_RETRY = "person: retry"
    PERSON_RESEND = "person: resend"
    PERSON_CANCEL = "person: cancel"
    PERSON_PAUSE = "person: pause"
    PERSON_RESUME = "person: resume"
    PERSON_RELOAD = "person: reload"
    PERSON_ECHO = "person: echo"
    PERSON_DOWNLOAD = "person: download"


def asked_by_person(verb: str) -> EventKind:
    """Return the kind of event for a person's command `verb`, such as `release`."""
    return EventKind(f"{PERSON}{verb}")
