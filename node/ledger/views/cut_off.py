"""Instances received only over aborted associations, and whether these are complete anyway.

Geometry cannot show that the end of a series is missing. So an aborted association counts as
complete only if something else shows that its sender had no more instances for it:

- A later association of the same sender, which was released, goes on with the series where the
  aborted one ended: with its last instance, or with further ones.
- The node ended it between messages, after the sender had been silent for its settle time, which is
  the silence that follows a release.

An abort of the peer or a lost connection shows nothing, whatever was acknowledged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from network.sender import Sender
from node.ledger.row_states import EndCause
from node.ledger.schema import associations, instances, receptions
from node.ledger.tables.instances import OPEN, RELEASED

_CAME_BACK = "the rest was received over a later association of the same sender"
_WHEN_SILENT = (EndCause.IDLE, EndCause.STOP)


@dataclass(frozen=True, slots=True)
class CutOff:
    """Instances of a series that may lack others after them."""

    count: int = 0
    """Number of instances received only over associations whose end may be missing."""
    reason: str = ""
    """How the latest of those associations ended."""
    whole: tuple[str, ...] = ()
    """Why other aborted associations count as complete, in words."""


@dataclass(frozen=True, slots=True)
class _Contribution:
    """An association with instances of the series; `last` is the id of its latest instance."""

    row: Row[Any]
    last: int
    last_at: float
    lacking: int
    """Number of its instances that no released association sent."""

    @property
    def sender(self) -> Sender:
        return Sender(self.row.calling_ae_title, self.row.called_ae_title, self.row.address)


def cut_off_of(
    connection: Connection, series_instance_uid: str, settle_s: Callable[[Sender], float]
) -> CutOff:
    """Find instances of a series that may lack others; `settle_s` gives settle times (seconds)."""
    lacking = _lacking(connection, series_instance_uid)
    if not lacking:
        return CutOff()
    contributions = _contributions(connection, series_instance_uid, lacking)
    released = [one for one in contributions if one.row.outcome == RELEASED]
    complete: dict[int, str] = {}
    incomplete = []
    for contribution in (one for one in contributions if one.lacking and one.row.outcome != OPEN):
        words = _why_complete(contribution, released, settle_s)
        if words:
            complete[contribution.row.id] = words
        else:
            incomplete.append(contribution)
    left = _still_lacking(connection, lacking, list(complete))
    reason = incomplete[-1].row.reason if incomplete else ""
    return CutOff(left, reason, tuple(dict.fromkeys(complete.values())))


def _why_complete(
    contribution: _Contribution,
    released: Sequence[_Contribution],
    settle_s: Callable[[Sender], float],
) -> str:
    """Say why an aborted association counts as complete; empty if nothing shows it."""
    if any(_continues(later, contribution) for later in released):
        return _CAME_BACK
    row = contribution.row
    if row.cause not in _WHEN_SILENT or row.is_half or row.quiet_s is None:
        return ""
    if row.quiet_s < settle_s(contribution.sender):
        return ""
    return (
        f"the node ended the association of {contribution.sender} after {row.quiet_s:.0f} s "
        "without data, with every instance acknowledged"
    )


def _continues(later: _Contribution, before: _Contribution) -> bool:
    """True if the same sender went on with the series in a later association."""
    same = (later.sender.calling_ae_title, later.sender.address) == (
        before.sender.calling_ae_title,
        before.sender.address,
    )
    follows = later.row.opened_at >= before.last_at
    if before.row.closed_at is not None and later.row.closed_at is not None:
        follows &= later.row.closed_at >= before.row.closed_at
    return same and follows and later.last >= before.last


def _lacking(connection: Connection, uid: str) -> list[int]:
    """Return ids of stored instances that no released association sent."""
    released = exists(
        select(receptions.c.instance_id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(receptions.c.instance_id == instances.c.id, associations.c.outcome == RELEASED)
    )
    here = (instances.c.series_instance_uid == uid) & instances.c.removed_at.is_(None)
    return list(connection.scalars(select(instances.c.id).where(here, ~released)))


def _contributions(connection: Connection, uid: str, lacking: Sequence[int]) -> list[_Contribution]:
    """Return the associations with instances of a series, in the order of their opening."""
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
    return [_contribution(row, by_association[row.id], wanted) for row in rows]


def _contribution(row: Row[Any], brought: Sequence[Any], lacking: set[int]) -> _Contribution:
    """Summarise an association; times of instances received before it do not count."""
    own = [one.received_at for one in brought if one.received_at >= row.opened_at]
    return _Contribution(
        row=row,
        last=max(one.id for one in brought),
        last_at=max(own, default=row.opened_at),
        lacking=sum(one.id in lacking for one in brought),
    )


def _still_lacking(connection: Connection, lacking: Sequence[int], complete: Sequence[int]) -> int:
    """Count the instances that the complete associations did not send either."""
    if not complete:
        return len(lacking)
    through = connection.scalars(
        select(receptions.c.instance_id).where(receptions.c.association_id.in_(complete)).distinct()
    )
    return len(set(lacking) - set(through))
