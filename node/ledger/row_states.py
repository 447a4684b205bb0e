"""States of the ledger's rows; the values are stored, and never change."""

from enum import StrEnum


class AssociationOutcome(StrEnum):
    """Outcome of an association with the node."""

    OPEN = "open"
    RELEASED = "released"
    ABORTED = "aborted"
    REJECTED = "rejected"


class EndCause(StrEnum):
    """Why an association ended: as network/endings.py has it, or by the end of the node."""

    RELEASE = "release"
    HALF = "half"
    """The peer released it in the middle of a message."""
    ABORT = "abort"
    """The peer aborted it."""
    LOST = "lost"
    """The connection ended without a release or an abort."""
    IDLE = "idle"
    """The node aborted it, as no data came."""
    BOUND = "bound"
    """The node aborted it, as the peer exceeded a limit or violated the protocol."""
    STOP = "stop"
    """The node aborted it, as it was stopped."""
    STORAGE = "storage"
    """The node aborted it, as the release could not be recorded."""
    KILLED = "killed"
    """The node died while it was open; recorded at the next start."""


class SeriesState(StrEnum):
    """State of a series, from its first instance to the decision on it."""

    ARRIVING = "arriving"
    """An open association may bring more instances."""
    SETTLING = "settling"
    """No association is open: the settle time passes, or the sender has more instances."""
    HELD = "held"
    """A person decides."""
    KEPT = "kept"
    """Stored; no job runs on it."""
    PROCESSING = "processing"
    """Jobs run or ran on it."""
    CANCELLED = "cancelled"


class RequestState(StrEnum):
    """State of a request of a sender or a person on a series."""

    WAITING = "waiting"
    """The series is not complete yet."""
    HELD = "held"
    KEPT = "kept"
    SUBMITTED = "submitted"
    """Its jobs have further states."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """Replaced by a later request of the same sender."""


class RequestedJobState(StrEnum):
    """State of a job requested by name, until its folder is read."""

    WAITING = "waiting"
    """The folder is to be read."""
    READ = "read"
    """Its request has further states."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """Replaced by a newer revision before it had results."""
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    """Done on a content that a person rejected afterwards: its results are not sent any more."""


class DeliveryState(StrEnum):
    """State of the delivery of one result instance to one peer."""

    WAITING = "waiting"
    STORED = "stored"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"
    HELD = "held"
    """Waits for a person to review the results."""


class ProofMethod(StrEnum):
    """Way to ask a peer whether it holds results."""

    COMMITMENT = "commitment"
    """Storage commitment (PS3.4 Annex J)."""
    QUERY = "query"
    """C-FIND (PS3.4 Annex C)."""


class ProofState(StrEnum):
    """State of the proof that a peer holds the results that it stored."""

    WAITING = "waiting"
    """The peer is to be asked."""
    ASKED = "asked"
    SENT_AGAIN = "sent again"
    """Missing instances are sent once more; then the peer is asked again."""
    CONFIRMED = "confirmed"
    MISSING = "missing"
    NOT_OFFERED = "not offered"
    GIVEN_UP = "given up"


class CommitmentState(StrEnum):
    """State of a storage commitment request of a peer."""

    WAITING = "waiting"
    """The instances are to be checked."""
    CHECKED = "checked"
    """The result is to be reported to the peer."""
    REPORTED = "reported"
    GIVEN_UP = "given up"


class NoticeKind(StrEnum):
    """Kind of event that is posted to the webhook."""

    COMPLETED = "completed"
    HELD = "held"
    FAILED = "failed"
    DEAD_LETTER = "dead letter"
    """Results could not be delivered to a peer."""


class NoticeState(StrEnum):
    """State of a notice to the webhook."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given up"
