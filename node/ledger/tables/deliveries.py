"""Rows of deliveries: one for each result instance and peer."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from node.ledger.batches import batches
from node.ledger.requests.jobs import Destination, JobRow
from node.ledger.row_states import DeliveryState
from node.ledger.schema import deliveries, instances
from node.ledger.tables.pauses import Pausable, paused_names

FileToSend = tuple[str, str, str]
"""Path, SOP Instance UID, and the SHA-256 of a result or an empty text."""


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """An instance to be sent to a peer; `path` is relative to the storage folder."""

    key: int
    path: str
    sop_instance_uid: str
    attempts: int
    created_at: float
    sha256: str
    """Hash of the committed file; empty for a received instance."""
    job_id: str
    peer: str
    failures: int = 0
    """How often the peer failed to process the instance (0x0110)."""


@dataclass(frozen=True, slots=True)
class DeliveriesAtPeer:
    """Deliveries of a job's results at one peer that have the same state."""

    peer: str
    state: DeliveryState
    count: int
    words: str
    finished_at: float | None


def queue_deliveries(
    connection: Connection,
    job: JobRow,
    files: Mapping[str, Sequence[FileToSend]],
    now: float,
    *,
    held: Mapping[str, str],
) -> None:
    """Queue a job's results for each destination: `files` by peer, in sending order.

    Destinations with deliveries of the job are skipped. `held` maps peers to the reason why a
    person must review the results first.
    """
    served = set(
        connection.scalars(select(deliveries.c.peer).where(deliveries.c.job_id == job.job_id))
    )
    rows = [
        _row(job.job_id, destination, position, now)
        | {"path": path, "sop_instance_uid": uid, "sha256": digest}
        | (
            {"state": DeliveryState.HELD, "words": held[destination.peer]}
            if destination.peer in held
            else {}
        )
        for destination in job.destinations
        if destination.peer not in served
        for position, (path, uid, digest) in enumerate(files[destination.peer])
    ]
    if rows:
        connection.execute(insert(deliveries), rows)


def due_jobs(connection: Connection, now: float) -> list[tuple[str, Destination]]:
    """Return jobs with results to send now, each with a destination; the longest waiting first.

    A peer that is paused is left out.
    """
    due = (deliveries.c.state == DeliveryState.WAITING) & (deliveries.c.next_attempt_at <= now)
    due &= deliveries.c.peer.not_in(paused_names(Pausable.PEER))
    columns = [deliveries.c[name] for name in ("job_id", "peer", "ip", "port", "ae_title")]
    rows = connection.execute(
        select(*columns, func.min(deliveries.c.id).label("first"))
        .where(due)
        .group_by(*columns)
        .order_by("first")
    )
    return [(row.job_id, Destination(row.peer, row.ip, row.port, row.ae_title)) for row in rows]


def pending_deliveries(connection: Connection, job_id: str, peer: str) -> list[PendingDelivery]:
    """Return the waiting deliveries of a job to a peer, in sending order."""
    rows = connection.execute(
        select(deliveries)
        .where(
            deliveries.c.job_id == job_id,
            deliveries.c.peer == peer,
            deliveries.c.state == DeliveryState.WAITING,
        )
        .order_by(deliveries.c.position)
    )
    return [
        PendingDelivery(row.id, *(getattr(row, name) for name in PendingDelivery.__slots__[1:]))
        for row in rows
    ]


def is_cancelled(connection: Connection, pending: PendingDelivery) -> bool:
    """True if a person cancelled the rest of a job's results at this peer."""
    unwanted = (
        (deliveries.c.job_id == pending.job_id)
        & (deliveries.c.peer == pending.peer)
        & (deliveries.c.state == DeliveryState.CANCELLED)
    )
    return connection.execute(select(deliveries.c.id).where(unwanted).limit(1)).first() is not None


def settle_delivery(
    connection: Connection,
    pending: PendingDelivery,
    *,
    state: DeliveryState,
    words: str,
    now: float,
) -> None:
    """Record the final state of a delivery."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == pending.key)
        .values(state=state, words=words, finished_at=now, attempts=pending.attempts + 1)
    )


def last_stored_at(connection: Connection, pending: PendingDelivery) -> float:
    """Return when the peer last stored an instance of the same results; 0.0: none yet."""
    stored = (
        (deliveries.c.job_id == pending.job_id)
        & (deliveries.c.peer == pending.peer)
        & (deliveries.c.state == DeliveryState.STORED)
    )
    return connection.scalar(select(func.max(deliveries.c.finished_at)).where(stored)) or 0.0


def postpone_delivery(
    connection: Connection, pending: PendingDelivery, *, words: str, until: float
) -> None:
    """Record failed attempts since the last progress, and when the next one is due."""
    counts = {"attempts": pending.attempts, "failures": pending.failures}
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == pending.key)
        .values(words=words, next_attempt_at=until, **counts)
    )


def send_again(
    connection: Connection, job_id: str, now: float, *, also_stored: bool = False
) -> int:
    """Send undelivered results of a job at once; return how many instances.

    With `also_stored` all results are sent, the same bytes once more. Instances that retention
    removed are left as they are.
    """
    wanted = (deliveries.c.job_id == job_id) & (deliveries.c.state != DeliveryState.HELD)
    if not also_stored:
        wanted &= deliveries.c.state != DeliveryState.STORED
    return _send(connection, wanted, now)


def send_undelivered(
    connection: Connection, job_id: str, peers: Collection[str], now: float
) -> int:
    """Send again what was refused, given up or cancelled at these peers; return how many."""
    undelivered = deliveries.c.state.in_(
        (DeliveryState.REFUSED, DeliveryState.GIVEN_UP, DeliveryState.CANCELLED)
    )
    own = (deliveries.c.job_id == job_id) & deliveries.c.peer.in_(peers)
    return _send(connection, own & undelivered, now)


def send_results_again(
    connection: Connection, job_id: str, peers: Collection[str], *, uids: Sequence[str], now: float
) -> int:
    """Send results with these SOP Instance UIDs again that the peers stored; return how many."""
    stored = (deliveries.c.job_id == job_id) & (deliveries.c.state == DeliveryState.STORED)
    count = 0
    for some in batches(uids):
        own = deliveries.c.sop_instance_uid.in_(some) & deliveries.c.peer.in_(peers)
        count += _send(connection, stored & own, now)
    return count


def release_deliveries(connection: Connection, job_id: str, now: float) -> int:
    """Release the held results of a job after a person's review; return how many instances."""
    held = (deliveries.c.job_id == job_id) & (deliveries.c.state == DeliveryState.HELD)
    values = {
        "state": DeliveryState.WAITING,
        "words": "",
        "next_attempt_at": now,
        "created_at": now,
    }
    return connection.execute(update(deliveries).where(held).values(**values)).rowcount


def cancel_deliveries(
    connection: Connection, job_id: str, now: float, *, words: str = "cancelled by a person"
) -> int:
    """Cancel the waiting and held deliveries of a job; return how many instances."""
    waiting = (deliveries.c.job_id == job_id) & deliveries.c.state.in_(
        (DeliveryState.WAITING, DeliveryState.HELD)
    )
    values = {"state": DeliveryState.CANCELLED, "words": words, "finished_at": now}
    return connection.execute(update(deliveries).where(waiting).values(**values)).rowcount


def delivery_states(connection: Connection, job_id: str) -> list[DeliveriesAtPeer]:
    """Count the deliveries of a job, by peer and state."""
    return delivery_states_of(connection, [job_id]).get(job_id, [])


def delivery_states_of(
    connection: Connection, job_ids: Collection[str]
) -> dict[str, list[DeliveriesAtPeer]]:
    """Count the deliveries of jobs, by job id, peer and state; jobs without any are left out."""
    rows = connection.execute(
        select(
            deliveries.c.job_id,
            deliveries.c.peer,
            deliveries.c.state,
            func.count().label("count"),
            func.max(deliveries.c.words).label("words"),
            func.max(deliveries.c.finished_at).label("finished_at"),
        )
        .where(deliveries.c.job_id.in_(job_ids))
        .group_by(deliveries.c.job_id, deliveries.c.peer, deliveries.c.state)
        .order_by(deliveries.c.peer)
    )
    found: dict[str, list[DeliveriesAtPeer]] = defaultdict(list)
    for job_id, peer, state, *rest in rows:
        found[job_id].append(DeliveriesAtPeer(peer, DeliveryState(state), *rest))
    return found


def delivery_words(
    connection: Connection, job_id: str, peer: str, state: DeliveryState, *, limit: int
) -> list[tuple[str, int]]:
    """Return the most frequent words of a job's deliveries to a peer in one state, with counts."""
    own = (deliveries.c.job_id == job_id) & (deliveries.c.peer == peer)
    rows = connection.execute(
        select(deliveries.c.words, func.count().label("number"))
        .where(own & (deliveries.c.state == state))
        .group_by(deliveries.c.words)
        .order_by(func.count().desc(), deliveries.c.words)
        .limit(limit)
    )
    return [(row.words, row.number) for row in rows]


def _send(connection: Connection, wanted: ColumnElement[bool], now: float) -> int:
    """Make deliveries due, with attempts counted anew; not those that retention removed."""
    removed = exists(
        select(instances.c.id).where(
            instances.c.sop_instance_uid == deliveries.c.sop_instance_uid,
            instances.c.path == deliveries.c.path,
            instances.c.removed_at.is_not(None),
        )
    )
    values = {
        "state": DeliveryState.WAITING,
        "next_attempt_at": now,
        "created_at": now,
        "attempts": 0,
        "failures": 0,
    }
    return connection.execute(update(deliveries).where(wanted & ~removed).values(**values)).rowcount


def _row(job_id: str, destination: Destination, position: int, now: float) -> dict[str, object]:
    return {
        "job_id": job_id,
        "peer": destination.peer,
        "ip": destination.ip,
        "port": destination.port,
        "ae_title": destination.ae_title,
        "position": position,
        "state": DeliveryState.WAITING,
        "words": "",
        "attempts": 0,
        "created_at": now,
        "next_attempt_at": now,
    }
