"""Rows of proofs that peers hold the results that they stored; one for each job and peer."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.ledger.batches import batches
from node.ledger.row_states import DeliveryState, ProofMethod, ProofState
from node.ledger.schema import deliveries, proofs
from node.ledger.tables.pauses import Pausable, paused_names

UNSETTLED = (ProofState.WAITING, ProofState.ASKED, ProofState.SENT_AGAIN)


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof that a peer holds the results of one job."""

    key: int
    job_id: str
    peer: str
    method: str
    transaction_uid: str | None
    state: ProofState
    sent_again: bool
    words: str
    attempts: int
    created_at: float
    finished_at: float | None


def queue_proof(connection: Connection, job_id: str, peer: str, now: float) -> None:
    """Queue a proof, due now, for the first time or again after missing instances were sent."""
    row = (proofs.c.job_id == job_id) & (proofs.c.peer == peer)
    fresh = {
        "state": ProofState.WAITING,
        "method": "",
        "words": "",
        "attempts": 0,
        "created_at": now,
    }
    fresh |= {"next_attempt_at": now, "finished_at": None, "transaction_uid": None}
    if not connection.execute(update(proofs).where(row).values(**fresh)).rowcount:
        first = {"job_id": job_id, "peer": peer, "sent_again": False}
        connection.execute(insert(proofs).values(**(fresh | first)))


def due_proofs(connection: Connection, now: float) -> list[Proof]:
    """Return the proofs that are to be requested, or whose answer is overdue; of no paused peer."""
    due = proofs.c.state.in_((ProofState.WAITING, ProofState.ASKED)) & (
        proofs.c.next_attempt_at <= now
    )
    due &= proofs.c.peer.not_in(paused_names(Pausable.PEER))
    return [_proof(row) for row in connection.execute(select(proofs).where(due))]


def proofs_of(connection: Connection, job_id: str) -> list[Proof]:
    """Return the proofs of a job's results."""
    query = select(proofs).where(proofs.c.job_id == job_id).order_by(proofs.c.id)
    return [_proof(row) for row in connection.execute(query)]


def find_transaction(connection: Connection, transaction_uid: str) -> Proof | None:
    """Return the proof with this storage commitment transaction."""
    query = select(proofs).where(proofs.c.transaction_uid == transaction_uid)
    row = connection.execute(query).first()
    return None if row is None else _proof(row)


def begin_transaction(
    connection: Connection, proof: Proof, transaction_uid: str, until: float
) -> None:
    """Record a transaction before its request is sent, and `until` when to wait for the answer."""
    _set(
        connection,
        proof,
        state=ProofState.ASKED,
        words="",
        method=ProofMethod.COMMITMENT,
        transaction_uid=transaction_uid,
        next_attempt_at=until,
    )


def postpone_proof(connection: Connection, proof: Proof, *, words: str, until: float) -> None:
    """Record a failed request and the time of the next, unless an answer came meanwhile."""
    values = {"words": words, "next_attempt_at": until, "attempts": proof.attempts + 1}
    _set(connection, proof, state=ProofState.WAITING, **values)


def settle_proof(
    connection: Connection,
    proof: Proof,
    *,
    state: ProofState,
    words: str,
    now: float,
    method: ProofMethod | None = None,
) -> bool:
    """Record the final state of a proof; False if it was final before."""
    chosen = {} if method is None else {"method": method}
    return _set(connection, proof, state=state, words=words, finished_at=now, **chosen)


def confirm(connection: Connection, proof: Proof, uids: Collection[str], now: float) -> None:
    """Record the instances that the peer holds."""
    for some in batches(uids):
        found = _delivered(proof) & deliveries.c.sop_instance_uid.in_(some)
        connection.execute(update(deliveries).where(found).values(confirmed_at=now))


def send_missing(connection: Connection, proof: Proof, uids: Collection[str], now: float) -> int:
    """Send the instances that the peer lacks once more; return how many."""
    again, count = (
        {"state": DeliveryState.WAITING, "next_attempt_at": now, "created_at": now, "attempts": 0},
        0,
    )
    for some in batches(uids):
        lacking = _delivered(proof) & deliveries.c.sop_instance_uid.in_(some)
        count += connection.execute(update(deliveries).where(lacking).values(**again)).rowcount
    _set(connection, proof, state=ProofState.SENT_AGAIN, sent_again=True)
    return count


def delivered_paths(connection: Connection, proof: Proof) -> list[str]:
    """Return files that the peer stored, relative to the storage folder."""
    query = select(deliveries.c.path).where(_delivered(proof)).order_by(deliveries.c.position)
    return list(connection.scalars(query))


def delivered_uids(connection: Connection, proof: Proof) -> set[str]:
    """Return SOP Instance UIDs that the peer stored."""
    return set(connection.scalars(select(deliveries.c.sop_instance_uid).where(_delivered(proof))))


def _delivered(proof: Proof) -> Any:
    return (
        (deliveries.c.job_id == proof.job_id)
        & (deliveries.c.peer == proof.peer)
        & (deliveries.c.state == DeliveryState.STORED)
    )


def _set(connection: Connection, proof: Proof, **values: Any) -> bool:
    """Update a proof; False if it is final already, as an answer may come at any time."""
    open_row = (proofs.c.id == proof.key) & proofs.c.state.in_(UNSETTLED)
    return connection.execute(update(proofs).where(open_row).values(**values)).rowcount > 0


def _proof(row: Row[Any]) -> Proof:
    return Proof(
        key=row.id,
        state=ProofState(row.state),
        **{name: getattr(row, name) for name in Proof.__slots__ if name not in ("key", "state")},
    )
