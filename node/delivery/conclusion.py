"""Conclude the delivery of a job's results to a peer: ask for proof, or record a dead letter.

This is done in the transaction that settles the last instance: a node that is killed right after it
must not forget to ask for proof, or to tell a person what was not delivered.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import find_job
from node.ledger.row_states import DeliveryState, NoticeKind
from node.ledger.tables.deliveries import PendingDelivery, delivery_states, delivery_words
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import queue_notice
from node.ledger.tables.proofs import queue_proof

_DEAD = (DeliveryState.REFUSED, DeliveryState.GIVEN_UP)
_MOST_REASONS = 3
"""Reasons of one state that a dead letter names, the most frequent first."""


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
    dead = [one.state for one in states if one.state in _DEAD]
    if dead:
        words = [
            f"{count} instances {state} ({why})"
            for state in dead
            for why, count in delivery_words(
                connection, pending.job_id, pending.peer, state, limit=_MOST_REASONS
            )
        ]
        _record_dead_letter(connection, pending, f"{pending.peer}: {'; '.join(words)}", now)


def tell_not_accepted(
    connection: Connection, pending: PendingDelivery, reasons: Sequence[str], *, now: float
) -> None:
    """Tell a person at once what the peer's negotiation refused, if `conclude` has to wait."""
    states = delivery_states(connection, pending.job_id)
    is_waiting = any(
        one.peer == pending.peer and one.state == DeliveryState.WAITING for one in states
    )
    if reasons and is_waiting:
        said = "; ".join(f"{count} instances refused ({one})" for one, count in _counted(reasons))
        _record_dead_letter(connection, pending, f"{pending.peer}: {said}", now)


def _counted(reasons: Sequence[str]) -> list[tuple[str, int]]:
    return Counter(reasons).most_common(_MOST_REASONS)


def _record_dead_letter(
    connection: Connection, pending: PendingDelivery, words: str, now: float
) -> None:
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
