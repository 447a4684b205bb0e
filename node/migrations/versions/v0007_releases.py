"""Add holds as codes, releases, and choices between contents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns in place, as other tables refer to rows of instances."""
    for name in ("holds", "released"):
        op.add_column("series", sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))
    for table, name in (("series", "is_releasable"), ("commands", "is_refused")):
        column: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column(table, column)
    for table, name in (("instances", "decided_at"), ("commands", "begun_at")):
        op.add_column(table, sa.Column(name, sa.Float(), nullable=True))
    op.create_table(
        "content_choices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("taken", sa.String(length=16), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_choices")),
    )
    op.create_index(
        op.f("ix_content_choices_series_instance_uid"), "content_choices", ["series_instance_uid"]
    )
    # their reasons have no codes yet: they are looked at once more
    op.execute("UPDATE series SET state = 'settling', ready_at = 0 WHERE state = 'held'")
