"""How associations ended: who ended each, why, and whether a message was half here then."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from node.ledger.schema import associations
from node.ledger.tables.instances import ABORTED, OPEN, RELEASED

RELEASE, HALF, ABORT, LOST = "release", "half", "abort", "lost"
"""Ended by the peer: HALF is a release in the middle of a message."""
IDLE, BOUND, STOP, STORAGE, KILLED = "idle", "bound", "stop", "storage", "killed"
"""Ended by the node: KILLED is found at the next start."""
_BY_PEER = (RELEASE, HALF, ABORT, LOST)


@dataclass(frozen=True, slots=True)
class End:
    """The end of one association."""

    cause: str
    words: str = ""
    """What happened, where the cause does not say all."""
    half: str = ""
    """What of a message was here without the rest or its answer; empty: nothing."""
    quiet_s: float | None = None
    """For how long nothing had come."""

    @property
    def outcome(self) -> str:
        """Released only where nothing was half here."""
        return RELEASED if self.cause == RELEASE else ABORTED

    @property
    def by(self) -> str:
        """Who ended the association."""
        return "the peer" if self.cause in _BY_PEER else "the node"

    @property
    def reason(self) -> str:
        """Who, why and with what half here; empty for a release."""
        if self.cause == RELEASE:
            return ""
        said = f"by {self.by}" + (f", {self.words}" if self.words else "")
        return f"{said}, with {self.half} here" if self.half else said


def describe_end(connection: Connection, association: int, end: End) -> None:
    """Record how an association that is still open for the ledger ended; the first time counts."""
    unsaid = (associations.c.outcome == OPEN) & (associations.c.cause == "")
    connection.execute(
        update(associations)
        .where(associations.c.id == association, unsaid)
        .values(cause=end.cause, reason=end.reason, is_half=bool(end.half), quiet_s=end.quiet_s)
    )


def words_of_end(connection: Connection, association: int, outcome: str) -> str:
    """The outcome, and for one that was not released by whom and why."""
    if outcome == RELEASED:
        return outcome
    query = select(associations.c.reason).where(associations.c.id == association)
    return f"{outcome} {connection.scalar(query) or ''}".strip()
