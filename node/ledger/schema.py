"""The ledger's tables. Times are seconds since 1970 (UTC); paths, never pixels; no patient data."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

associations = Table(
    "associations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("calling_ae_title", String(16), nullable=False),
    Column("called_ae_title", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("outcome", String(16), nullable=False),  # open, released, aborted, rejected
    Column("reason", Text, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("study_instance_uid", String(64), nullable=False),
    Column("sop_class_uid", String(64), nullable=False),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("made_here", Boolean, nullable=False),
    Column("differs", Boolean, nullable=False),
    UniqueConstraint("sop_instance_uid", "sha256"),
    Index(None, "series_instance_uid"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("association_id", ForeignKey("associations.id"), primary_key=True),
    Column("instance_id", ForeignKey("instances.id"), primary_key=True),
    Index(None, "instance_id"),
)

series = Table(
    "series",
    metadata,
    Column("series_instance_uid", String(64), primary_key=True),
    Column("study_instance_uid", String(64), nullable=False),
    Column("calling_ae_title", String(16), nullable=False),
    Column("called_ae_title", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # arriving, settling, held, stored, processing
    Column("reason", Text, nullable=False),
    Column("released_by_person", Boolean, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("ready_at", Float),
    Index(None, "state"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("series_instance_uid", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # queued, running, done, failed, superseded
    Column("reason", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("result", JSON),
    Column("destinations", JSON, nullable=False),
    Column("progress", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Index(None, "series_instance_uid"),
    Index(None, "state"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", ForeignKey("jobs.job_id"), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("ip", String(64), nullable=False),
    Column("port", Integer, nullable=False),
    Column("ae_title", String(16), nullable=False),
    Column("position", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # waiting, stored, refused, given up, cancelled
    Column("words", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("finished_at", Float),
    UniqueConstraint("job_id", "peer", "position"),
    Index(None, "state"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Index(None, "series_instance_uid"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("target", String(64), nullable=False),
    Column("done_at", Float),
    Column("answer", Text, nullable=False),
)
