"""The ledger's tables. Times are seconds since 1970 (UTC); paths, never pixels; no patient data."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from node.ledger import node_tables

metadata = node_tables.metadata

associations = Table(
    "associations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("calling_ae_title", String(16), nullable=False),
    Column("called_ae_title", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("outcome", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("reason", Text, nullable=False),
    Column("cause", String(16), nullable=False, server_default=""),  # node/ledger/tables/ends.py
    Column("is_half", Boolean, nullable=False, server_default=false()),  # within a message
    Column("quiet_s", Float),  # seconds since the last data
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
    Column("size_bytes", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("made_here", Boolean, nullable=False),
    Column("differs", Boolean, nullable=False),  # another content under this UID is in use
    Column("decided_at", Float),  # a person chose one of the contents under this UID
    Column("committed_at", Float),  # committed to a peer (PS3.4 Annex J): never removed
    Column("removed_at", Float),  # retention removed the file; the row stays
    UniqueConstraint("sop_instance_uid", "sha256"),
    Index(None, "series_instance_uid"),
)

receptions = Table(  # which association brought which instance
    "receptions",
    metadata,
    Column("association_id", ForeignKey("associations.id"), primary_key=True),
    Column("instance_id", ForeignKey("instances.id"), primary_key=True),
    Column("priority", Integer, nullable=False, server_default="0"),  # core/priority.py, of C-STORE
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
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("reason", Text, nullable=False),
    Column("released_by_person", Boolean, nullable=False),
    Column("holds", JSON, nullable=False, server_default="{}"),  # core/hold_reasons.py: to words
    Column("is_releasable", Boolean, nullable=False, server_default=false()),
    Column("released", JSON, nullable=False, server_default="{}"),  # as holds, while released
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("ready_at", Float),
    Column("expected", Integer),  # instances that its sender says it has
    Column("singles", Integer, nullable=False, server_default="0"),  # node/ledger/tables/habits.py
    Column("single_at", Float),  # when the latest association with one instance of it ended
    Column("single_by", String(96), nullable=False, server_default=""),
    Column("incomplete_since", Float),  # since when fewer than that are stored
    Index("ix_series_state_last_at", "state", "last_at"),
    Index(None, "last_at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("series_instance_uid", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("reason", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("result", JSON),
    Column("destinations", JSON, nullable=False),
    Column("progress", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("predecessor", String(64)),  # the job whose results this revision replaces
    Column("deaths", Integer, nullable=False, server_default="0"),  # workers that died at it
    Column("next_attempt_at", Float, nullable=False, server_default="0"),
    Column("step", Text, nullable=False, server_default=""),  # current step, in words
    Column("removed_at", Float),  # retention removed its results
    Column("pipeline", String(64), nullable=False, server_default=""),  # empty: done before 0014
    Column("priority", Integer, nullable=False, server_default="0"),  # core/priority.py
    Column("resources", Text, nullable=False, server_default=""),  # JSON, of its worker
    Column("decoded_mb", Float),  # size of its images as float32; none: not known
    Index(None, "series_instance_uid"),
    Index("ix_jobs_state_created_at", "state", "created_at"),
    Index(  # all that the order of the queue needs, beside the long column `request`
        "ix_jobs_queued",
        *("state", "created_at", "priority", "decoded_mb", "next_attempt_at"),
        *("job_id", "pipeline", "resources"),
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(None, "created_at"),
    Index(None, "finished_at"),
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
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("words", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("sha256", String(64), nullable=False, server_default=""),  # of the committed file
    Column("confirmed_at", Float),  # the peer proved that it holds the instance
    Column("failures", Integer, nullable=False, server_default="0"),  # to process it, at the peer
    UniqueConstraint("job_id", "peer", "position"),
    Index("ix_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    Index(None, "finished_at"),
)

proofs = Table(  # questions to peers whether they hold stored results
    "proofs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", ForeignKey("jobs.job_id"), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("method", String(16), nullable=False),  # commitment, query; empty before one is found
    Column("transaction_uid", String(64), unique=True),
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("sent_again", Boolean, nullable=False),  # missing instances, once
    Column("words", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("finished_at", Float),
    UniqueConstraint("job_id", "peer"),
    Index("ix_proofs_state_next_attempt_at", "state", "next_attempt_at"),
)

commitments = Table(  # storage commitment requests of peers (PS3.4 Annex J)
    "commitments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("peer", String(64), nullable=False),
    Column("transaction_uid", String(64), nullable=False),
    Column("references", JSON, nullable=False),  # pairs of SOP class and instance UIDs
    Column("failures", JSON, nullable=False),  # SOP Instance UID to failure reason
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("words", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("finished_at", Float),
    UniqueConstraint("peer", "transaction_uid"),
    Index("ix_commitments_state_next_attempt_at", "state", "next_attempt_at"),
)

notices = Table(  # events on their way to the webhook
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("words", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("finished_at", Float),
    Index("ix_notices_state_next_attempt_at", "state", "next_attempt_at"),
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
    Column("arguments", JSON, nullable=False, server_default="{}"),  # of `run`, `pause`, `resume`
    Column("done_at", Float),
    Column("answer", Text, nullable=False),
    Column("begun_at", Float),  # carried out; its effect is awaited before the answer
    Column("is_refused", Boolean, nullable=False, server_default=false()),  # the answer says why
    Column("person", String(64), nullable=False, server_default=""),
    Column("address", String(64), nullable=False, server_default=""),
    Index(None, "done_at"),
)

requests = Table(  # who asked for what of a series: a sender, a folder, a person
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_instance_uid", String(64), nullable=False),
    Column("source", String(16), nullable=False),  # association, folder, upload, person
    Column("calling_ae_title", String(16), nullable=False),
    Column("called_ae_title", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("person", String(64), nullable=False),
    Column("order_uid", String(32), unique=True),
    Column("pipeline", String(64), nullable=False),  # requested by name; empty: the rules decide
    Column("destinations", JSON, nullable=False),  # names of the requested peers
    Column("created_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("outcome", String(16), nullable=False),  # how its last association ended
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("reason", Text, nullable=False),
    Column("content", String(64), nullable=False),  # hash of the instances that were judged
    Column("rules", String(64), nullable=False, server_default=""),  # none of which took it
    Column("priority", Integer, nullable=False, server_default="0"),  # as its sender gave it
    Index(None, "series_instance_uid"),
    Index(None, "state"),
)

request_jobs = Table(  # jobs of requests, and the destinations of their results
    "request_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False),
    Column("job_id", ForeignKey("jobs.job_id"), nullable=False),
    Column("rule", String(64), nullable=False),  # of the configuration; empty: requested by name
    Column("pipeline", String(64), nullable=False),
    Column("destinations", JSON, nullable=False),
    UniqueConstraint("request_id", "job_id"),
    Index(None, "job_id"),
)

requested_jobs = Table(  # jobs requested by name on folders of files
    "requested_jobs",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("state", String(16), nullable=False),  # node/ledger/row_states.py names them
    Column("words", Text, nullable=False),
    Column("pipeline", String(64), nullable=False),
    Column("root", String(16), nullable=False),  # which root the folder is below
    Column("folder", Text, nullable=False),  # emptied once read: names may identify patients
    Column("wanted", String(64), nullable=False),  # SeriesInstanceUID, where there are several
    Column("destinations", JSON, nullable=False),
    Column("person", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("series_instance_uid", String(64)),
    Index("ix_requested_jobs_state_created_at", "state", "created_at"),
    Index(None, "series_instance_uid"),
)
