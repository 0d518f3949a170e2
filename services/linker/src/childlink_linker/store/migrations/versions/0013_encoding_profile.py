"""the store knows its encoding profile

A store from before takes the profile of its settings at the next start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "encoding_profile",
        sa.Column("only", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("profile", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="hardened, clk"),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("encoding_profile")
