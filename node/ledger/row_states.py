"""States of the ledger's rows, in the words in which they are stored: a word never changes."""

from enum import StrEnum


class AssociationOutcome(StrEnum):
    """How an association with the node ended, if it has."""

    OPEN = "open"
    RELEASED = "released"
    ABORTED = "aborted"
    REJECTED = "rejected"


class SeriesState(StrEnum):
    """From the first instance of a series to the decision what becomes of it."""

    ARRIVING = "arriving"
    """An association may bring more of it."""
    SETTLING = "settling"
    """No association brings more; its settle time passes, or its sender has more of it."""
    HELD = "held"
    """A person decides."""
    KEPT = "kept"
    """Stored, and nothing runs on it."""
    PROCESSING = "processing"
    """Jobs run or ran on it."""
    CANCELLED = "cancelled"


class RequestState(StrEnum):
    """What was decided on what a sender or a person wants of a series."""

    WAITING = "waiting"
    """For the series to be complete."""
    HELD = "held"
    KEPT = "kept"
    SUBMITTED = "submitted"
    """Its jobs say the rest."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """A later request of the same sender took over."""


class RequestedJobState(StrEnum):
    """How far a folder on which a job was asked for by name has come."""

    WAITING = "waiting"
    """To be read."""
    READ = "read"
    """Its request says the rest."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """A newer revision took over before it left anything."""
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    """Done on a content that a person did not take afterwards: its results go nowhere any more."""


class DeliveryState(StrEnum):
    """Where one result instance stands on its way to one peer."""

    WAITING = "waiting"
    STORED = "stored"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"
    HELD = "held"
    """A person looks at the results first."""


class ProofMethod(StrEnum):
    """How a peer is asked whether it holds results."""

    COMMITMENT = "commitment"
    """Storage commitment (PS3.4 Annex J)."""
    QUERY = "query"
    """C-FIND (PS3.4 Annex C)."""


class ProofState(StrEnum):
    """Whether a peer holds what it said it stored."""

    WAITING = "waiting"
    """To be asked."""
    ASKED = "asked"
    SENT_AGAIN = "sent again"
    """What it lacked goes to it once more; then it is asked again."""
    CONFIRMED = "confirmed"
    MISSING = "missing"
    NOT_OFFERED = "not offered"
    GIVEN_UP = "given up"


class CommitmentState(StrEnum):
    """Where a peer's request for storage commitment stands."""

    WAITING = "waiting"
    """To be checked."""
    CHECKED = "checked"
    """To be reported."""
    REPORTED = "reported"
    GIVEN_UP = "given up"


class NoticeKind(StrEnum):
    """What a webhook's receiver is told of."""

    COMPLETED = "completed"
    HELD = "held"
    FAILED = "failed"
    DEAD_LETTER = "dead letter"
    """Results did not arrive at a peer."""


class NoticeState(StrEnum):
    """Where a notice stands on its way to the webhook's receiver."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given up"
