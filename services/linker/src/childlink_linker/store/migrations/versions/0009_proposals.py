"""proposals of `relink`"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("proposal_id", _ID, autoincrement=True, nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False, comment="the parameter file"),
        sa.Column("records", _ID, nullable=False),
        sa.Column(
            "newest_record_id",
            _ID,
            nullable=False,
            comment="no id up to this one is given again while the proposal waits",
        ),
        sa.Column("changes", _ID, nullable=False),
        sa.Column("merges", _ID, nullable=False),
        sa.Column("splits", _ID, nullable=False),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="waiting, approved, rejected"
        ),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column(
            "skipped",
            _ID,
            nullable=True,
            comment="changes whose records or decisions were others by then",
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_table(
        "proposed_change",
        sa.Column("proposal_id", _ID, nullable=False),
        sa.Column("change_id", _ID, nullable=False),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="of its records, decisions and persons",
        ),
        sa.Column("merges", _ID, nullable=False),
        sa.Column("splits", _ID, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "change_id"),
    )
    op.create_table(
        "proposed_member",
        sa.Column("proposal_id", _ID, nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("change_id", _ID, nullable=False),
        sa.Column("cluster", _ID, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "subject_id"),
    )
    op.create_index("ix_proposed_member_change", "proposed_member", ["proposal_id", "change_id"])
    op.create_table(
        "proposed_edge",
        sa.Column("proposal_id", _ID, nullable=False),
        sa.Column("smaller", _ID, nullable=False),
        sa.Column("larger", _ID, nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "smaller", "larger"),
    )


def downgrade() -> None:
    for table in ("proposed_edge", "proposed_member", "proposed_change", "proposal"):
        op.drop_table(table)
