"""Status of the node as lines of text: problems, waiting and running work."""

import shutil
from collections.abc import Iterator

from sqlalchemy import Connection, Table, func, select

from core.config.settings import Configuration
from core.plain_text import stamp
from network.certificates import certificates
from node.ledger.database import Ledger
from node.ledger.row_states import DeliveryState, JobState, NoticeState
from node.ledger.schema import commitments, deliveries, jobs, notices, proofs
from node.ledger.tables.commitments import UNREPORTED
from node.ledger.tables.conditions import all_conditions
from node.ledger.tables.pauses import all_pauses
from node.ledger.tables.proofs import UNSETTLED
from node.ledger.views.series_status import count_states
from node.lock import holder_of

_MEGABYTE = 1_000_000


def status_lines(ledger: Ledger, configuration: Configuration) -> list[str]:
    """Return the status lines; works while the node is not running, too."""
    with ledger.reading() as connection:
        return [
            _node_words(configuration),
            _disk_words(configuration),
            *(one.words for one in certificates(configuration)),
            *_condition_words(connection),
            *(f"paused: {one.words}" for one in all_pauses(connection)),
            f"cases: {_case_words(connection)}",
            f"jobs: {_counts(connection, jobs)}",
            *_job_words(connection, ledger.clock()),
            f"deliveries: {_counts(connection, deliveries)}",
            *_peer_words(connection),
            *_open_words(connection),
        ]


def _node_words(configuration: Configuration) -> str:
    holder = holder_of(configuration.storage_path)
    return f"node: runs as process {holder}" if holder else "node: does not run"


def _disk_words(configuration: Configuration) -> str:
    free = shutil.disk_usage(configuration.storage_path).free // _MEGABYTE
    needed = configuration.wire.minimum_free_mb
    words = f"disk: {free} MB free, instances are taken down to {needed} MB"
    return words if free >= needed else f"{words}: refused now (0xA700)"


def _condition_words(connection: Connection) -> Iterator[str]:
    for one in all_conditions(connection):
        yield f"trouble since {stamp(one.since)}: {one.name}: {one.words}"


def _case_words(connection: Connection) -> str:
    counts = count_states(connection)
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"


def _counts(connection: Connection, table: Table) -> str:
    rows = connection.execute(
        select(table.c.state, func.count()).group_by(table.c.state).order_by(table.c.state)
    )
    return ", ".join(f"{count} {state}" for state, count in rows) or "none"


def _job_words(connection: Connection, now: float) -> Iterator[str]:
    running = connection.execute(select(jobs).where(jobs.c.state == JobState.RUNNING))
    for row in running:
        step = f", {row.step}" if row.step else ""
        yield f"runs: job {row.job_id[:12]}, {row.progress:.0%}{step}"
    oldest = connection.scalar(
        select(func.min(jobs.c.created_at)).where(jobs.c.state == JobState.QUEUED)
    )
    if oldest is not None:
        yield f"oldest queued job: waits for {max(0.0, now - oldest):.0f} s"
    has_reason = (jobs.c.state == JobState.QUEUED) & (jobs.c.reason != "")
    reasons = select(jobs.c.reason, func.count()).where(has_reason).group_by(jobs.c.reason)
    for reason, count in connection.execute(reasons.order_by(jobs.c.reason)):
        yield f"queued jobs: {count} ({reason})"


def _peer_words(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(
            deliveries.c.peer,
            deliveries.c.state,
            func.count().label("count"),
            func.min(deliveries.c.next_attempt_at).label("at"),
            func.max(deliveries.c.words).label("words"),
        )
        .where(
            deliveries.c.state.in_(
                (
                    DeliveryState.WAITING,
                    DeliveryState.HELD,
                    DeliveryState.REFUSED,
                    DeliveryState.GIVEN_UP,
                )
            )
        )
        .group_by(deliveries.c.peer, deliveries.c.state)
        .order_by(deliveries.c.peer)
    )
    for row in rows:
        when = {
            DeliveryState.WAITING: f", next attempt {stamp(row.at)}",
            DeliveryState.HELD: "",
        }.get(row.state, ", dead letter")
        yield f"peer {row.peer}: {row.count} {row.state}{when}" + (
            f" ({row.words})" if row.words else ""
        )


def _open_words(connection: Connection) -> Iterator[str]:
    """Count open proofs, storage commitment requests and notices."""
    for name, table, states in (
        ("proofs asked of peers", proofs, UNSETTLED),
        ("commitments not answered", commitments, UNREPORTED),
        ("events not posted", notices, (NoticeState.WAITING,)),
    ):
        open_rows = select(func.count()).select_from(table).where(table.c.state.in_(states))
        count = connection.scalar(open_rows)
        if count:
            yield f"{name}: {count} open"
