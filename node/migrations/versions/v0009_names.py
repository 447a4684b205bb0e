"""Rename tables after their rows: receptions and requested jobs."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename tables, and their indexes with them; no row is touched."""
    op.drop_index("ix_receipts_instance_id", "receipts")
    op.rename_table("receipts", "receptions")
    op.create_index("ix_receptions_instance_id", "receptions", ["instance_id"])
    op.drop_index("ix_orders_state_created_at", "orders")
    op.drop_index("ix_orders_series_instance_uid", "orders")
    op.rename_table("orders", "requested_jobs")
    op.create_index("ix_requested_jobs_state_created_at", "requested_jobs", ["state", "created_at"])
    op.create_index(
        "ix_requested_jobs_series_instance_uid", "requested_jobs", ["series_instance_uid"]
    )
