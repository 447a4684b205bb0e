"""Add jobs requested by name, and the persons who give commands."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.String(length=64), nullable=False),
        sa.Column("root", sa.String(length=16), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("wanted", sa.String(length=64), nullable=False),
        sa.Column("destinations", sa.JSON(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_state_created_at", "orders", ["state", "created_at"])
    op.create_index(op.f("ix_orders_series_instance_uid"), "orders", ["series_instance_uid"])
    with op.batch_alter_table("commands", schema=None) as batch_op:
        for name in ("person", "address"):
            batch_op.add_column(
                sa.Column(name, sa.String(length=64), server_default="", nullable=False)
            )
        batch_op.create_index(op.f("ix_commands_done_at"), ["done_at"])
    op.create_index(op.f("ix_jobs_created_at"), "jobs", ["created_at"])
    op.create_index(op.f("ix_jobs_finished_at"), "jobs", ["finished_at"])
    op.create_index(op.f("ix_deliveries_finished_at"), "deliveries", ["finished_at"])
