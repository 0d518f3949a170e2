"""traces of batches that no published release counts yet"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_trace",
        sa.Column("traceparent", sa.String(length=55), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("traceparent"),
    )


def downgrade() -> None:
    op.drop_table("open_trace")
