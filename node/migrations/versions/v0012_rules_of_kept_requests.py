"""Add the rules by which a request was kept, so that it is judged again when they change."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark requests that no rule took; their rules are not known, so that others are at hand."""
    column = sa.Column("rules", sa.String(length=64), nullable=False, server_default="")
    op.add_column("requests", column)
    op.execute(
        "UPDATE requests SET rules = 'not known' WHERE state = 'kept' AND reason LIKE "
        "'no rule of the configuration matches%'"
    )
