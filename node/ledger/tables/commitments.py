"""Rows of storage commitment requests of peers, and the node's answers (PS3.4 Annex J)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.ledger.batches import batches
from node.ledger.row_states import CommitmentState
from node.ledger.schema import commitments, instances

UNREPORTED = (CommitmentState.WAITING, CommitmentState.CHECKED)


@dataclass(frozen=True, slots=True)
class Commitment:
    """A storage commitment request of a peer."""

    key: int
    peer: str
    transaction_uid: str
    references: dict[str, str]
    """SOP Instance UID to SOP Class UID."""
    failures: dict[str, int]
    """SOP Instance UID to failure reason (PS3.3 C.14.1.1)."""
    state: CommitmentState
    attempts: int
    created_at: float


@dataclass(frozen=True, slots=True)
class KeptInstance:
    """A stored content of an instance."""

    key: int
    sop_class_uid: str
    transfer_syntax_uid: str
    sha256: str
    path: str


def request_commitment(
    connection: Connection,
    peer: str,
    transaction_uid: str,
    *,
    references: Mapping[str, str],
    now: float,
) -> None:
    """Record the request of a peer; a repeated transaction is checked and answered again."""
    fresh: dict[str, object] = {"references": dict(references), "failures": {}, "words": ""}
    fresh |= {"attempts": 0, "created_at": now, "next_attempt_at": now, "finished_at": None}
    fresh["state"] = CommitmentState.WAITING
    known = (commitments.c.peer == peer) & (commitments.c.transaction_uid == transaction_uid)
    if not connection.execute(update(commitments).where(known).values(**fresh)).rowcount:
        names = {"peer": peer, "transaction_uid": transaction_uid}
        connection.execute(insert(commitments).values(**(fresh | names)))


def due_commitments(connection: Connection, now: float) -> list[Commitment]:
    """Return the requests to check or answer now, oldest first."""
    due = commitments.c.state.in_(UNREPORTED) & (commitments.c.next_attempt_at <= now)
    rows = connection.execute(select(commitments).where(due).order_by(commitments.c.id))
    return [
        Commitment(
            row.id,
            row.peer,
            row.transaction_uid,
            dict(row.references),
            dict(row.failures),
            CommitmentState(row.state),
            row.attempts,
            row.created_at,
        )
        for row in rows
    ]


def kept_instances(connection: Connection, sop_instance_uid: str) -> list[KeptInstance]:
    """Return all stored contents under a SOP Instance UID."""
    columns = [instances.c[name] for name in ("id", *KeptInstance.__slots__[1:])]
    there = (instances.c.sop_instance_uid == sop_instance_uid) & instances.c.removed_at.is_(None)
    return [KeptInstance(*row) for row in connection.execute(select(*columns).where(there))]


def record_answer(
    connection: Connection,
    commitment: Commitment,
    *,
    kept: Collection[int],
    failures: Mapping[str, int],
    now: float,
) -> None:
    """Record the answer before it is sent; instances in `kept` are never removed by retention."""
    for some in batches(kept):
        connection.execute(
            update(instances).where(instances.c.id.in_(some)).values(committed_at=now)
        )
    _set(connection, commitment, state=CommitmentState.CHECKED, failures=dict(failures))


def settle_commitment(
    connection: Connection,
    commitment: Commitment,
    *,
    state: CommitmentState,
    words: str,
    now: float,
) -> None:
    """Record that the peer got the answer, or that it could not be sent."""
    _set(connection, commitment, state=state, words=words, finished_at=now)


def postpone_commitment(
    connection: Connection, commitment: Commitment, *, words: str, until: float
) -> None:
    """Record that the answer could not be sent yet."""
    attempts = commitment.attempts + 1
    _set(connection, commitment, words=words, next_attempt_at=until, attempts=attempts)


def _set(connection: Connection, commitment: Commitment, **values: object) -> None:
    row = commitments.c.id == commitment.key
    connection.execute(update(commitments).where(row).values(**values))
