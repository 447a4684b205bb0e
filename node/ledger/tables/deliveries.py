"""Rows of deliveries: one for each result instance and peer."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from node.ledger.requests.jobs import Destination, JobRow
from node.ledger.row_states import DeliveryState
from node.ledger.schema import deliveries, instances


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """One instance on its way to one peer; `path` is relative to the storage folder."""

    key: int
    path: str
    sop_instance_uid: str
    attempts: int
    created_at: float
    sha256: str
    """Of the committed file; empty for an instance that came in."""
    job_id: str
    peer: str


@dataclass(frozen=True, slots=True)
class DeliveriesAtPeer:
    """How far the results of a job have come at one peer."""

    peer: str
    state: DeliveryState
    count: int
    words: str
    finished_at: float | None


def queue_deliveries(
    connection: Connection,
    job: JobRow,
    files: Sequence[tuple[str, str, str]],
    now: float,
    *,
    held: Mapping[str, str],
) -> None:
    """Queue a job's results, (path, UID, file's SHA-256) in order, for each destination.

    A destination that already has them is left as it is; `held` says of peers for what a person is
    waited for.
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
        for position, (path, uid, digest) in enumerate(files)
    ]
    if rows:
        connection.execute(insert(deliveries), rows)


def due_jobs(connection: Connection, now: float) -> list[tuple[str, Destination]]:
    """Jobs with results to send now, each with the peer they go to, longest waiting first."""
    due = (deliveries.c.state == DeliveryState.WAITING) & (deliveries.c.next_attempt_at <= now)
    columns = [deliveries.c[name] for name in ("job_id", "peer", "ip", "port", "ae_title")]
    rows = connection.execute(
        select(*columns, func.min(deliveries.c.id).label("first"))
        .where(due)
        .group_by(*columns)
        .order_by("first")
    )
    return [(row.job_id, Destination(row.peer, row.ip, row.port, row.ae_title)) for row in rows]


def pending_deliveries(connection: Connection, job_id: str, peer: str) -> list[PendingDelivery]:
    """What a peer still lacks of a job's results, in sending order."""
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
    """Whether a person does not want the rest of a job's results at this peer any more."""
    unwanted = (
        (deliveries.c.job_id == pending.job_id)
        & (deliveries.c.peer == pending.peer)
        & (deliveries.c.state == DeliveryState.CANCELLED)
    )
    return connection.execute(select(deliveries.c.id).where(unwanted).limit(1)).first() is not None


def settle_parcel(
    connection: Connection,
    pending: PendingDelivery,
    *,
    state: DeliveryState,
    words: str,
    now: float,
) -> None:
    """Record what became of one instance at its peer."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == pending.key)
        .values(state=state, words=words, finished_at=now, attempts=pending.attempts + 1)
    )


def last_stored_at(connection: Connection, pending: PendingDelivery) -> float:
    """When the peer last stored an instance of the same results; 0.0: it has none yet."""
    stored = (
        (deliveries.c.job_id == pending.job_id)
        & (deliveries.c.peer == pending.peer)
        & (deliveries.c.state == DeliveryState.STORED)
    )
    return connection.scalar(select(func.max(deliveries.c.finished_at)).where(stored)) or 0.0


def postpone_parcel(
    connection: Connection, pending: PendingDelivery, *, words: str, attempts: int, until: float
) -> None:
    """Record that `attempts` failed since the last progress, and when the next one is due."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == pending.key)
        .values(words=words, next_attempt_at=until, attempts=attempts)
    )


def send_again(
    connection: Connection, job_id: str, now: float, *, also_stored: bool = False
) -> int:
    """A person wants results sent at once; how many instances that are.

    Those that did not arrive, or with `also_stored` all of them: the same bytes once more. What
    retention removed stays as it is.
    """
    wanted = (deliveries.c.job_id == job_id) & (deliveries.c.state != DeliveryState.HELD)
    if not also_stored:
        wanted &= deliveries.c.state != DeliveryState.STORED
    return _send(connection, wanted, now)


def send_undelivered(
    connection: Connection, job_id: str, peers: Collection[str], now: float
) -> int:
    """Somebody asks anew for what was refused, given up or cancelled; how many instances."""
    undelivered = deliveries.c.state.in_(
        (DeliveryState.REFUSED, DeliveryState.GIVEN_UP, DeliveryState.CANCELLED)
    )
    own = (deliveries.c.job_id == job_id) & deliveries.c.peer.in_(peers)
    return _send(connection, own & undelivered, now)


def release_deliveries(connection: Connection, job_id: str, now: float) -> int:
    """A person has looked at a job's results: they may go; how many instances that are."""
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
    """A person does not want the rest of a job's results sent; how many instances that are."""
    waiting = (deliveries.c.job_id == job_id) & deliveries.c.state.in_(
        (DeliveryState.WAITING, DeliveryState.HELD)
    )
    values = {"state": DeliveryState.CANCELLED, "words": words, "finished_at": now}
    return connection.execute(update(deliveries).where(waiting).values(**values)).rowcount


def delivery_states(connection: Connection, job_id: str) -> list[DeliveriesAtPeer]:
    """How far a job's results have come, by peer and state."""
    return delivery_states_of(connection, [job_id]).get(job_id, [])


def delivery_states_of(
    connection: Connection, job_ids: Collection[str]
) -> dict[str, list[DeliveriesAtPeer]]:
    """How far the results of jobs have come, by job id; without jobs that have nothing to send."""
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


def _send(connection: Connection, wanted: ColumnElement[bool], now: float) -> int:
    """From the first attempt on; not what retention removed."""
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
