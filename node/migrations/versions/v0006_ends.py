"""Add ends of associations: cause, whether within a message, and seconds without data."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns in place, as other tables refer to the rows."""
    cause = sa.Column("cause", sa.String(length=16), server_default="", nullable=False)
    is_half: sa.Column[bool] = sa.Column(
        "is_half", sa.Boolean(), server_default=sa.false(), nullable=False
    )
    for column in (cause, is_half, sa.Column("quiet_s", sa.Float(), nullable=True)):
        op.add_column("associations", column)
