"""Record instances that were refused, so that their series does not count as complete."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.refusals import record_refused
from node.scp.refusals import Refusal

_MOST_REASONS = 10


def record_refusals(
    connection: Connection, refused: Iterable[Refusal], brought: Sequence[str], now: float
) -> None:
    """Record refusals for their series; if one is unknown, for all series of the association.

    Instances that were refused for one reason are one event, further reasons of a series another.
    If there is no series, the event alone tells of it.
    """
    by_series: dict[str, list[Refusal]] = {}
    for refusal in refused:
        for uid in _concerned(refusal, brought):
            by_series.setdefault(uid, []).append(refusal)
    for uid, those in by_series.items():
        if uid:
            record_refused(connection, uid, {one.sop_instance_uid: one.words for one in those}, now)
        for words in _words(those):
            record_event(connection, EventKind.REFUSED, words, now=now, series_instance_uid=uid)


def _concerned(refusal: Refusal, brought: Sequence[str]) -> Sequence[str]:
    if refusal.series_instance_uid:
        return (refusal.series_instance_uid,)
    return brought or ("",)


def _words(refused: Sequence[Refusal]) -> Iterable[str]:
    """One sentence for each of the first reasons, and one for all others."""
    by_reason: dict[str, list[Refusal]] = {}
    for one in refused:
        by_reason.setdefault(one.words, []).append(one)
    groups = list(by_reason.values())
    yield from (_told(group) for group in groups[:_MOST_REASONS])
    if others := [one for group in groups[_MOST_REASONS:] for one in group]:
        yield f"for other reasons: {_told(others)}"


def _told(refused: Sequence[Refusal]) -> str:
    count, one = sum(refusal.count for refusal in refused), refused[0]
    uid = one.sop_instance_uid
    if count == 1:
        return f"instance {uid}: {one.words}" if uid else f"an instance: {one.words}"
    return f"{count} instances{f', such as {uid}' if uid else ''}: {one.words}"
