"""questions to partners about rows of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "own_check",
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index(op.f("ix_own_check_subject_id"), "own_check", ["subject_id"])


def downgrade() -> None:
    op.drop_table("own_check")
