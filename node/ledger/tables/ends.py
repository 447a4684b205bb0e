"""Ends of associations: who ended each, why, and whether it was in the middle of a message."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from node.ledger.row_states import AssociationOutcome, EndCause
from node.ledger.schema import associations
from node.ledger.tables.instances import ABORTED, OPEN, RELEASED

_BY_PEER = (EndCause.RELEASE, EndCause.HALF, EndCause.ABORT, EndCause.LOST)


@dataclass(frozen=True, slots=True)
class End:
    """The end of one association."""

    cause: EndCause
    words: str = ""
    """What happened, as a relative clause, where the cause does not say all."""
    partial: str = ""
    """The part of a message that was received without its rest or its answer; empty: none."""
    quiet_s: float | None = None
    """Seconds since the peer last sent data."""

    @property
    def outcome(self) -> AssociationOutcome:
        """Released only if the peer released it between messages."""
        return RELEASED if self.cause == EndCause.RELEASE else ABORTED

    @property
    def by(self) -> str:
        """Who ended the association."""
        return "the peer" if self.cause in _BY_PEER else "the node"

    @property
    def reason(self) -> str:
        """Who ended it, why, and which part of a message was received; empty for a release."""
        if self.cause == EndCause.RELEASE:
            return ""
        said = f"by {self.by}" + (f", {self.words}" if self.words else "")
        return f"{said}, with {self.partial} received" if self.partial else said


def describe_end(connection: Connection, association: int, end: End) -> None:
    """Record the end of an association that is open in the ledger; only the first call counts."""
    unrecorded = (associations.c.outcome == OPEN) & (associations.c.cause == "")
    connection.execute(
        update(associations)
        .where(associations.c.id == association, unrecorded)
        .values(cause=end.cause, reason=end.reason, is_half=bool(end.partial), quiet_s=end.quiet_s)
    )


def words_of_end(connection: Connection, association: int, outcome: str) -> str:
    """Return the outcome of an association; unless it was released, with who ended it and why."""
    if outcome == RELEASED:
        return outcome
    query = select(associations.c.reason).where(associations.c.id == association)
    return f"{outcome} {connection.scalar(query) or ''}".strip()
