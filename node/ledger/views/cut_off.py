"""What came only through associations that were not released, and whether it is all here anyway.

Geometry cannot see a missing end. So an association that was aborted counts as whole only where
something else says that its sender had no more to send in it:

- The sender came back. A later association of the same system, which was released, goes on with
  the series where the aborted one ended: with the last instance of it, or with others.
- The node ended it, with nothing half here, after the sender had been silent for its settle time:
  the same silence that follows a release.

A peer that aborts, or whose connection is lost, has said nothing, whatever was acknowledged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from network.sender import Sender
from node.ledger.schema import associations, instances, receptions
from node.ledger.tables.ends import IDLE, STOP
from node.ledger.tables.instances import OPEN, RELEASED

_CAME_BACK = "the rest came in a later association of the same sender"
_WHEN_SILENT = (IDLE, STOP)


@dataclass(frozen=True, slots=True)
class CutOff:
    """Of one series."""

    count: int = 0
    """Instances that came only through associations of which the end may be missing."""
    reason: str = ""
    """How the latest of those ended."""
    whole: tuple[str, ...] = ()
    """Why others that were not released brought all that they had, in words."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """An association that brought something of the series, `last` its latest instance."""

    row: Row[Any]
    last: int
    last_at: float
    lacking: int
    """Instances of it that no released association has brought."""

    @property
    def sender(self) -> Sender:
        return Sender(self.row.calling_ae_title, self.row.called_ae_title, self.row.address)


def cut_off_of(
    connection: Connection, series_instance_uid: str, settle_s: Callable[[Sender], float]
) -> CutOff:
    """What of a series may lack its end; `settle_s` is the silence after which a sender is done."""
    lacking = _lacking(connection, series_instance_uid)
    if not lacking:
        return CutOff()
    visits = _visits(connection, series_instance_uid, lacking)
    released = [one for one in visits if one.row.outcome == RELEASED]
    excused: dict[int, str] = {}
    doubtful = []
    for visit in (one for one in visits if one.lacking and one.row.outcome != OPEN):
        words = _why_whole(visit, released, settle_s)
        if words:
            excused[visit.row.id] = words
        else:
            doubtful.append(visit)
    left = _not_through(connection, lacking, list(excused))
    reason = doubtful[-1].row.reason if doubtful else ""
    return CutOff(left, reason, tuple(dict.fromkeys(excused.values())))


def _why_whole(
    visit: _Visit, released: Sequence[_Visit], settle_s: Callable[[Sender], float]
) -> str:
    """Why its sender had no more to send in it; empty: nobody knows."""
    if any(_goes_on(later, visit) for later in released):
        return _CAME_BACK
    row = visit.row
    if row.cause not in _WHEN_SILENT or row.is_half or row.quiet_s is None:
        return ""
    if row.quiet_s < settle_s(visit.sender):
        return ""
    return (
        f"the node ended the association of {visit.sender} after {row.quiet_s:.0f} s in which "
        "nothing came, with every instance acknowledged"
    )


def _goes_on(later: _Visit, before: _Visit) -> bool:
    """Whether the same system came again and took up where it had ended."""
    same = (later.sender.calling_ae_title, later.sender.address) == (
        before.sender.calling_ae_title,
        before.sender.address,
    )
    follows = later.row.opened_at >= before.last_at
    if before.row.closed_at is not None and later.row.closed_at is not None:
        follows &= later.row.closed_at >= before.row.closed_at
    return same and follows and later.last >= before.last


def _lacking(connection: Connection, uid: str) -> list[int]:
    """Instances that are here and came through no association that was released."""
    released = exists(
        select(receptions.c.instance_id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(receptions.c.instance_id == instances.c.id, associations.c.outcome == RELEASED)
    )
    here = (instances.c.series_instance_uid == uid) & instances.c.removed_at.is_(None)
    return list(connection.scalars(select(instances.c.id).where(here, ~released)))


def _visits(connection: Connection, uid: str, lacking: Sequence[int]) -> list[_Visit]:
    """Associations that brought something of a series, in the order in which they were opened."""
    wanted = set(lacking)
    brought = connection.execute(
        select(receptions.c.association_id, instances.c.id, instances.c.received_at)
        .join(instances, instances.c.id == receptions.c.instance_id)
        .where(instances.c.series_instance_uid == uid)
    ).all()
    by_association: dict[int, list[Any]] = {}
    for one in brought:
        by_association.setdefault(one.association_id, []).append(one)
    rows = connection.execute(
        select(associations)
        .where(associations.c.id.in_(by_association))
        .order_by(associations.c.id)
    )
    return [_visit(row, by_association[row.id], wanted) for row in rows]


def _visit(row: Row[Any], brought: Sequence[Any], lacking: set[int]) -> _Visit:
    """What came again does not count for when: it was received before."""
    own = [one.received_at for one in brought if one.received_at >= row.opened_at]
    return _Visit(
        row=row,
        last=max(one.id for one in brought),
        last_at=max(own, default=row.opened_at),
        lacking=sum(one.id in lacking for one in brought),
    )


def _not_through(connection: Connection, lacking: Sequence[int], excused: Sequence[int]) -> int:
    """How many instances came through none of these associations either."""
    if not excused:
        return len(lacking)
    through = connection.scalars(
        select(receptions.c.instance_id).where(receptions.c.association_id.in_(excused)).distinct()
    )
    return len(set(lacking) - set(through))
