"""Add arguments of commands: the pipeline that a person runs, and its destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "commands", sa.Column("arguments", sa.JSON(), nullable=False, server_default="{}")
    )
