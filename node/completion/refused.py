"""Record instances that were refused, so that their series does not count as complete."""

from collections.abc import Sequence

from sqlalchemy import Connection

from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.refusals import record_refusal
from node.scp.refusals import Refusal


def record_refusal_of(
    connection: Connection, refusal: Refusal, brought: Sequence[str], now: float
) -> None:
    """Record a refusal for its series; if that is unknown, for all series of the association.

    If there is no series either, the event alone tells of it.
    """
    words = f"instance {refusal.sop_instance_uid}: {refusal.words}"
    uids = [refusal.series_instance_uid] if refusal.series_instance_uid else brought
    if not uids:
        record_event(connection, EventKind.REFUSED, words, now=now)
    for uid in uids:
        record_refusal(connection, uid, refusal.sop_instance_uid, words=refusal.words, now=now)
        record_event(connection, EventKind.REFUSED, words, now=now, series_instance_uid=uid)
