"""Add how often a peer failed to process an instance that was sent to it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
    )
