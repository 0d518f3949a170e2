"""releases from draft to recalled, what their cells were, and an audit trail"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="draft, published, recalling, recalled, discarded",
        ),
        sa.Column("data_until", sa.String(length=10), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("cut_by", sa.String(length=128), nullable=False),
        sa.Column("cut_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=128), nullable=True),
        sa.Column("published_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("recall_asked_by", sa.String(length=128), nullable=True),
        sa.Column("recalled_by", sa.String(length=128), nullable=True),
        sa.Column("recall_why", sa.String(length=512), nullable=True),
        sa.PrimaryKeyConstraint("release_id"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "release_cells",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("population", sa.String(length=128), nullable=False),
        sa.Column(
            "cells",
            sa.Text(),
            nullable=False,
            comment="JSON: [[[column, category], ...], true, protected] of each cell",
        ),
        sa.PrimaryKeyConstraint("release_id", "population"),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    op.drop_table("audit_entry")
    op.drop_table("release_cells")
    op.drop_table("release")
