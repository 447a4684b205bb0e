"""Add senders that open an association for each instance, with their longest pauses."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "habits",
        sa.Column("calling_ae_title", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("longest_pause_s", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("calling_ae_title", "address", name=op.f("pk_habits")),
    )
    op.add_column(
        "series", sa.Column("singles", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("series", sa.Column("single_at", sa.Float(), nullable=True))
    op.add_column(
        "series", sa.Column("single_by", sa.String(length=96), server_default="", nullable=False)
    )
