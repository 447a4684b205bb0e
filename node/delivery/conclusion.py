"""Conclude the delivery of a job's results to a peer: ask for proof, or record a dead letter.

This is done in the transaction that settles the last instance: a node that is killed right after it
must not forget to ask for proof, or to tell a person what was not delivered.
"""

from sqlalchemy import Connection

from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import find_job
from node.ledger.row_states import DeliveryState, NoticeKind
from node.ledger.tables.deliveries import DeliveriesAtPeer, PendingDelivery, delivery_states
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import queue_notice
from node.ledger.tables.proofs import queue_proof


def conclude(
    connection: Connection, pending: PendingDelivery, *, asks_for_proof: bool, now: float
) -> None:
    """If `pending` was the last delivery: queue the proof, and tell a person what failed."""
    states = [
        one for one in delivery_states(connection, pending.job_id) if one.peer == pending.peer
    ]
    if any(one.state == DeliveryState.WAITING for one in states):
        return
    if asks_for_proof and any(one.state == DeliveryState.STORED for one in states):
        queue_proof(connection, pending.job_id, pending.peer, now)
    dead = [one for one in states if one.state in (DeliveryState.REFUSED, DeliveryState.GIVEN_UP)]
    if dead:
        _record_dead_letter(connection, pending, dead, now)


def _record_dead_letter(
    connection: Connection, pending: PendingDelivery, dead: list[DeliveriesAtPeer], now: float
) -> None:
    words = f"{pending.peer}: " + "; ".join(
        f"{one.count} instances {one.state} ({one.words})" for one in dead
    )
    job = find_job(connection, pending.job_id)
    uid = "" if job is None else job.request.series_instance_uid
    record_event(connection, EventKind.DEAD_LETTER, words, now=now, series_instance_uid=uid)
    queue_notice(
        connection,
        NoticeKind.DEAD_LETTER,
        now=now,
        series_instance_uid=uid,
        job_id=pending.job_id,
        words=words,
    )
