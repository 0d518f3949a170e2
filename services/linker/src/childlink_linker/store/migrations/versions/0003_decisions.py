"""decisions of data stewards"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("decision_id", _ID, autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("steward", sa.String(length=64), nullable=False),
        sa.Column("smaller_subject_id", _ID, nullable=False),
        sa.Column("larger_subject_id", _ID, nullable=False),
        sa.Column(
            "verdict", sa.String(length=16), nullable=False, comment="same, different, unsure"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undone_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index(op.f("ix_decision_smaller_subject_id"), "decision", ["smaller_subject_id"])
    op.create_index(op.f("ix_decision_larger_subject_id"), "decision", ["larger_subject_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_decision_larger_subject_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_smaller_subject_id"), table_name="decision")
    op.drop_table("decision")
