"""Add priorities of instances, requests and jobs, and what decides where a job runs."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give jobs that may run again their pipeline and resources as columns; sizes stay unknown.

    Only the queue reads these columns. A node has far more jobs that are done, which never queue.
    """
    for table in ("receptions", "requests", "jobs"):
        op.add_column(
            table, sa.Column("priority", sa.Integer(), nullable=False, server_default="0")
        )
    op.add_column(
        "jobs", sa.Column("pipeline", sa.String(length=64), nullable=False, server_default="")
    )
    op.add_column("jobs", sa.Column("resources", sa.Text(), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("decoded_mb", sa.Float()))
    queued = sa.text("state = 'queued'")
    columns = ["state", "created_at", "priority", "decoded_mb", "next_attempt_at"]
    op.create_index(
        "ix_jobs_queued",
        "jobs",
        [*columns, "job_id", "pipeline", "resources"],
        sqlite_where=queued,
        postgresql_where=queued,
    )
    jobs = sa.table(
        "jobs",
        *(sa.column(name, sa.String) for name in ("job_id", "state", "pipeline", "resources")),
        sa.column("request", sa.JSON),
    )
    connection = op.get_bind()
    name = jobs.c.request["pipeline"].as_string()
    may_run = jobs.c.state.not_in(("done", "withdrawn"))
    filled = sa.update(jobs).where(may_run).values(pipeline=sa.func.coalesce(name, ""))
    connection.execute(filled)
    asked = jobs.c.request["resources"]
    query = sa.select(jobs.c.job_id, asked.label("asked"))
    for row in connection.execute(query.where(may_run, asked.as_string() != "{}")).all():
        if row.asked:
            own = sa.update(jobs).where(jobs.c.job_id == row.job_id)
            connection.execute(own.values(resources=json.dumps(row.asked)))
