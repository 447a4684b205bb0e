"""Rows of commitments: what peers asked this node to keep, and what it answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.ledger.batches import batches
from node.ledger.row_states import CommitmentState
from node.ledger.schema import commitments, instances

UNREPORTED = (CommitmentState.WAITING, CommitmentState.CHECKED)


@dataclass(frozen=True, slots=True)
class Commitment:
    """One transaction of a peer."""

    key: int
    peer: str
    transaction_uid: str
    references: dict[str, str]
    """SOP Instance UID to SOP Class UID."""
    failures: dict[str, int]
    state: CommitmentState
    attempts: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance as the ledger has it."""

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
    """Record what a peer asks for; the same transaction again is checked and answered again."""
    fresh: dict[str, object] = {"references": dict(references), "failures": {}, "words": ""}
    fresh |= {"attempts": 0, "created_at": now, "next_attempt_at": now, "finished_at": None}
    fresh["state"] = CommitmentState.WAITING
    known = (commitments.c.peer == peer) & (commitments.c.transaction_uid == transaction_uid)
    if not connection.execute(update(commitments).where(known).values(**fresh)).rowcount:
        names = {"peer": peer, "transaction_uid": transaction_uid}
        connection.execute(insert(commitments).values(**(fresh | names)))


def due_commitments(connection: Connection, now: float) -> list[Commitment]:
    """What is to be checked or answered now, oldest first."""
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


def kept_instances(connection: Connection, sop_instance_uid: str) -> list[Kept]:
    """Everything that is stored under a UID and was not removed."""
    columns = [instances.c[name] for name in ("id", *Kept.__slots__[1:])]
    there = (instances.c.sop_instance_uid == sop_instance_uid) & instances.c.removed_at.is_(None)
    return [Kept(*row) for row in connection.execute(select(*columns).where(there))]


def promise(
    connection: Connection,
    commitment: Commitment,
    *,
    kept: Collection[int],
    failures: Mapping[str, int],
    now: float,
) -> None:
    """Record the answer before it is given: what is in `kept` is never removed again."""
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
    """Record that the peer has the answer, or that it could not be given."""
    _set(connection, commitment, state=state, words=words, finished_at=now)


def postpone_commitment(
    connection: Connection, commitment: Commitment, *, words: str, until: float
) -> None:
    """Record that the answer could not be given yet."""
    attempts = commitment.attempts + 1
    _set(connection, commitment, words=words, next_attempt_at=until, attempts=attempts)


def _set(connection: Connection, commitment: Commitment, **values: object) -> None:
    row = commitments.c.id == commitment.key
    connection.execute(update(commitments).where(row).values(**values))
