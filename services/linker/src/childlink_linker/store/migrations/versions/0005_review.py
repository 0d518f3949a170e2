"""second opinions, since when pairs wait, and the audit trail"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("decision") as decision:
        decision.add_column(
            sa.Column("asks_second", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        decision.alter_column("verdict", comment="same, different, unsure, passed")
    with op.batch_alter_table("review_pair") as pair:
        pair.add_column(sa.Column("since_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "audit_entry",
        sa.Column("number", _ID, autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    op.drop_table("audit_entry")
    with op.batch_alter_table("review_pair") as pair:
        pair.drop_column("since_ms")
    with op.batch_alter_table("decision") as decision:
        decision.alter_column("verdict", comment="same, different, unsure")
        decision.drop_column("asks_second")
