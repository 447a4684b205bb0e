"""Clock of the node: a change of the machine's clock neither shortens nor prolongs waits."""

import time
from collections.abc import Callable

import structlog
from sqlalchemy import Column, ColumnElement, Connection, Table, update

from core.config.settings import Configuration
from core.errors import StorageUnavailableError
from node.jobs.pauses import LONGEST_PAUSE_S
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.row_states import DeliveryState, NoticeState
from node.ledger.schema import commitments, deliveries, jobs, notices, proofs, series
from node.ledger.tables.commitments import UNREPORTED
from node.ledger.tables.events import record_event
from node.ledger.tables.proofs import UNSETTLED

_JUMP_S = 2.0
_MARGIN_S = 60.0
_QUEUES = {
    deliveries: (DeliveryState.WAITING,),
    proofs: UNSETTLED,
    commitments: UNREPORTED,
    notices: (NoticeState.WAITING,),
}
"""Tables of attempts, and their states that wait for the next one."""

log = structlog.get_logger("clock")


class NodeClock:
    """Seconds since 1970 that pass evenly; `ClockWatch` alone follows changes of the system clock.

    So no wait ends by a jump before the times of all waits were moved by it.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def __call__(self) -> float:
        return self._steady() + self._offset

    def difference(self) -> float:
        """Return the seconds by which the machine's clock is ahead of this one."""
        return self._wall() - self()

    def advance(self, by_s: float) -> None:
        """Move this clock by `by_s` seconds."""
        self._offset += by_s


class ClockWatch:
    """Detects changes of the machine's clock, and moves the node's clock and all waits by them."""

    def __init__(self, ledger: Ledger, clock: NodeClock) -> None:
        self._ledger = ledger
        self._clock = clock

    def look(self) -> float:
        """Move the node's clock and all waits if the machine's clock was set; return by how much.

        Raises:
            StorageUnavailableError: the ledger cannot be written; the next call tries again.
        """
        jump_s = self._clock.difference()
        if abs(jump_s) < _JUMP_S:
            self._clock.advance(jump_s)  # small differences, as by NTP
            return 0.0
        early_s, late_s = (0.0, jump_s) if jump_s > 0 else (jump_s, 0.0)
        self._clock.advance(early_s)  # until the rows are moved, waits may only be too long
        try:
            with self._ledger.writing() as connection:
                self._move(connection, jump_s)
        except StorageUnavailableError:
            self._clock.advance(-early_s)
            raise
        self._clock.advance(late_s)
        return jump_s

    def _move(self, connection: Connection, jump_s: float) -> None:
        shift_waits(connection, jump_s)
        words = f"the clock was set {'forward' if jump_s > 0 else 'back'} by {abs(jump_s):.0f} s"
        record_event(connection, EventKind.CLOCK, words, now=self._clock())
        log.warning(words)


def shift_waits(connection: Connection, by_s: float) -> None:
    """Move the times of all waits by `by_s` seconds."""
    settling = series.c.ready_at.is_not(None)
    times = [series.c.ready_at, series.c.incomplete_since]
    _shift(connection, series, times, by_s=by_s, where=settling)
    for table, states in _QUEUES.items():
        waits = table.c.state.in_(states)
        times = [table.c.next_attempt_at, table.c.created_at]
        _shift(connection, table, times, by_s=by_s, where=waits)
    waiting = jobs.c.next_attempt_at > 0
    _shift(connection, jobs, [jobs.c.next_attempt_at], by_s=by_s, where=waiting)


def shorten_waits(connection: Connection, configuration: Configuration, now: float) -> int:
    """Shorten waits beyond their longest possible time, from another clock; return how many."""
    completion = configuration.completion
    peers = [peer.settle_s for peer in configuration.peers if peer.settle_s is not None]
    longest_s = max([completion.settle_s, completion.recount_s, *peers]) + _MARGIN_S
    late = now + longest_s
    one_by_one = series.c.singles > 0
    count = _limit(connection, series, series.c.ready_at, late, where=~one_by_one)
    later = max(late, now + completion.longest_settle_s + _MARGIN_S)
    count += _limit(connection, series, series.c.ready_at, later, where=one_by_one)
    for column in (series.c.incomplete_since, *(table.c.created_at for table in _QUEUES)):
        count += _limit(connection, column.table, column, now)
    return count + _shorten_waits_for_attempts(connection, configuration, now)


def _shorten_waits_for_attempts(
    connection: Connection, configuration: Configuration, now: float
) -> int:
    """Limit the next attempts of all queues to the longest pauses of their policies."""
    count = _shorten_waits_for_peers(connection, configuration, now)
    for table, wait_s in (
        (notices, configuration.webhook.policy.longest_wait_s),
        (jobs, LONGEST_PAUSE_S),
    ):
        count += _limit(connection, table, table.c.next_attempt_at, now + wait_s + _MARGIN_S)
    return count


def _shorten_waits_for_peers(
    connection: Connection, configuration: Configuration, now: float
) -> int:
    """Limit the next attempts at each peer, by its own retry policy or the default."""
    answer_s = configuration.proof.answer_within_h * 3600
    names = [peer.name for peer in configuration.peers]
    count = 0
    for table, least_s in ((deliveries, 0.0), (commitments, 0.0), (proofs, answer_s)):
        of_other_peers = table.c.peer.not_in(names)
        policies = [(table.c.peer == name, configuration.retry_of(name)) for name in names]
        for where, policy in [*policies, (of_other_peers, configuration.delivery.policy)]:
            late = now + max(least_s, policy.longest_wait_s) + _MARGIN_S
            count += _limit(connection, table, table.c.next_attempt_at, late, where=where)
    return count


def _shift(
    connection: Connection,
    table: Table,
    columns: list[Column[float]],
    *,
    by_s: float,
    where: ColumnElement[bool],
) -> None:
    moved = {column.name: column + by_s for column in columns}
    connection.execute(update(table).where(where).values(moved))


def _limit(
    connection: Connection,
    table: Table,
    column: Column[float],
    latest: float,
    *,
    where: ColumnElement[bool] | None = None,
) -> int:
    late = column > latest if where is None else where & (column > latest)
    return connection.execute(update(table).where(late).values({column.name: latest})).rowcount
