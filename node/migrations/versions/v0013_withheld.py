"""Add optional items that are withheld from peers, since associations with them died."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "withheld",
        sa.Column("ae_title", sa.String(length=16), nullable=False),
        sa.Column("ip", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", "ip", "port", "item", name=op.f("pk_withheld")),
    )
