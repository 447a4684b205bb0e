"""Add requests and their jobs; requested jobs become folders to be read."""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FOLDER = "folder"
_SOURCES = {"in_dir": "folder", "uploads": "upload"}
_STATES = {  # of a series to that of its request
    "arriving": "waiting",
    "settling": "waiting",
    "held": "held",
    "kept": "kept",
    "processing": "submitted",
    "cancelled": "cancelled",
}
_OF_ORDERS = {"read": "waiting"}


def upgrade() -> None:
    _make_tables()
    _Requests(op.get_bind()).bring_all()
    _shorten_orders()


def _make_tables() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("calling_ae_title", sa.String(length=16), nullable=False),
        sa.Column("called_ae_title", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("order_uid", sa.String(length=32), nullable=True),
        sa.Column("pipeline", sa.String(length=64), nullable=False),
        sa.Column("destinations", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("order_uid", name=op.f("uq_requests_order_uid")),
    )
    op.create_index(op.f("ix_requests_series_instance_uid"), "requests", ["series_instance_uid"])
    op.create_index(op.f("ix_requests_state"), "requests", ["state"])
    op.create_table(
        "request_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("pipeline", sa.String(length=64), nullable=False),
        sa.Column("destinations", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_request_jobs_request_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_request_jobs_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_jobs")),
        sa.UniqueConstraint("request_id", "job_id", name=op.f("uq_request_jobs_request_id")),
    )
    op.create_index(op.f("ix_request_jobs_job_id"), "request_jobs", ["job_id"])


def _shorten_orders() -> None:
    """Convert requested jobs: their later states are now those of their requests."""
    op.execute("UPDATE orders SET state = 'read' WHERE series_instance_uid IS NOT NULL")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("finished_at")
        batch_op.drop_column("job_id")


def _contents(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Return the hash of the stored contents of each series, as `content_hash` computes it."""
    rows = connection.execute(
        sa.text(
            "SELECT series_instance_uid, sop_instance_uid, sha256 FROM instances "
            "WHERE removed_at IS NULL AND NOT differs ORDER BY series_instance_uid"
        )
    )
    for uid, of_series in groupby(rows, key=lambda row: row.series_instance_uid):
        lines = sorted(f"{row.sop_instance_uid} {row.sha256}" for row in of_series)
        yield uid, hashlib.sha256("\n".join(lines).encode()).hexdigest()


class _Requests:
    """Rows of requests, made from the series and requested jobs of an older ledger."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        tables = sa.MetaData()
        names = ("series", "jobs", "orders", "requests", "request_jobs")
        tables.reflect(connection, only=names)
        self._tables = tables.tables
        self._contents = dict(_contents(connection))

    def bring_all(self) -> None:
        orders = self._connection.execute(sa.select(self._tables["orders"])).all()
        ordered = {one.job_id for one in orders}
        for row in self._connection.execute(sa.select(self._tables["series"])).all():
            if row.address != _FOLDER:
                self._bring_series(row, ordered)
        for order in orders:
            if order.series_instance_uid:
                self._bring_order(order)

    def _bring_series(self, row: Any, ordered: set[str]) -> None:
        """Make a request for each sender, with the jobs that no requested job has, else all.

        The version before did not tell whose results went where, so each has all destinations.
        """
        uid = row.series_instance_uid
        jobs = self._jobs_of(uid)
        own = [job for job in jobs if job.job_id not in ordered] or jobs
        last = (row.calling_ae_title, row.called_ae_title, row.address)
        for sender in [*(one for one in _senders(self._connection, uid) if one != last), last]:
            key = self._insert("requests", self._request_of(row, sender))
            for job in own:
                self._link(key, job, job.destinations)

    def _request_of(self, row: Any, sender: tuple[str, str, str]) -> dict[str, Any]:
        calling_ae_title, called_ae_title, address = sender
        return {
            "series_instance_uid": row.series_instance_uid,
            "source": "association",
            "calling_ae_title": calling_ae_title,
            "called_ae_title": called_ae_title,
            "address": address,
            "person": "",
            "pipeline": "",
            "destinations": [],
            "created_at": row.first_at,
            "last_at": row.last_at,
            "outcome": _last_outcome(self._connection, row.series_instance_uid),
            "state": _STATES.get(row.state, "waiting"),
            "reason": row.reason,
            "content": self._contents.get(row.series_instance_uid, ""),
        }

    def _bring_order(self, order: Any) -> None:
        values = {
            "series_instance_uid": order.series_instance_uid,
            "source": _SOURCES.get(order.root, "folder"),
            "calling_ae_title": "",
            "called_ae_title": "",
            "address": order.address,
            "person": order.person,
            "order_uid": order.uid,
            "pipeline": order.pipeline,
            "destinations": order.destinations,
            "created_at": order.created_at,
            "last_at": order.created_at,
            "outcome": "released",
            "state": _OF_ORDERS.get(order.state, order.state),
            "reason": order.words,
            "content": self._contents.get(order.series_instance_uid, ""),
        }
        key = self._insert("requests", values)
        for job in self._jobs_of(order.series_instance_uid):
            if job.job_id == order.job_id:
                named = [one for one in job.destinations if one["peer"] in order.destinations]
                self._link(key, job, named)

    def _jobs_of(self, uid: str) -> list[Any]:
        jobs = self._tables["jobs"]
        columns = (jobs.c.job_id, jobs.c.request, jobs.c.destinations)
        of_series = sa.select(*columns).where(jobs.c.series_instance_uid == uid)
        return list(self._connection.execute(of_series.order_by(jobs.c.created_at)))

    def _link(self, key: int, job: Any, destinations: Any) -> None:
        values = {"request_id": key, "job_id": job.job_id, "rule": ""}
        values |= {"pipeline": job.request["pipeline"], "destinations": destinations}
        self._insert("request_jobs", values)

    def _insert(self, table: str, values: dict[str, Any]) -> int:
        row = sa.insert(self._tables[table]).values(**values)
        key = self._connection.execute(row).inserted_primary_key
        return 0 if key is None else int(key[0])


def _senders(connection: sa.Connection, uid: str) -> list[tuple[str, str, str]]:
    """Return the senders of a series in released associations, the first one first."""
    rows = connection.execute(
        sa.text(
            "SELECT calling_ae_title, called_ae_title, address FROM associations "
            "JOIN receipts ON receipts.association_id = associations.id "
            "JOIN instances ON instances.id = receipts.instance_id "
            "WHERE instances.series_instance_uid = :uid AND associations.outcome = 'released' "
            "AND associations.address != 'folder' "
            "GROUP BY calling_ae_title, called_ae_title, address ORDER BY min(associations.id)"
        ),
        {"uid": uid},
    )
    return [(row.calling_ae_title, row.called_ae_title, row.address) for row in rows]


def _last_outcome(connection: sa.Connection, uid: str) -> str:
    """Return the outcome of the last association with instances of a series."""
    outcome = connection.execute(
        sa.text(
            "SELECT associations.outcome FROM associations "
            "JOIN receipts ON receipts.association_id = associations.id "
            "JOIN instances ON instances.id = receipts.instance_id "
            "WHERE instances.series_instance_uid = :uid ORDER BY associations.id DESC LIMIT 1"
        ),
        {"uid": uid},
    ).scalar()
    return "" if outcome is None else str(outcome)
